/// Appends entries to an index file.
///
/// Its failures are of no consequence: an index with fewer entries is a slower index.
internal struct IndexAppender {
    /// Entries that wait for the records they point to to be committed.
    internal var pending: [UInt8] = []
    private let path: String
    private let entrySize: Int
    private let operations: FileOperations
    private var file: LogFile?
    private var size: Int64 = 0

    internal init(path: String, entrySize: Int, operations: FileOperations) {
        self.path = path
        self.entrySize = entrySize
        self.operations = operations
    }

    /// Writes the pending entries; the last call for a segment waits for the disk.
    internal mutating func flush(isFinal: Bool) {
        defer { pending.removeAll(keepingCapacity: true) }
        do throws(FileFailure) {
            let file = try open()
            if !pending.isEmpty { try append(to: file) }
            if isFinal { try operations.synchronize(file) }
        } catch {
            // The next flush opens the file again and goes on behind its last whole entry.
            file = nil
        }
    }

    private mutating func open() throws(FileFailure) -> LogFile {
        if let file { return file }
        let opened = try LogFile.create(path)
        size = try opened.size() / Int64(entrySize) * Int64(entrySize)
        file = opened
        return opened
    }

    private mutating func append(to file: LogFile) throws(FileFailure) {
        var failure: FileFailure?
        pending.withUnsafeBytes { bytes in
            do throws(FileFailure) {
                try operations.writeAll(bytes, to: file, at: size)
            } catch {
                failure = error
            }
        }
        if let failure {
            try? operations.truncate(file, to: size)
            throw failure
        }
        size += Int64(pending.count)
    }
}
