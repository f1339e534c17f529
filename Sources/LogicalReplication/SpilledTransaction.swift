/// The messages of one transaction: frames in a file, then frames in memory.
///
/// A frame is a length, the (sub)transaction, the place in the log, and the message.
internal final class SpilledTransaction {
    internal static let headerLength = 16

    internal let transaction: UInt32
    private var file: SpillFile?
    private var buffer = ContiguousArray<UInt8>()
    private var index: SubtransactionIndex

    internal init(_ transaction: UInt32) {
        self.transaction = transaction
        index = SubtransactionIndex(of: transaction)
    }

    internal var bytesInMemory: Int { buffer.count }
    internal var bytesOnDisk: Int { file?.size ?? 0 }
    internal var size: Int { bytesOnDisk + bytesInMemory }
    internal var subtransactions: Int { index.count }
    internal var path: String { file?.path ?? "" }

    /// Appends a frame, and returns its size.
    internal func append(
        _ message: UnsafeRawBufferPointer,
        lsn: LSN,
        subtransaction: UInt32
    ) -> Int {
        index.note(subtransaction, at: size)
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: message.count)) {
            buffer.append(contentsOf: $0)
        }
        withUnsafeBytes(of: subtransaction) { buffer.append(contentsOf: $0) }
        withUnsafeBytes(of: lsn.rawValue) { buffer.append(contentsOf: $0) }
        buffer.append(contentsOf: message)
        return Self.headerLength + message.count
    }

    /// Moves what is in memory to the file.
    internal func spill(to path: String) throws(SpillError) {
        if file == nil { file = try SpillFile(path: path) }
        var failure: SpillError?
        buffer.withUnsafeBytes { bytes in
            do throws(SpillError) { try file?.append(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        buffer.removeAll(keepingCapacity: buffer.capacity <= SpillStore.memoryLimit / 2)
    }

    /// Removes a subtransaction that was rolled back.
    internal func cut(_ subtransaction: UInt32) throws(SpillError) {
        guard let offset = index.cut(subtransaction) else { return }
        if offset >= bytesOnDisk {
            buffer.removeLast(size - offset)
        } else {
            buffer.removeAll()
            try file?.cut(to: offset)
        }
    }

    /// Copies the bytes at `offset` to `target`, which lie in the file or in memory, or in both.
    internal func read(
        _ target: UnsafeMutableRawBufferPointer,
        at offset: Int
    ) throws(SpillError) {
        let inFile = min(max(bytesOnDisk - offset, 0), target.count)
        if inFile > 0 {
            try file?.read(UnsafeMutableRawBufferPointer(rebasing: target[..<inFile]), at: offset)
        }
        guard inFile < target.count else { return }
        let start = offset + inFile - bytesOnDisk
        buffer.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: target[inFile...])
                .copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: bytes[start...].prefix(target.count - inFile)
                    )
                )
        }
    }
}
