public import ConnectorSDK
internal import FileSystem
internal import Logging

extension FileSink {
    /// Makes the files durable, replaces the checkpoint, and names the files that are complete.
    public func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError) {
        try save(offsets)
    }

    /// Completes the files that have become old.
    public func idle() async throws(ConnectorError) {
        if settings.rotateInterval != nil { try save([:]) }
    }

    /// Completes all files, if everything in them is committed.
    public func close() async {
        // What is not committed belongs to offsets that will be read again.
        guard !isDirty else { return }
        do throws(ConnectorError) {
            for file in files.all {
                files.remove(file)
                try complete(file)
            }
            if !completed.isEmpty { try save([:]) }
        } catch {
            context.logger.warning(
                "files are completed at the next start",
                metadata: ["error": "\(error)"]
            )
        }
    }

    private func save(_ moved: [TopicPartition: Int64]) throws(ConnectorError) {
        let wasDirty = isDirty
        // After an error nothing more is done: the next instance starts from the checkpoint.
        isDirty = true
        try save(moved, wasDirty: wasDirty)
        isDirty = false
    }

    private func save(
        _ moved: [TopicPartition: Int64],
        wasDirty: Bool
    ) throws(ConnectorError) {
        for file in files.all where isOld(file) {
            files.remove(file)
            try complete(file)
        }
        let isNew = moved.contains { offsets[$0.key]?.next != $0.value }
        guard isNew || wasDirty || !completed.isEmpty else { return }
        for file in files.all where file.hasNews {
            try prepare(file)
            pause()
            try file.synchronize()
            if files.count > settings.openFiles { try file.closeDescriptor() }
            pause()
        }
        try synchronizeDirectories()
        var checkpoint = SinkCheckpoint()
        checkpoint.offsets = offsets.merging(
            moved.mapValues { SinkCheckpoint.Offset(next: $0, generation: generation) }
        ) { $1 }
        checkpoint.sequences = naming.sequences
        for file in files.all where file.length > 0 {
            var entry = file.committed(format: formatDescription)
            entry.length = file.length
            entry.records = file.records
            checkpoint.files.append(entry)
        }
        let named = completed.filter { !$0.isInPlace && $0.length > 0 }
        checkpoint.renames = named.map {
            SinkCheckpoint.Rename(workPath: $0.workPath, finalPath: $0.finalPath)
        }
        try checkpoints.save(checkpoint, task: context.taskID)
        pause()
        // D2: from here on the records are there exactly once, whatever happens.
        offsets = checkpoint.offsets
        for file in files.all {
            file.committedLength = file.length
            file.committedRecords = file.records
        }
        let done = completed
        completed.removeAll()
        for rename in checkpoint.renames {
            try self.rename(rename)
            pause()
        }
        try synchronizeDirectories()
        for file in done { naming.reserved.remove(file.finalPath) }
    }

    /// Writes what is committed once more, so that a file appended to in place can be cut back.
    func saveCheckpoint(including added: OutputFile) throws(ConnectorError) {
        var checkpoint = SinkCheckpoint()
        checkpoint.offsets = offsets
        checkpoint.sequences = naming.sequences
        let known = (files.all + completed).filter {
            $0 === added || $0.isCheckpointed && ($0.isInPlace || $0.committedLength > 0)
        }
        checkpoint.files = known.map { $0.committed(format: formatDescription) }
        if !known.contains(where: { $0 === added }) {
            checkpoint.files.append(added.committed(format: formatDescription))
        }
        try checkpoints.save(checkpoint, task: context.taskID)
    }

    /// Gives a complete file its name; harmless when it was done before.
    func rename(_ rename: SinkCheckpoint.Rename) throws(ConnectorError) {
        let directory = FileSystem.directory(of: rename.finalPath)
        try reportingToEngine { () throws(FileSystemError) in
            guard try FileInformation.of(rename.workPath) != nil else { return }
            do throws(FileSystemError) {
                try FileSystem.rename(rename.workPath, toNew: rename.finalPath)
            } catch {
                guard error.isTaken else { throw error }
                // Somebody else has made a file of that name meanwhile.
                try FileSystem.move(rename.workPath, to: rename.finalPath)
            }
        }
        changedDirectories.insert(directory)
    }

    func synchronizeDirectories() throws(ConnectorError) {
        for directory in changedDirectories {
            try reportingToEngine { () throws(FileSystemError) in
                try FileSystem.synchronizeDirectory(directory)
            }
        }
        changedDirectories.removeAll(keepingCapacity: true)
    }
}
