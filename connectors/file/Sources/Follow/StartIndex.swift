/// What a file begins with that may be a copy of another one.
struct Beginning: Sendable {
    /// Of its first bytes, up to the limit.
    let start: ContentStart
    /// The hashes of its first 1, 2, 3 … bytes, for contents that are too short to have marks.
    fileprivate let short: [UInt64]

    init(_ bytes: [UInt8]) {
        start = ContentStart(bytes)
        let most = min(bytes.count, ContentStart.least - 1)
        short = most == 0 ? [] : (1...most).map { ContentStart(Array(bytes.prefix($0))).hash }
    }
}

/// Finds by their beginnings, among thousands, what may hold the same content: contents that a file
/// may hold, or files that a content may be in.
///
/// What ``ContentStart/agrees(with:)-([UInt8])`` would say of two is asked only of those that are
/// found here, so that families of many files are not compared each with each.
struct StartIndex<Element> {
    private struct Mark: Hashable, Sendable {
        var level: Int
        var hash: UInt64
    }

    private var all: [Element] = []
    /// Those that have a mark, at each of their levels.
    private var marked: [Mark: [Int]] = [:]
    /// Those whose last mark it is.
    private var ending: [Mark: [Int]] = [:]
    /// Those that are too short to have one, by their lengths.
    private var short: [Mark: [Int]] = [:]
    /// Those that may be any.
    private var unknown: [Int] = []

    /// Adds a content; without a start it may be any, and one of no bytes is none.
    mutating func add(_ element: Element, _ start: ContentStart?) {
        let number = all.count
        guard let start else {
            all.append(element)
            return unknown.append(number)
        }
        guard start.length > 0 else { return }
        all.append(element)
        if start.length < ContentStart.least {
            short[Mark(level: start.length, hash: start.hash), default: []].append(number)
        } else if start.marks.isEmpty {
            // What was noted before there were marks.
            unknown.append(number)
        } else {
            add(number, start.marks)
        }
    }

    /// Adds a file; without a beginning it may hold anything.
    mutating func add(_ element: Element, _ beginning: Beginning?) {
        let number = all.count
        all.append(element)
        guard let beginning else { return unknown.append(number) }
        for (length, hash) in beginning.short.enumerated() {
            short[Mark(level: length + 1, hash: hash), default: []].append(number)
        }
        add(number, beginning.start.marks)
    }

    private mutating func add(_ number: Int, _ marks: [UInt64]) {
        guard let last = marks.last else { return }
        for (level, hash) in marks.enumerated() {
            marked[Mark(level: level, hash: hash), default: []].append(number)
        }
        ending[Mark(level: marks.count - 1, hash: last), default: []].append(number)
    }

    /// The contents that a file may hold, or be the beginning of, in the order of their adding.
    ///
    /// Of one that is shorter than 16 bytes nothing is said of longer contents.
    func similar(to beginning: Beginning) -> [Element] {
        var found = unknown + similar(beginning.start.marks)
        for (length, hash) in beginning.short.enumerated() {
            found += short[Mark(level: length + 1, hash: hash)] ?? []
        }
        return found.sorted().map { all[$0] }
    }

    /// The files that a content may be in, in the order of their adding.
    ///
    /// Of those that are shorter than 16 bytes only such are found as are not shorter than it.
    func similar(to start: ContentStart) -> [Element] {
        guard start.length > 0 else { return [] }
        if start.length < ContentStart.least {
            let found = short[Mark(level: start.length, hash: start.hash)] ?? []
            return (unknown + found).sorted().map { all[$0] }
        }
        guard !start.marks.isEmpty else { return all }
        return (unknown + similar(start.marks)).sorted().map { all[$0] }
    }

    private func similar(_ marks: [UInt64]) -> [Int] {
        guard let last = marks.last else { return [] }
        // Those that are as long or longer, and those that are shorter.
        var found = marked[Mark(level: marks.count - 1, hash: last)] ?? []
        for (level, hash) in marks.dropLast().enumerated() {
            found += ending[Mark(level: level, hash: hash)] ?? []
        }
        return found
    }
}

extension StartIndex: Sendable where Element: Sendable {}
