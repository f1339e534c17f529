internal import FileSystem

/// Decides which file holds which content, however files are rotated.
///
/// A *content* is what a writer wrote under one name until the name was rotated. It stays the same
/// content when its file is renamed, and when it goes on in a copy or a compressed file. A value:
/// it is told what was seen of the file system, and answers with what is to be done. (STYLE: decide
/// purely, act elsewhere)
struct Rotation {
    /// What is to be done.
    enum Step: Hashable, Sendable {
        /// A new content: start to follow it, from its beginning when it takes the place of another
        /// one, and when that has been read.
        case begin(FileNode, path: String, after: Int?)
        /// There may be more of a content to be read.
        case read(Int)
        /// A content's file has no name any more: what is still open of it is read to its end.
        case drain(Int)
        /// A content is in no file that is known: look for it beside where it was.
        case search(Int)
        /// Compare a new file with contents that it may be a copy of.
        case compare(FileNode, path: String, with: [Int])
        /// A content is in another file now.
        case move(Int)
        /// A content is nowhere, and was noted to be.
        case retire(Int)
        /// A content has been gone for long enough.
        case forget(Int)
    }

    /// What a comparison of a file with a content says.
    enum Comparison: Sendable {
        /// The file begins with all that was read of the content.
        case same
        /// The file ends before the place, and agrees as far as it goes.
        case shorter
        case different
        /// It cannot be told yet: too short, or not completely written.
        case unclear
    }

    /// What is known of a content.
    struct Content: Sendable {
        var path: String
        var node: FileNode?
        /// Whether a name leads to the file.
        var isNamed: Bool
        /// The most bytes that were seen.
        var size: Int64
        /// The size and time of the last change, when last looked at.
        var seenSize: Int64 = -1
        var seenModified: Int64 = -1
        /// Whether it has been read to its end since something happened to it.
        var isCurrent = false
        /// When it was found missing, in milliseconds.
        var goneSince: Int64?
        var isDrained = false
    }

    /// A file that may turn out to be a copy of a known content.
    struct Newcomer: Sendable {
        var path: String
        var size: Int64
        /// What its name and times say of its place among the generations of its family.
        var age: Age
        /// When it was seen first, in milliseconds.
        var seenAt: Int64
        /// When it changed last, as seen here, in milliseconds.
        var changedAt: Int64
        var suspects: [Int] = []
        var needsComparison = true
        /// The content that it is a copy of, while the original is still in place.
        var copyOf: Int?
        /// Whether it is known to hold nothing that is to be read.
        var isIgnored = false
        /// The content that had its name before.
        var follows: Int?
        /// Whether it waits for older ones to be decided upon.
        var isHeld = false

        /// Whether it is still to be found out if its lines are to be read.
        var isUndecided: Bool { !isIgnored && copyOf == nil }
    }

    /// How long a copy must rest, with its original in place, until it counts as a file of its own.
    let copyRest: Int64
    /// How long a content that is gone is remembered.
    let memory: Int64

    var contents: [Int: Content] = [:]
    var newcomers: [FileNode: Newcomer] = [:]
    var carriers: [FileNode: Int] = [:]
    var names: [String: Int] = [:]
    /// Contents that have lost their names since the last conclusion.
    var nameless: Set<Int> = []
    /// Which contents had these names until just now.
    private var formerly: [String: Int] = [:]
    var families: [String: Set<Int>] = [:]
    /// The contents that are gone.
    var gone: Set<Int> = []
    private var nextID = 0

    init(copyRest: Int64, memory: Int64) {
        self.copyRest = copyRest
        self.memory = memory
    }

    // MARK: Contents

    /// Takes over a content that was known before, or one that was begun.
    ///
    /// It is named when its path was seen to lead to it just now.
    mutating func add(
        path: String,
        node: FileNode?,
        size: Int64,
        isNamed: Bool,
        modified: Int64 = -1,
        goneSince: Int64? = nil
    ) -> Int {
        let id = nextID
        nextID += 1
        contents[id] = Content(
            path: path,
            node: node,
            isNamed: isNamed,
            size: size,
            seenModified: modified,
            goneSince: goneSince
        )
        if let node {
            carriers[node] = id
            newcomers[node] = nil
        }
        families[Self.family(path), default: []].insert(id)
        if isNamed { names[path] = id } else if goneSince == nil { nameless.insert(id) }
        if goneSince != nil { gone.insert(id) }
        return id
    }

    /// Notes that a file still holds a content, how much of it there is, and whether all of that
    /// was read.
    mutating func confirmed(_ id: Int, size: Int64, isRead: Bool) {
        guard let content = contents[id] else { return }
        contents[id]?.size = max(size, content.size)
        if isRead { contents[id]?.isCurrent = true }
    }

    /// Whether a content is where it can be read, or was when last looked.
    func isAlive(_ id: Int) -> Bool {
        guard let content = contents[id] else { return false }
        return content.node != nil && content.goneSince == nil && !content.isDrained
    }

    // MARK: What was seen

    /// A path leads to a file.
    ///
    /// It is included when the configuration asks for files of this name, and touched when something
    /// is known to have happened to it.
    mutating func found(
        _ path: String,
        _ file: FileInformation,
        isIncluded: Bool,
        isTouched: Bool,
        at now: Int64
    ) -> Step? {
        let node = FileNode(file)
        let before = names[path]
        if let before, contents[before]?.node != node { lose(before, path) }
        if let id = carriers[node] { return seen(id, path, file, isTouched) }
        if var newcomer = newcomers[node] {
            if newcomer.size != file.size || isTouched {
                newcomer.size = file.size
                newcomer.changedAt = now
                newcomer.needsComparison = !newcomer.isIgnored
            }
            newcomer.path = path
            newcomer.age = Age(path, file)
            newcomers[node] = newcomer
            return nil
        }
        guard isIncluded else { return nil }
        newcomers[node] = Newcomer(
            path: path,
            size: file.size,
            age: Age(path, file),
            seenAt: now,
            changedAt: now,
            follows: before ?? formerly[path]
        )
        return nil
    }

    private mutating func seen(
        _ id: Int,
        _ path: String,
        _ file: FileInformation,
        _ isTouched: Bool
    ) -> Step? {
        guard var content = contents[id] else { return nil }
        if content.isNamed, content.path != path, names[content.path] == id {
            // A second name of the same file, or the old name is gone and will be missed.
            names[content.path] = nil
            formerly[content.path] = id
        }
        if content.path != path {
            families[Self.family(content.path)]?.remove(id)
            families[Self.family(path), default: []].insert(id)
            content.path = path
        }
        names[path] = id
        nameless.remove(id)
        gone.remove(id)
        let isBack = content.goneSince != nil || content.isDrained
        content.isNamed = true
        content.goneSince = nil
        content.isDrained = false
        let isChanged =
            content.seenSize != file.size || content.seenModified != file.modified
        content.seenSize = file.size
        content.seenModified = file.modified
        let isNews = isTouched || isChanged || isBack
        if isNews { content.isCurrent = false }
        contents[id] = content
        return isNews ? .read(id) : nil
    }

    /// A path leads nowhere.
    mutating func missing(_ path: String) {
        if let id = names[path] { lose(id, path) }
        for (node, newcomer) in newcomers where newcomer.path == path { newcomers[node] = nil }
    }

    /// Names that lead to contents, and were not seen when all were looked at.
    mutating func missingAll(but seen: Set<String>) {
        for path in names.keys where !seen.contains(path) { missing(path) }
    }

    private mutating func lose(_ id: Int, _ path: String) {
        names[path] = nil
        formerly[path] = id
        guard contents[id]?.path == path else { return }
        contents[id]?.isNamed = false
        nameless.insert(id)
    }

    // MARK: Conclusions

    /// Whether there are files of which it is not decided whether they are to be read.
    var hasUndecided: Bool { newcomers.values.contains(where: \.isUndecided) }

    /// Everything that happened together has been told: what follows from it.
    mutating func conclude(at now: Int64) -> [Step] {
        var steps: [Step] = []
        for id in nameless.sorted() {
            guard let content = contents[id], !content.isNamed else { continue }
            contents[id]?.isCurrent = false
            steps.append(content.node == nil ? .search(id) : .drain(id))
        }
        nameless.removeAll()
        formerly.removeAll()
        let waiting = newcomers.filter { !$0.value.isIgnored }
        // The older ones first, so that a younger one can wait for them.
        var undecided: [String: Elders] = [:]
        let plain = Set(waiting.values.filter(\.isUndecided).map(\.path))
        for (node, newcomer) in waiting.sorted(by: { $0.value.age < $1.value.age }) {
            if isOriginal(of: newcomer, among: plain), now - newcomer.seenAt < copyRest {
                newcomers[node]?.isHeld = true
                continue
            }
            let family = Self.family(newcomer.path)
            // It does not wait for ever: what comes before it may not be a log at all.
            let isHeld =
                undecided[family]?.precede(newcomer.age) == true && newcomer.copyOf == nil
                && now - newcomer.seenAt < copyRest
            newcomers[node]?.isHeld = isHeld
            if !isHeld, let newcomer = newcomers[node] {
                steps += conclude(node, newcomer, at: now)
            }
            if newcomers[node]?.isUndecided == true {
                undecided[family, default: Elders()].add(newcomer.age)
            }
        }
        return steps
    }

    private mutating func conclude(
        _ node: FileNode,
        _ newcomer: Newcomer,
        at now: Int64
    ) -> [Step] {
        // The first bytes say whether it is compressed at all.
        if newcomer.size == 0, RotatedName.isCompressed(newcomer.path) { return [] }
        var newcomer = newcomer
        if newcomer.suspects.isEmpty { newcomer.suspects = suspects(newcomer) }
        newcomer.suspects.removeAll { contents[$0] == nil }
        guard !newcomer.suspects.isEmpty else { return [begin(node, newcomer)] }
        if let original = newcomer.copyOf, isOutgrown(original, by: newcomer) {
            return [begin(node, newcomer)]
        }
        if newcomer.needsComparison {
            // What was not read yet of a content that is in place cannot be recognised in a copy.
            let isUnread = newcomer.suspects.contains {
                isAlive($0) && contents[$0]?.isCurrent == false
            }
            newcomers[node] = newcomer
            if isUnread, now - newcomer.changedAt < copyRest { return [] }
            newcomer.needsComparison = false
            newcomers[node] = newcomer
            return [.compare(node, path: newcomer.path, with: newcomer.suspects)]
        }
        guard now - newcomer.changedAt >= copyRest else { return [] }
        if newcomer.copyOf != nil, RotatedName.isCompressed(newcomer.path) {
            // Nobody writes a log of its own into a compressed copy.
            newcomers[node]?.isIgnored = true
            return []
        }
        return [begin(node, newcomer)]
    }

    /// Whether a new file is compressed and what it is made of is new as well: it can be compared
    /// with that only when that has been begun.
    private func isOriginal(of newcomer: Newcomer, among plain: Set<String>) -> Bool {
        guard newcomer.copyOf == nil, let name = RotatedName.original(of: newcomer.path) else {
            return false
        }
        return plain.contains(String(name))
    }

    /// Whether a copy is longer than its original, which is still in place: then it has a life of
    /// its own.
    func isOutgrown(_ id: Int, by newcomer: Newcomer) -> Bool {
        guard isAlive(id), let content = contents[id], content.isNamed, content.isCurrent,
            !RotatedName.isCompressed(newcomer.path)
        else { return false }
        return newcomer.size > content.size
    }

    mutating func begin(_ node: FileNode, _ newcomer: Newcomer) -> Step {
        newcomers[node] = nil
        return .begin(node, path: newcomer.path, after: newcomer.follows)
    }

    /// The contents that a new file may be a copy of, by their names.
    private func suspects(_ newcomer: Newcomer) -> [Int] {
        let name = FileSystem.name(of: newcomer.path)
        let isCompressed = RotatedName.isCompressed(name)
        // Rotation copies to a longer name: what has the family's own name is the original.
        guard isCompressed || RotatedName.family(of: name) != name else { return [] }
        let related = families[Self.family(newcomer.path)] ?? []
        return related.filter { id in
            guard let content = contents[id] else { return false }
            let isCopyOfCopy = RotatedName.isCompressed(content.path) && content.isNamed
            return !isCopyOfCopy && content.path != newcomer.path
        }
    }

    /// The earliest time at which waiting alone decides something; `nil` when nothing waits.
    var nextDeadline: Int64? {
        let waiting = newcomers.values.filter { !$0.isIgnored }
        let rests =
            waiting.filter { !$0.suspects.isEmpty }.map { $0.changedAt + copyRest }
            + waiting.filter(\.isHeld).map { $0.seenAt + copyRest }
        let memories = gone.compactMap { contents[$0]?.goneSince }.map { $0 + memory }
        return (rests + memories).min()
    }

    static func family(_ path: String) -> String {
        FileSystem.join(
            FileSystem.directory(of: path),
            RotatedName.family(of: FileSystem.name(of: path))
        )
    }

    mutating func rename(family id: Int, from old: String, to new: String) {
        families[Self.family(old)]?.remove(id)
        families[Self.family(new), default: []].insert(id)
    }

    mutating func removeFamily(_ id: Int, _ path: String) {
        let family = Self.family(path)
        families[family]?.remove(id)
        if families[family]?.isEmpty == true { families[family] = nil }
    }
}
