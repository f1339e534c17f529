/// Finds by their beginnings, among thousands, those that may be the same.
///
/// What ``ContentStart/agrees(with:)`` would say of two is asked only of those that are found here,
/// so that families of many files are not compared each with each.
struct StartIndex<Element> {
    private struct Mark: Hashable {
        var level: Int
        var hash: UInt64
    }

    private var all: [Element] = []
    /// Those that have a mark, at each of their levels.
    private var marked: [Mark: [Int]] = [:]
    /// Those whose last mark it is.
    private var ending: [Mark: [Int]] = [:]
    /// Those that are too short to have one.
    private var unmarked: [Int] = []

    /// Adds one; without a beginning it may be any.
    mutating func add(_ element: Element, _ start: ContentStart?) {
        let number = all.count
        all.append(element)
        guard let start, let last = start.marks.last else { return unmarked.append(number) }
        for (level, hash) in start.marks.enumerated() {
            marked[Mark(level: level, hash: hash), default: []].append(number)
        }
        ending[Mark(level: start.marks.count - 1, hash: last), default: []].append(number)
    }

    /// Those that a beginning may be the same as, in the order in which they were added.
    func similar(to start: ContentStart) -> [Element] {
        guard let last = start.marks.last else { return all }
        let level = start.marks.count - 1
        // Those that are as long, those that are shorter, and those of which nothing is known.
        var found = unmarked + (marked[Mark(level: level, hash: last)] ?? [])
        for (shorter, hash) in start.marks.dropLast().enumerated() {
            found += ending[Mark(level: shorter, hash: hash)] ?? []
        }
        return found.sorted().map { all[$0] }
    }
}
