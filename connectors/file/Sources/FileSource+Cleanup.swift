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
            guard let identity = FileIdentity(partition: stored.partition),
                let position = FilePosition(stored.offset), position.isDone, !position.isGone
            else { continue }
            finished.insert(identity)
            try cleanUp(identity, position, at: position.path)
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
        finished.remove(identity)
        var gone = position
        gone.isGone = true
        known.note(identity, gone)
        departures.append(SourcePosition(partition: identity.partition, offset: gone.text))
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
