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
        /// What it begins with, as far as it was read; `nil` when that is not known.
        var start: ContentStart?
    }

    /// How long a copy must rest, with its original in place, until it counts as a file of its own.
    let copyRest: Int64
    /// How long a content that is gone is remembered.
    let memory: Int64

    var contents: [Int: Content] = [:]
    var newcomers: [FileNode: Newcomer] = [:]
    /// Which of them was seen last under each name.
    var newcomerNames: [String: FileNode] = [:]
    /// Those of which the beginnings are to be read.
    var unread: Set<FileNode> = []
    var carriers: [FileNode: Int] = [:]
    var names: [String: Int] = [:]
    /// Contents that have lost their names since the last conclusion.
    var nameless: Set<Int> = []
    /// Which contents had these names until just now.
    private var formerly: [String: Int] = [:]
    var families: [String: Family] = [:]
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
        goneSince: Int64? = nil,
        start: ContentStart? = nil
    ) -> Int {
        let id = nextID
        nextID += 1
        contents[id] = Content(
            path: path,
            node: node,
            isNamed: isNamed,
            size: size,
            seenModified: modified,
            goneSince: goneSince,
            start: start
        )
        if let node {
            carriers[node] = id
            newcomers[node] = nil
        }
        families[Self.family(path), default: Family()].insert(id)
        if isNamed { names[path] = id } else if goneSince == nil { nameless.insert(id) }
        if goneSince != nil { gone.insert(id) }
        return id
    }

    /// Notes what is known of a content's beginning, which grows as it is read.
    mutating func begins(_ id: Int, _ start: ContentStart) {
        guard let content = contents[id], content.start != start else { return }
        contents[id]?.start = start
        families[Self.family(content.path)]?.startsChanged()
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
        if let other = newcomerNames[path], other != node { loseNewcomer(path) }
        if let id = carriers[node] { return seen(id, path, file, isTouched) }
        if newcomers[node] != nil {
            seen(newcomer: node, path, file, isTouched, at: now)
            return nil
        }
        guard isIncluded else { return nil }
        newcomerNames[path] = node
        unread.insert(node)
        newcomers[node] = Newcomer(
            path: path,
            family: Self.family(path),
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
            rename(family: id, from: content.path, to: path)
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
        loseNewcomer(path)
    }

    private mutating func lose(_ id: Int, _ path: String) {
        names[path] = nil
        formerly[path] = id
        guard contents[id]?.path == path else { return }
        contents[id]?.isNamed = false
        nameless.insert(id)
    }

    // MARK: Conclusions

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
        return steps + concludeNewcomers(at: now)
    }

    /// The earliest time at which waiting alone decides something; `nil` when nothing waits.
    var nextDeadline: Int64? {
        let waiting = newcomers.values.filter {
            !$0.isIgnored && !$0.isBegun && !$0.waitsForOriginal
        }
        let rests =
            waiting.filter { !$0.suspects.isEmpty || $0.isUnclear }.map { $0.changedAt + copyRest }
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
        let (before, after) = (Self.family(old), Self.family(new))
        guard before != after else { return }
        removeFamily(id, old)
        families[after, default: Family()].insert(id)
    }

    mutating func removeFamily(_ id: Int, _ path: String) {
        let family = Self.family(path)
        families[family]?.remove(id)
        if families[family]?.ids.isEmpty == true { families[family] = nil }
    }

    /// The contents with names that differ by rotation only.
    struct Family: Sendable {
        private(set) var ids: Set<Int> = []
        /// Made when it is needed.
        private var index: StartIndex<Int>?

        mutating func insert(_ id: Int) {
            ids.insert(id)
            index = nil
        }

        mutating func remove(_ id: Int) {
            ids.remove(id)
            index = nil
        }

        mutating func startsChanged() { index = nil }

        /// Those that a file with such a beginning may hold.
        mutating func similar(to beginning: Beginning, _ contents: [Int: Content]) -> [Int] {
            let index = index ?? makeIndex(contents)
            self.index = index
            return index.similar(to: beginning)
        }

        private func makeIndex(_ contents: [Int: Content]) -> StartIndex<Int> {
            var index = StartIndex<Int>()
            for id in ids.sorted() {
                let start = contents[id]?.start
                // What is written to an empty one before it is read may be anything.
                index.add(id, start?.length == 0 ? nil : start)
            }
            return index
        }
    }
}
