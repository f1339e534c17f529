internal import FileSystem

/// The order of a log's generations: lines of the older ones come before those of the younger ones,
/// also when several were made between two looks.
extension Rotation {
    /// What the name and the times of a file say of its place among the files of its family.
    struct Age: Comparable, Sendable {
        /// Whether it has the family's own name, which the youngest one has.
        var isOwn: Bool
        /// Whether its name is the family's with something behind it: no two of these are written
        /// at the same time.
        var isRotated: Bool
        /// When it was written to last.
        var modified: Int64
        /// When it was made.
        var created: Int64?
        var path: String

        init(_ path: String, modified: Int64, created: Int64?) {
            let name = FileSystem.name(of: path)
            let family = RotatedName.family(of: name)
            isOwn = name == family
            isRotated = !isOwn && name.hasPrefix(family)
            self.path = path
            self.modified = modified
            self.created = created
        }

        /// Notes that a younger one has its name, or will have it.
        mutating func loseName() { (isOwn, isRotated) = (false, true) }

        init(_ path: String, _ file: FileInformation) {
            self.init(path, modified: file.modified, created: file.created)
        }

        /// Whether a file was written to last before another one; `app.log.2` before `app.log.1`
        /// where times are too coarse to tell.
        static func < (left: Self, right: Self) -> Bool {
            if left.isOwn != right.isOwn { return right.isOwn }
            if left.modified != right.modified { return left.modified < right.modified }
            let (one, other) = (left.created ?? 0, right.created ?? 0)
            return one == other ? left.path > right.path : one < other
        }

        /// Whether a file was complete before a younger one was begun, so that its lines come
        /// first; those of logs that are written side by side do not wait for each other.
        func isComplete(before other: Self) -> Bool {
            guard !isRotated else { return true }
            return other.created.map { modified <= $0 } ?? false
        }
    }

    /// The files of a family that are older than what is looked at, and not decided upon.
    struct Elders {
        private var areRotated = false
        private var modified = Int64.max

        mutating func add(_ age: Age) {
            areRotated = areRotated || age.isRotated
            modified = min(modified, age.modified)
        }

        /// Whether the lines of any of them come before those of a file.
        func precede(_ age: Age) -> Bool {
            areRotated || age.created.map { modified <= $0 } ?? false
        }
    }

    /// The age of a content, as it was seen last; one without a name has lost it to a younger one.
    private func age(_ id: Int) -> Age? {
        guard let content = contents[id] else { return nil }
        var age = Age(content.path, modified: content.seenModified, created: content.node?.created)
        if !content.isNamed { age.loseName() }
        return age
    }

    /// Which contents wait for which others: each of `ids` for the youngest one of its family that
    /// is to be read, and comes before it.
    func order(of ids: Set<Int>, toRead: Set<Int>) -> [Int: Int] {
        var predecessors: [Int: Int] = [:]
        for family in Set(ids.compactMap { contents[$0].map { Self.family($0.path) } }) {
            let members = (families[family]?.ids ?? []).intersection(toRead)
                .compactMap { id in age(id).map { (id: id, age: $0) } }
                .sorted { $0.age < $1.age }
            for (place, member) in members.enumerated() where ids.contains(member.id) {
                predecessors[member.id] =
                    members[..<place].last { $0.age.isComplete(before: member.age) }?.id
            }
        }
        return predecessors
    }
}
