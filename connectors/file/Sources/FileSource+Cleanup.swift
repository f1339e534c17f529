public import ConnectorSDK
internal import FileSystem
internal import Logging

extension FileSource {
    /// Moves or deletes the files whose last records are durable now.
    public func acknowledge(
        through positions: [SourcePosition]
    ) async throws(ConnectorError) {
        // D1: the engine says that these are durable; nothing is touched before.
        for stored in positions {
            guard let end = ends[stored.partition], end.stored == stored.offset else { continue }
            ends[stored.partition] = nil
            finished.insert(end.identity)
            try cleanUp(end.identity, end.position, at: end.position.path)
        }
    }

    /// The end of a file, as it was sent.
    struct End {
        var stored: String
        var identity: FileIdentity
        var position: FilePosition

        init(stored: String, _ identity: FileIdentity, _ position: FilePosition) {
            self.stored = stored
            self.identity = identity
            self.position = position
        }
    }

    /// Does what the clean-up policy says with a file that is done and durable.
    ///
    /// A file that has vanished, was replaced or has grown meanwhile is left alone: what it is now
    /// is found out when it is looked for again.
    func cleanUp(
        _ identity: FileIdentity,
        _ position: FilePosition,
        at path: String
    ) throws(ConnectorError) {
        guard let action = action(for: position) else { return }
        let isGone = try reportingToEngine { () throws(FileSystemError) in
            guard let information = try FileInformation.of(path),
                identity.isNode(information), information.size == position.size
            else { return false }
            switch action {
            case .remove:
                try FileSystem.remove(path)
                try FileSystem.synchronizeDirectory(FileSystem.directory(of: path))
            case .move(let directory):
                let target = try FileSystem.move(path, into: directory)
                context.logger.debug(
                    "moved a file",
                    metadata: ["path": "\(path)", "to": "\(target)"]
                )
            }
            return true
        }
        guard isGone else { return }
        forget(identity)
    }

    /// Forgets a file that is not there any more.
    ///
    /// The file system has it first and durably: a process that dies in between still knows the
    /// file, and reads nothing twice. (D3)
    func forget(_ identity: FileIdentity) {
        finished.remove(identity)
        known.forget(identity)
        departures.append(identity.partition)
    }

    /// Forgets the files that a process moved away before it died.
    func forgetDeparted() throws(ConnectorError) {
        for (identity, position) in known.all where position.isDone && isOwn(identity) {
            guard case .move(let directory) = action(for: position) else { continue }
            let target = directory + "/" + FileSystem.name(of: position.path)
            let isThere = try reportingToEngine { () throws(FileSystemError) in
                guard let information = try FileInformation.of(target) else { return false }
                return identity.isNode(information) && information.size == position.size
            }
            if isThere { forget(identity) }
        }
    }

    /// Forgets the finished files that somebody has removed, where the configuration says so.
    func forgetRemoved() throws(ConnectorError) {
        guard settings.forgetsRemoved, let present else { return }
        for (identity, position) in known.all where position.isDone && isOwn(identity) {
            // One that was renamed is there, and known by its inode.
            guard !present.contains(identity.inode), finished.contains(identity),
                !isNamed(position.path)
            else { continue }
            let isRemoved = try reportingToEngine { () throws(FileSystemError) in
                let isThere = try FileInformation.of(position.path) != nil
                return isThere ? false : try isMounted(position.path)
            }
            if isRemoved { forget(identity) }
        }
    }

    /// Whether what is left of the path's directories holds anything.
    ///
    /// A file system that is not mounted leaves an empty directory, and its files will come back.
    private func isMounted(_ path: String) throws(FileSystemError) -> Bool {
        var directory = FileSystem.directory(of: path)
        while try FileInformation.of(directory) == nil {
            let parent = FileSystem.directory(of: directory)
            guard parent != directory else { return false }
            directory = parent
        }
        return try !FileSystem.names(in: directory).isEmpty
    }

    /// Whether the configuration names this one path, which then may be missing only if it is known.
    private func isNamed(_ path: String) -> Bool {
        settings.include.contains { $0.isLiteral && $0.matches(path) }
    }

    private func isOwn(_ identity: FileIdentity) -> Bool {
        FileIdentity.task(ofInode: identity.inode, count: context.taskCount) == context.taskID
    }

    private enum CleanupAction {
        case remove
        case move(String)
    }

    private func action(for position: FilePosition) -> CleanupAction? {
        // A file that was not read to its end is never deleted, nor taken for finished.
        if position.error != nil { return settings.errorPath.map { .move($0) } }
        switch settings.cleanup {
        case .none: return nil
        case .delete: return .remove
        case .move: return settings.finishedPath.map { .move($0) }
        }
    }
}
