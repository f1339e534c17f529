internal import FileSystem

extension Rotation {
    /// The answer to a comparison.
    ///
    /// What follows for a new file is concluded when all answers are there.
    mutating func compared(
        _ node: FileNode,
        _ path: String,
        with id: Int,
        _ comparison: Comparison
    ) -> [Step] {
        guard contents[id] != nil else { return [] }
        switch comparison {
        case .same, .shorter:
            // A copy that is shorter than what was read is one in the making, or was made before
            // the last lines came: those were read from the original.
            guard isAlive(id) else {
                return adopt(node, path, id, isNamed: newcomers[node]?.isNamed ?? true)
            }
            newcomers[node]?.copyOf = id
            return []
        case .different:
            newcomers[node]?.suspects.removeAll { $0 == id }
            newcomers[node]?.others.insert(id)
            if newcomers[node]?.copyOf == id { newcomers[node]?.copyOf = nil }
            return []
        case .unclear:
            return []
        }
    }

    /// The file does not hold the content any more: it was cut off or written over.
    mutating func rewritten(_ id: Int) -> [Step] {
        guard let content = contents[id], let node = content.node else { return [] }
        contents[id]?.node = nil
        contents[id]?.isNamed = false
        carriers[node] = nil
        if names[content.path] == id { names[content.path] = nil }
        nameless.remove(id)
        let rest = adoptCopy(of: id) ?? [.search(id)]
        guard content.isNamed else { return rest }
        // What was noted before counts before what is new: the content has left the file first.
        return [.move(id)] + rest
            + [.begin(node, path: content.path, after: id)]
    }

    /// A content without a name was read to its end, and its file is let go.
    mutating func drained(_ id: Int, at now: Int64) -> [Step] {
        guard let content = contents[id], !content.isNamed else { return [] }
        contents[id]?.isDrained = true
        if let steps = adoptCopy(of: id) { return steps }
        return retire(id, at: now)
    }

    /// A content is nowhere to be found.
    mutating func notFound(_ id: Int, at now: Int64) -> [Step] {
        guard let content = contents[id], !content.isNamed else { return [] }
        return adoptCopy(of: id) ?? retire(id, at: now)
    }

    private mutating func retire(_ id: Int, at now: Int64) -> [Step] {
        guard contents[id]?.goneSince == nil else { return [] }
        contents[id]?.goneSince = now
        gone.insert(id)
        return [.retire(id)]
    }

    /// Lets a file that was found to be a copy of a content take over for it.
    mutating func adopt(
        _ node: FileNode,
        _ path: String,
        _ id: Int,
        isNamed: Bool
    ) -> [Step] {
        guard let content = contents[id] else { return [] }
        if let old = content.node { carriers[old] = nil }
        newcomers[node] = nil
        carriers[node] = id
        if isNamed { names[path] = id }
        rename(family: id, from: content.path, to: path)
        contents[id]?.node = node
        contents[id]?.path = path
        contents[id]?.isNamed = isNamed
        contents[id]?.goneSince = nil
        contents[id]?.isDrained = false
        contents[id]?.seenSize = -1
        nameless.remove(id)
        gone.remove(id)
        return [.move(id), isNamed ? .read(id) : .drain(id)]
    }

    /// The copy that was noticed while the original was in place; one that is not compressed is
    /// read faster.
    private mutating func adoptCopy(of id: Int) -> [Step]? {
        let copies = newcomers.filter { $0.value.copyOf == id }
        let best = copies.min {
            let (left, right) = (
                RotatedName.isCompressed($0.value.path), RotatedName.isCompressed($1.value.path)
            )
            return left == right ? $0.value.path < $1.value.path : right
        }
        guard let (node, newcomer) = best else { return nil }
        return adopt(node, newcomer.path, id, isNamed: newcomer.isNamed)
    }

    /// Forgets what has been gone for long, if `mayForget` agrees.
    mutating func expire(at now: Int64, _ mayForget: (Content) -> Bool) -> [Step] {
        var steps: [Step] = []
        for id in gone.sorted() {
            guard let content = contents[id], let since = content.goneSince,
                now - since >= memory, mayForget(content)
            else { continue }
            gone.remove(id)
            contents[id] = nil
            removeFamily(id, content.path)
            if let node = content.node, carriers[node] == id { carriers[node] = nil }
            if names[content.path] == id { names[content.path] = nil }
            steps.append(.forget(id))
        }
        return steps
    }
}
