internal import ConnectorSDK
internal import FileSystem
internal import Logging

extension FileFollower {
    /// Looks for everything that the patterns match, and watches where it may come.
    func lookAtAll(touched: Set<String>) async throws(ConnectorError) {
        var found = walk()
        // What is made between the look and the watch would be missed.
        if watchDirectories(found.directories) {
            found = walk()
            _ = watchDirectories(found.directories)
        }
        watch?.keepOnly(found.directories)
        var paths = Set<String>()
        var nodes = Set<FileNode>()
        var steps: [Rotation.Step] = []
        for file in found.files where isIncluded(file.path) {
            // A file of several names is one file.
            guard nodes.insert(FileNode(file.information)).inserted else { continue }
            paths.insert(file.path)
            let step = rotation.found(
                file.path,
                file.information,
                isIncluded: true,
                isTouched: touched.contains(file.path),
                at: now()
            )
            if let step { steps.append(step) }
        }
        // Known names that no pattern matches, such as those of rotated files.
        for path in rotation.names.keys where !paths.contains(path) {
            if let step = try look(path, isTouched: touched.contains(path)) { steps.append(step) }
            paths.insert(path)
        }
        // Those of new files that are gone, too.
        let others = touched.union(rotation.newcomerNames.keys).subtracting(paths)
        for path in others {
            let isTouched = touched.contains(path)
            if let step = try look(path, isTouched: isTouched) { steps.append(step) }
        }
        steps += try lookAgainWhileMoved()
        try await conclude(after: steps)
    }

    /// Looks at some paths that something has happened to.
    func lookAt(_ paths: Set<String>) async throws(ConnectorError) {
        var steps: [Rotation.Step] = []
        for path in paths {
            if let step = try look(path, isTouched: true) { steps.append(step) }
        }
        steps += try lookAgainWhileMoved()
        try await conclude(after: steps)
    }

    /// How often it is looked again before new files are decided upon.
    private static let looks = 10

    /// Looks at what has changed while it was looked, until no file was moved meanwhile.
    ///
    /// A new file is seen; before it was made, the one before it was moved from a name that is not
    /// looked at any more to one that was looked at before. Neither is its rest known, then, nor
    /// perhaps itself; but both have been noted by the kernel before the new file was seen.
    private func lookAgainWhileMoved() throws(ConnectorError) -> [Rotation.Step] {
        var steps: [Rotation.Step] = []
        guard let watch, rotation.hasUndecided else { return steps }
        for _ in 0..<Self.looks {
            let changes = watch.take()
            if changes.isIncomplete { lookAtAllNext() }
            for path in changes.paths {
                if let step = try look(path, isTouched: true) { steps.append(step) }
            }
            if !changes.hasMoves { break }
        }
        return steps
    }

    private func look(_ path: String, isTouched: Bool) throws(ConnectorError) -> Rotation.Step? {
        let information = try reportingToEngine { () throws(FileSystemError) in
            try FileInformation.of(path)
        }
        guard let information, information.kind == .regular else {
            rotation.missing(path)
            return nil
        }
        return rotation.found(
            path,
            information,
            isIncluded: isIncluded(path) && matches(path),
            isTouched: isTouched,
            at: now()
        )
    }

    /// Whether a path, which a pattern matches, is this task's and not excluded.
    private func isIncluded(_ path: String) -> Bool {
        isOwn(path) && !settings.exclude.contains { $0.matches(path) }
    }

    private func matches(_ path: String) -> Bool {
        settings.include.contains { $0.matches(path) }
    }

    private func walk() -> (files: [DirectoryWalk.File], directories: Set<String>) {
        var walk = DirectoryWalk()
        var files = walk.files(settings.include)
        for problem in walk.problems { warn(problem, "cannot look for files") }
        files.sort { ($0.information.modified, $0.path) < ($1.information.modified, $1.path) }
        let known = files.isEmpty ? [] : rotation.names.keys.map(FileSystem.directory(of:))
        return (files, walk.directories.union(known))
    }

    /// - Returns: whether there were directories among them that were not watched.
    private func watchDirectories(_ directories: Set<String>) -> Bool {
        guard let watch else { return false }
        var isNew = false
        for directory in directories {
            do throws(FileSystemError) {
                if try watch.add(directory) { isNew = true }
            } catch {
                if !error.isNotFound { warn(error, "changes of files are not noticed at once") }
            }
        }
        return isNew
    }

    func warn(_ error: FileSystemError, _ message: String) {
        guard hasWarned.insert(error.operation + error.path).inserted else { return }
        context.logger.warning(
            "\(message)",
            metadata: ["path": "\(error.path)", "error": "\(error.connectorError.message)"]
        )
    }
}

// MARK: - Steps

extension FileFollower {
    /// Does what has been decided, and what follows from it.
    func perform(_ steps: [Rotation.Step]) async throws(ConnectorError) {
        listings.removeAll()
        moving.removeAll()
        var queue = Array(steps.reversed())
        while let step = queue.popLast() {
            if outlet.isStopping { return }
            // What follows from a step comes before the next one: a rest before what is new.
            queue += try await perform(step).reversed()
        }
    }

    private func perform(_ step: Rotation.Step) async throws(ConnectorError) -> [Rotation.Step] {
        context.logger.debug("follow", metadata: ["step": "\(step)"])
        switch step {
        case .begin(let node, let path, let previous):
            return try await begin(node, path, after: previous)
        case .read(let id):
            ready.insert(id)
        case .drain(let id):
            guard let file = files[id] else { break }
            guard file.file != nil || file.archive != nil else { return try search(id) }
            file.drainingSince = now()
            draining.insert(id)
            ready.insert(id)
        case .search(let id): return try search(id)
        case .compare(let node, let path, let ids): return try compare(node, path, with: ids)
        case .move(let id): try await move(id)
        case .retire(let id): try await retire(id)
        case .forget(let id):
            guard let file = files.removeValue(forKey: id) else { break }
            close(file)
            partitions.remove(file.partition)
            try await outlet.forget(file.partition)
        }
        return []
    }

    /// Starts to follow a new content.
    ///
    /// - Returns: what follows where its file has no name any more.
    func begin(
        _ node: FileNode,
        _ path: String,
        after previous: Int?
    ) async throws(ConnectorError) -> [Rotation.Step] {
        guard rotation.carriers[node] == nil,
            let (file, information, bytes) = openNew(node, path)
        else { return [] }
        let isNamed = rotation.newcomers[node]?.isNamed ?? true
        var position = FollowPosition(path: path, node: node)
        if isFirstLook, previous == nil, follow.readFrom == .end {
            if isCompressed(bytes) {
                position.error = Self.skipped
            } else {
                position.place.byte = try lastLine(of: file, information.size)
                position.place.line = position.place.byte == 0 ? 1 : 0
                position.end = try endMark(of: file, before: position.place.byte)
            }
        }
        position.size = information.size
        if !isCompressed(bytes) { position.start = ContentStart(bytes) }
        let id = rotation.add(
            path: path,
            node: node,
            size: information.size,
            isNamed: isNamed,
            modified: information.modified,
            start: position.start
        )
        held[node] = nil
        let followed = makeFile(id, partition(node, bytes), position)
        followed.predecessor = previous.flatMap { ready.contains($0) ? $0 : nil }
        unplaced.insert(id)
        if context.untilEnd { followed.goal = information.size }
        files[id] = followed
        keepOpen(followed, file)
        followed.isVerified = true
        if isCompressed(bytes) {
            followed.archive = try ArchiveReading(file, ArchiveReading.kind(bytes))
            followed.goal = nil
        }
        // So that it is known again when it has another name by then.
        try await outlet.advance(to: followed.stored)
        ready.insert(id)
        return isNamed ? [] : [.drain(id)]
    }

    /// Opens a file that is to be begun, and reads its first bytes; `nil` when it is not there.
    private func openNew(
        _ node: FileNode,
        _ path: String
    ) -> (file: OpenFile, information: FileInformation, start: [UInt8])? {
        let family = Rotation.family(path)
        // The one before it has moved on meanwhile, and must be found first.
        guard !moving.contains(family) else {
            rotation.newcomers[node]?.isBegun = false
            lookAgain.insert(path)
            return nil
        }
        do throws(FileSystemError) {
            let isNamed = rotation.newcomers[node]?.isNamed ?? true
            if let file = isNamed ? try OpenFile(path, .reading) : held[node] {
                let information = try file.information()
                if information.kind == .regular, FileNode(information) == node {
                    return (file, information, try file.bytes(at: 0, count: ContentStart.limit))
                }
            }
        } catch {
            guard error.isNotFound else {
                warn(error, "cannot follow a file")
                rotation.newcomers[node] = nil
                return nil
            }
        }
        rotation.newcomers[node]?.isBegun = false
        moving.insert(family)
        lookAgain.insert(path)
        return nil
    }

    /// Stands in the position of a compressed file that was there before the source ran first.
    private static let skipped = "file.skipped"

    /// Where the last line begins that has no end yet, so that it is not given in halves.
    private func lastLine(of file: OpenFile, _ size: Int64) throws(ConnectorError) -> Int64 {
        let count = min(size, Int64(Self.blockSize))
        let bytes = try reportingToEngine { () throws(FileSystemError) in
            try file.bytes(at: size - count, count: Int(count))
        }
        guard let newline = bytes.lastIndex(of: 0x0a) else { return count == size ? 0 : size }
        return size - count + Int64(newline) + 1
    }

    /// A name for the positions of a content, which no other one has.
    private func partition(_ node: FileNode, _ bytes: [UInt8]) -> String {
        let start = ContentStart(bytes)
        let identity = FileIdentity(
            fingerprint: FileFingerprint(hash: start.hash, length: start.length),
            inode: node.inode,
            created: node.created,
            device: node.device
        )
        var partition = identity.partition
        var generation = 2
        while !partitions.insert(partition).inserted {
            partition = identity.partition(generation: generation)
            generation += 1
        }
        return partition
    }

    /// A content is in another file now, or in none: the position must say so before others do.
    private func move(_ id: Int) async throws(ConnectorError) {
        guard let file = files[id], let content = rotation.contents[id] else { return }
        close(file)
        draining.remove(id)
        file.drainingSince = nil
        file.position.node = content.node
        file.position.path = content.path
        file.position.goneSince = nil
        file.position.error = nil
        if let node = content.node {
            let opened = held.removeValue(forKey: node)
            try settle(file, into: node, content.path, opened)
            if !content.isNamed, let opened { try use(opened, for: file) }
        }
        // What was seen of what is not complete was seen in another file.
        file.cutter = makeCutter(at: file.position.place)
        waiting.remove(id)
        try await outlet.advance(to: file.stored)
    }

    /// A copy that ends before what was read of the original has no more of it.
    private func settle(
        _ file: FollowedFile,
        into node: FileNode,
        _ path: String,
        _ opened: OpenFile?
    ) throws(ConnectorError) {
        guard let copy = try? opened ?? OpenFile(path, .reading),
            let information = try? copy.information(), FileNode(information) == node,
            information.size < file.position.place.byte
        else { return }
        let start = try reportingToEngine { () throws(FileSystemError) in
            try copy.bytes(at: 0, count: ContentStart.limit)
        }
        guard !isCompressed(start) else { return }
        file.position.place.byte = information.size
        file.position.size = information.size
        file.position.start = ContentStart(start)
        rotation.begins(file.id, file.position.start)
        file.position.end = try endMark(of: copy, before: information.size)
    }

    /// A content is nowhere any more.
    private func retire(_ id: Int) async throws(ConnectorError) {
        guard let file = files[id], let content = rotation.contents[id] else { return }
        close(file)
        draining.remove(id)
        ready.remove(id)
        waiting.remove(id)
        file.position.goneSince = content.goneSince
        let rest = file.position.size - file.position.place.byte
        if !content.isDrained, rest > 0 {
            // D6: nobody can read it any more, so it is counted and said.
            lostBytes += rest
            context.logger.error(
                "the rest of a file was removed or written over before it was read",
                metadata: [
                    "path": "\(content.path)", "bytes": "\(rest)",
                    "from": "\(file.position.place.byte)",
                ]
            )
        }
        try await outlet.advance(to: file.stored)
    }

    /// Whether a content that is gone may be forgotten.
    ///
    /// A file system that is not mounted leaves an empty directory, and its files will come back.
    func mayForget(_ content: Rotation.Content) -> Bool {
        var directory = FileSystem.directory(of: content.path)
        while true {
            do throws(FileSystemError) {
                return try !FileSystem.names(in: directory).isEmpty
            } catch {
                let parent = FileSystem.directory(of: directory)
                guard error.isNotFound, parent != directory else { return false }
                directory = parent
            }
        }
    }
}
