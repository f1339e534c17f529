internal import ConnectorSDK

/// What one batch changes, until it is certain that all of it can be written.
struct WriteStep {
    private struct Before {
        let file: OutputFile
        let count: Int
        let records: Int64
        let hasBegun: Bool
    }

    private var naming: OutputNaming?
    private var before: [Before] = []
    /// Files that did not exist before the batch.
    var created: [OutputFile] = []
    /// Files that are full, in order.
    private(set) var completed: [OutputFile] = []

    /// Begins anew, with the names that are given so far.
    mutating func begin(_ naming: OutputNaming) {
        clear()
        self.naming = naming
    }

    /// Forgets the batch, and keeps the memory for the next one.
    mutating func clear() {
        naming = nil
        before.removeAll(keepingCapacity: true)
        created.removeAll(keepingCapacity: true)
        completed.removeAll(keepingCapacity: true)
    }

    /// The files that take records of the batch.
    var touched: some Sequence<OutputFile> { before.lazy.map(\.file) }

    func isCompleted(_ file: OutputFile) -> Bool { completed.contains { $0 === file } }

    /// Notes how a file is before it is changed.
    mutating func touch(_ file: OutputFile) {
        // The same file usually takes several runs of records in a row.
        if let last = before.last, last.file === file { return }
        guard !before.contains(where: { $0.file === file }) else { return }
        before.append(
            Before(
                file: file,
                count: file.buffer.count,
                records: file.records,
                hasBegun: file.hasBegun
            )
        )
    }

    /// Notes that a file takes no more records.
    mutating func complete(_ file: OutputFile, _ files: inout OutputFileTable) {
        files.remove(file)
        completed.append(file)
    }

    /// Makes everything as it was: a batch that is refused has no effect.
    func undo(
        _ files: inout OutputFileTable,
        _ naming: inout OutputNaming,
        _ format: any RecordFormat
    ) throws(ConnectorError) {
        for item in before {
            item.file.truncateBuffer(to: item.count)
            item.file.records = item.records
            if item.file.hasBegun, !item.hasBegun {
                item.file.hasBegun = false
                item.file.writer = try format.makeWriter()
            }
        }
        for file in completed where !created.contains(where: { $0 === file }) {
            files.insert(file)
        }
        for file in created { files.remove(file) }
        if let earlier = self.naming { naming = earlier }
    }
}
