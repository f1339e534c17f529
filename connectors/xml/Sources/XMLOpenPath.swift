/// The open elements outside records, and whether `record.path` leads to them.
struct XMLOpenPath {
    private let pattern: XMLPath
    private(set) var names: [UnsafePointer<CChar>] = []
    /// The number of outermost elements that the pattern's first steps match.
    private var matched = 0
    /// For each step the name last compared with it, and whether it was right.
    private var answers: [(name: UnsafePointer<CChar>?, isRight: Bool)]

    init(_ pattern: XMLPath) {
        self.pattern = pattern
        answers = pattern.steps.map { _ in (nil, false) }
    }

    var depth: Int { names.count }

    /// The elements around the innermost, the root first.
    var outerNames: String {
        names.dropLast().map { String(cString: $0) }.joined(separator: "/")
    }

    /// Whether a record can be in or at the innermost element.
    var isOnWay: Bool { !pattern.isAnchored || matched == names.count }

    /// Opens an element; returns whether it is a record.
    mutating func open(_ name: UnsafePointer<CChar>) -> Bool {
        names.append(name)
        guard pattern.isAnchored else {
            return names.count >= pattern.steps.count
                && pattern.steps.indices.allSatisfy {
                    matches(names[names.count - pattern.steps.count + $0], step: $0)
                }
        }
        guard matched == names.count - 1, matched < pattern.steps.count,
            matches(name, step: matched)
        else { return false }
        matched += 1
        return matched == pattern.steps.count
    }

    /// Closes the innermost element.
    mutating func close() {
        names.removeLast()
        matched = min(matched, names.count)
    }

    private mutating func matches(_ name: UnsafePointer<CChar>, step: Int) -> Bool {
        guard let wanted = pattern.steps[step] else { return true }
        if answers[step].name == name { return answers[step].isRight }
        let isRight = String(cString: name) == wanted
        answers[step] = (name, isRight)
        return isRight
    }
}
