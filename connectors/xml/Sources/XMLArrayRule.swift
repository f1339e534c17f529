/// Says which elements are arrays even where they are alone.
struct XMLArrayRule {
    private let paths: [XMLPath]
    /// What is known of a name, by its address.
    private var known = XMLNameMap()

    private enum Answer: Int {
        case never
        case always
        case dependsOnPath
    }

    init(_ paths: [XMLPath]) { self.paths = paths }

    /// Whether there is no rule at all.
    var isEmpty: Bool { paths.isEmpty }

    /// Whether the rule covers an element, which lies on a path of open elements.
    mutating func covers(
        _ name: UnsafePointer<CChar>,
        inside path: () -> [UnsafePointer<CChar>]
    ) -> Bool {
        if paths.isEmpty { return false }
        switch answer(for: name) {
        case .never: return false
        case .always: return true
        case .dependsOnPath:
            let names = (path() + [name]).map { String(cString: $0) }
            return paths.contains { $0.matches(names) }
        }
    }

    private mutating func answer(for name: UnsafePointer<CChar>) -> Answer {
        let key = UInt(bitPattern: name)
        if let found = known.find(key).flatMap(Answer.init) { return found }
        let text = String(cString: name)
        let candidates = paths.filter { $0.steps.last == .some(nil) || $0.steps.last == text }
        let isSure = candidates.contains { !$0.isAnchored && $0.steps.count == 1 }
        let answer: Answer = candidates.isEmpty ? .never : isSure ? .always : .dependsOnPath
        known.insert(key, answer.rawValue)
        return answer
    }
}
