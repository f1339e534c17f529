internal import FileSystem

/// What becomes of new files.
///
/// A new file is a log of its own, or holds what is known: a copy, or compressed. It is decided
/// upon by these rules, so that no line is lost (D6) and none comes twice (D2):
///
/// 1. One that begins like no content of its family is begun. It waits for the older new files of
///    its family first, so that their lines come before its own (D5); after ``copyRest`` it does
///    not, for these may be no logs.
/// 2. One that begins like contents is compared with them when what there is of them was read; one
///    of which nothing was read, but something will be, may begin like any.
///    Where one of them is gone it takes over; of one in place it is a copy, and waits.
/// 3. A compressed one waits as long as a plain one that begins like it is new: it may be made of
///    that, whatever both are called by now and whether or not that has a name. Then it is compared
///    with it by rule 2. So the two are never begun side by side, and their lines come once.
/// 4. One that loses its name is decided upon like the others, for it is open since it was seen;
///    and it may be the plain one of rule 3. What is known to be a copy is let go.
/// 5. As long as its beginning cannot be told, it may be any; but not for longer than ``copyRest``
///    after its last change.
extension Rotation {
    /// A file that may turn out to be a copy of a known content.
    struct Newcomer: Sendable {
        var path: String
        /// The path that the log itself has.
        var family: String
        var size: Int64
        /// What its name and times say of its place among the generations of its family.
        var age: Age
        /// When it was seen first, in milliseconds.
        var seenAt: Int64
        /// When it changed last, as seen here, in milliseconds.
        var changedAt: Int64
        /// What it begins with, decompressed; `nil` when that is not known.
        var beginning: Beginning?
        /// The contents that it may hold.
        var suspects: [Int] = []
        /// Contents that it does not hold, though it begins like them.
        var others: Set<Int> = []
        var needsComparison = true
        /// Whether it is too short to be told from contents of its family.
        var isUnclear = false
        /// The content that it is a copy of, while the original is still in place.
        var copyOf: Int?
        /// Whether it is known to hold nothing that is to be read.
        var isIgnored = false
        /// The content that had its name before.
        var follows: Int?
        /// Whether it waits for older ones to be decided upon.
        var isHeld = false
        /// Whether it waits for what it may be made of.
        var waitsForOriginal = false
        /// Whether a name leads to it.
        var isNamed = true
        /// Whether it was said that it is to be begun.
        var isBegun = false

        /// Whether it is still to be found out if its lines are to be read.
        var isUndecided: Bool { !isIgnored && copyOf == nil }
        fileprivate var isCompressed: Bool { RotatedName.isCompressed(path) }
    }

    /// The new files of a pass that others may be made of.
    private struct Originals {
        private var families: [String: StartIndex<FileNode>] = [:]
        /// The families with one that may be anything.
        private var unknown: Set<String> = []

        init(_ waiting: [(key: FileNode, value: Newcomer)]) {
            let compressed = Set(
                waiting.filter { $0.value.isCompressed && $0.value.isUndecided }.map(\.value.family)
            )
            guard !compressed.isEmpty else { return }
            for (node, newcomer) in waiting where newcomer.isUndecided && !newcomer.isCompressed {
                let family = newcomer.family
                guard compressed.contains(family) else { continue }
                if newcomer.beginning == nil { unknown.insert(family) }
                families[family, default: StartIndex()].add(node, newcomer.beginning?.start)
            }
        }

        /// Whether a compressed file may be made of one of them; `nil` when that cannot be told.
        func has(of newcomer: Newcomer) -> Bool? {
            let family = newcomer.family
            guard let index = families[family] else { return false }
            guard let beginning = newcomer.beginning else { return nil }
            if index.similar(to: beginning).isEmpty { return false }
            return unknown.contains(family) ? nil : true
        }
    }

    // MARK: What was seen

    /// Notes what a new file begins with, and how long it is.
    mutating func begins(
        _ node: FileNode,
        _ beginning: Beginning?,
        size: Int64,
        at now: Int64
    ) {
        guard var newcomer = newcomers[node] else { return }
        newcomer.beginning = beginning
        if newcomer.size != size {
            newcomer.size = size
            newcomer.changedAt = now
            newcomer.needsComparison = !newcomer.isIgnored
        }
        newcomers[node] = newcomer
    }

    /// Whether more of a beginning may have been written since it was noted.
    func isShort(_ node: FileNode) -> Bool {
        guard let newcomer = newcomers[node], newcomer.isUndecided, !newcomer.isCompressed else {
            return false
        }
        return (newcomer.beginning?.start.length ?? 0) < ContentStart.limit
    }

    /// A newcomer was seen again.
    mutating func seen(
        newcomer node: FileNode,
        _ path: String,
        _ file: FileInformation,
        _ isTouched: Bool,
        at now: Int64
    ) {
        guard var newcomer = newcomers[node] else { return }
        if newcomer.size != file.size || isTouched {
            newcomer.size = file.size
            newcomer.changedAt = now
            newcomer.needsComparison = !newcomer.isIgnored
            unread.insert(node)
        }
        newcomer.path = path
        newcomer.family = Self.family(path)
        newcomer.isNamed = true
        newcomer.age = Age(path, file)
        newcomers[node] = newcomer
        newcomerNames[path] = node
    }

    /// A name does not lead to a new file any more.
    mutating func loseNewcomer(_ path: String) {
        guard let node = newcomerNames.removeValue(forKey: path),
            let newcomer = newcomers[node], newcomer.path == path
        else { return }
        if newcomer.isIgnored {
            newcomers[node] = nil
            return
        }
        newcomers[node]?.isNamed = false
        newcomers[node]?.age.loseName()
        unread.insert(node)
    }

    /// The new files of which the beginnings are to be read, since they are new or have changed.
    mutating func takeUnread() -> [FileNode] {
        defer { unread.removeAll() }
        if newcomerNames.count > 2 * newcomers.count + 16 {
            newcomerNames = newcomerNames.filter { newcomers[$0.value] != nil }
        }
        return unread.filter { newcomers[$0] != nil }
    }

    // MARK: Conclusions

    /// Whether there are files of which it is not decided whether they are to be read.
    var hasUndecided: Bool { newcomers.values.contains(where: \.isUndecided) }

    /// What follows for the new files.
    mutating func concludeNewcomers(at now: Int64) -> [Step] {
        var steps: [Step] = []
        // The older ones first, so that a younger one can wait for them.
        let waiting = newcomers.filter { !$0.value.isIgnored && !$0.value.isBegun }
            .sorted { $0.value.age < $1.value.age }
        var undecided: [String: Elders] = [:]
        let originals = Originals(waiting)
        for (node, newcomer) in waiting {
            newcomers[node]?.waitsForOriginal = false
            if waitsForOriginal(newcomer, originals, at: now) {
                newcomers[node]?.waitsForOriginal = true
                continue
            }
            let family = newcomer.family
            // It does not wait for ever: what comes before it may not be a log at all.
            let isHeld =
                undecided[family]?.precede(newcomer.age) == true && newcomer.copyOf == nil
                && now - newcomer.seenAt < copyRest
            newcomers[node]?.isHeld = isHeld
            if let newcomer = newcomers[node] { steps += conclude(node, newcomer, at: now) }
            if let newcomer = newcomers[node], newcomer.isUndecided, !newcomer.isBegun {
                undecided[family, default: Elders()].add(newcomer.age)
            }
        }
        return steps
    }

    private func waitsForOriginal(
        _ newcomer: Newcomer,
        _ originals: Originals,
        at now: Int64
    ) -> Bool {
        guard newcomer.isCompressed, newcomer.copyOf == nil else { return false }
        return originals.has(of: newcomer) ?? (now - newcomer.changedAt < copyRest)
    }

    private mutating func conclude(
        _ node: FileNode,
        _ given: Newcomer,
        at now: Int64
    ) -> [Step] {
        var newcomer = given
        var isResting: Bool { now - newcomer.changedAt < copyRest }
        if newcomer.size == 0, newcomer.isCompressed || !newcomer.isNamed {
            // The first bytes say whether it is compressed at all.
            (newcomer.suspects, newcomer.isUnclear) = ([], false)
            newcomers[node] = newcomer.isNamed ? newcomer : nil
            return []
        }
        if !newcomer.isNamed, let original = newcomer.copyOf {
            // What is in it is read elsewhere, or will have been when the original is read.
            if !isResting || !isUnread(original) { newcomers[node] = nil }
            return []
        }
        let suspects = suspects(newcomer)
        if !Set(suspects).isSubset(of: newcomer.suspects) {
            // What it waited for has been begun, and is still to be read.
            newcomer.needsComparison = true
            newcomer.changedAt = now
        }
        newcomer.suspects = suspects
        newcomer.isUnclear = newcomer.copyOf == nil && isUnclear(newcomer)
        newcomers[node] = newcomer
        if let original = newcomer.copyOf, isOutgrown(original, by: newcomer) {
            return [begin(node)]
        }
        if newcomer.needsComparison, !suspects.isEmpty {
            // What was not read yet of a content that is in place cannot be recognised in a copy.
            if isResting, suspects.contains(where: isUnread) { return [] }
            newcomers[node]?.needsComparison = false
            return [.compare(node, path: newcomer.path, with: suspects)]
        }
        if newcomer.isHeld { return [] }
        guard !suspects.isEmpty || newcomer.isUnclear else { return [begin(node)] }
        if isResting { return [] }
        if newcomer.copyOf != nil, newcomer.isCompressed {
            // Nobody writes a log of its own into a compressed copy.
            newcomers[node]?.isIgnored = true
            return []
        }
        return [begin(node)]
    }

    private func isUnread(_ id: Int) -> Bool { isAlive(id) && contents[id]?.isCurrent == false }

    /// Whether a copy is longer than its original, which is still in place: then it has a life of
    /// its own.
    private func isOutgrown(_ id: Int, by newcomer: Newcomer) -> Bool {
        guard isAlive(id), let content = contents[id], content.isNamed, content.isCurrent,
            !newcomer.isCompressed
        else { return false }
        return newcomer.size > content.size
    }

    private mutating func begin(_ node: FileNode) -> Step {
        newcomers[node]?.isBegun = true
        let newcomer = newcomers[node]
        return .begin(node, path: newcomer?.path ?? "", after: newcomer?.follows)
    }

    // MARK: Suspects

    /// The contents that a new file may hold, by its name and its beginning.
    private mutating func suspects(_ newcomer: Newcomer) -> [Int] {
        guard mayBeCopy(newcomer), let beginning = newcomer.beginning else { return [] }
        return families[newcomer.family]?.similar(to: beginning, contents)
            .filter { isSuspect($0, newcomer) } ?? []
    }

    /// Whether a new file begins like no content that is known.
    mutating func isLikeNone(_ node: FileNode) -> Bool {
        guard let newcomer = newcomers[node] else { return false }
        return suspects(newcomer).isEmpty && !isUnclear(newcomer)
    }

    /// Rotation copies to a longer name: what has the family's own name is the original.
    private func mayBeCopy(_ newcomer: Newcomer) -> Bool {
        newcomer.isCompressed || newcomer.path != newcomer.family
    }

    private func isSuspect(_ id: Int, _ newcomer: Newcomer) -> Bool {
        guard let content = contents[id], content.path != newcomer.path,
            !newcomer.others.contains(id), content.start?.length != 0 || isUnread(id)
        else { return false }
        // A compressed file in place is a copy itself, perhaps of what has no name any more.
        return !newcomer.isNamed || !content.isNamed || !RotatedName.isCompressed(content.path)
    }

    /// Whether there is a content that a new file may hold, or not, for all that is known.
    private func isUnclear(_ newcomer: Newcomer) -> Bool {
        guard mayBeCopy(newcomer) else { return false }
        let length = newcomer.beginning?.start.length ?? 0
        guard length < ContentStart.least else { return false }
        return families[newcomer.family]?.ids.contains { id in
            let other = contents[id]?.start?.length ?? .max
            return other > length && isSuspect(id, newcomer)
        } ?? false
    }
}
