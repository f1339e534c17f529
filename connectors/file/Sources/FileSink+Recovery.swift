public import ConnectorSDK
internal import FileSystem
internal import Glibc
internal import Logging

extension FileSink {
    /// Makes the files as the last checkpoint has them, and returns its offsets.
    public func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? {
        let found = try checkpoints.load()
        var all = SinkCheckpoint()
        for checkpoint in found.values { all.merge(checkpoint.offsets) }
        generation = 1 + (all.offsets.values.map(\.generation).max() ?? 0)
        // Tasks that there are no more are taken over by one that there is.
        let ours = found.keys.filter {
            $0 == context.taskID
                || $0 >= context.taskCount && $0 % context.taskCount == context.taskID
        }.sorted()
        for task in ours {
            guard let checkpoint = found[task] else { continue }
            try recover(checkpoint, isOwn: task == context.taskID)
        }
        try removeUnknownFiles(of: ours + [context.taskID])
        if ours.contains(where: { $0 != context.taskID }) || !completed.isEmpty {
            isDirty = true
            try await commit([:])
            for task in ours where task != context.taskID { try checkpoints.remove(task: task) }
        }
        var kept: [TopicPartition: Int64] = [:]
        for id in partitions { kept[id] = all.offsets[id]?.next }
        return kept
    }

    private func recover(_ checkpoint: SinkCheckpoint, isOwn: Bool) throws(ConnectorError) {
        offsets.merge(checkpoint.offsets) { $1.isLater(than: $0) ? $1 : $0 }
        naming.sequences.merge(checkpoint.sequences) { max($0, $1) }
        for rename in checkpoint.renames { try self.rename(rename) }
        try synchronizeDirectories()
        for entry in checkpoint.files {
            guard let file = try restore(entry) else { continue }
            // What ends with a marker cannot be gone on with, since its writer is gone.
            let isAlike = entry.format == formatDescription
            if isOwn, isAlike, isAppendable {
                files.insert(file)
            } else if isAlike {
                try complete(file)
            } else {
                completed.append(file)
            }
        }
    }

    /// Cuts a file back to what is committed; `nil` when it is not there any more.
    private func restore(_ entry: SinkCheckpoint.File) throws(ConnectorError) -> OutputFile? {
        let isThere = try reportingToEngine { () throws(FileSystemError) in
            guard let information = try FileInformation.of(entry.workPath) else { return false }
            guard information.size != entry.length else { return true }
            guard information.size > entry.length else {
                throw FileSystemError("restore", entry.workPath, ENODATA)
            }
            let file = try OpenFile(entry.workPath, .appending)
            try file.truncate(to: entry.length)
            try file.synchronize()
            return true
        }
        guard isThere else {
            context.logger.warning(
                "a file that was being written has vanished",
                metadata: ["path": "\(entry.workPath)", "records": "\(entry.records)"]
            )
            return nil
        }
        naming.reserved.insert(entry.finalPath)
        return try OutputFile(
            key: Array(entry.key.utf8),
            workPath: entry.workPath,
            finalPath: entry.finalPath,
            length: entry.length,
            records: entry.records,
            begun: now(),
            isCheckpointed: true,
            writer: try format.makeWriter(),
            compression: settings.compression.kind
        )
    }

    /// Removes temporary files that no checkpoint counts: their records will come again.
    private func removeUnknownFiles(of tasks: [Int]) throws(ConnectorError) {
        let known = Set((files.all + completed).map(\.workPath))
        for task in Set(tasks) {
            var context = context
            context.taskID = task
            let suffix = OutputNaming(context, isRotating: false).suffix
            let text = settings.template.pattern(forHiddenNamesEndingWith: suffix)
            guard let pattern = try? GlobPattern(text) else { continue }
            var walk = DirectoryWalk()
            for file in walk.files([pattern]) where !known.contains(file.path) {
                try reportingToEngine { () throws(FileSystemError) in
                    try FileSystem.remove(file.path)
                }
            }
        }
    }
}
