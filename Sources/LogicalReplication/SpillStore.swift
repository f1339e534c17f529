internal import Glibc

/// Keeps the messages of transactions that are not complete: the first in memory, the rest in
/// files, so that memory stays bounded however large they become. (D7)
///
/// The files are of no use to another process, since the server sends again what was not
/// confirmed; what a process left that was killed is removed by the next.
public final class SpillStore {
    /// The bytes of all transactions together that stay in memory: 4 MiB, so that the many small
    /// ones never touch the disk.
    public static let memoryLimit = 4 << 20
    /// The most subtransactions of one transaction, each of which takes 16 bytes of memory.
    public static let subtransactionLimit = 2_000_000

    private let directory: String
    private let memoryLimit: Int
    private var transactions: [UInt32: SpilledTransaction] = [:]
    private var current: SpilledTransaction?
    private var memory = 0

    /// Opens the store in a directory of its own, which is made with the first file, and removes
    /// what another process left there.
    public init(directory: String, memoryLimit: Int = SpillStore.memoryLimit) throws(SpillError) {
        self.directory = directory
        self.memoryLimit = memoryLimit
        try Self.removeFiles(in: directory)
    }

    /// The bytes that are in files.
    public var bytesOnDisk: Int { transactions.values.reduce(0) { $0 + $1.bytesOnDisk } }

    /// Whether messages of a transaction are kept.
    public func contains(_ transaction: UInt32) -> Bool { transactions[transaction] != nil }

    /// Keeps a message of a transaction that is being streamed, as the output plugin sent it, with
    /// the (sub)transaction that it says it belongs to.
    public func append(
        _ message: UnsafeRawBufferPointer,
        lsn: LSN,
        transaction: UInt32,
        subtransaction: UInt32
    ) throws(SpillError) {
        let target = spilled(transaction)
        memory += target.append(message, lsn: lsn, subtransaction: subtransaction)
        guard memory > memoryLimit || target.bytesInMemory > memoryLimit / 4 else { return }
        try spill(memory > memoryLimit ? Array(transactions.values) : [target])
    }

    /// Whether a transaction has more subtransactions than can be followed.
    public func hasTooManySubtransactions(_ transaction: UInt32) -> Bool {
        (transactions[transaction]?.subtransactions ?? 0) > Self.subtransactionLimit
    }

    /// Forgets a subtransaction, or the whole transaction when both numbers are the same.
    public func abort(_ transaction: UInt32, subtransaction: UInt32) throws(SpillError) {
        guard let target = transactions[transaction] else { return }
        let before = target.bytesInMemory
        if transaction == subtransaction {
            remove(transaction)
            memory -= before
        } else {
            try target.cut(subtransaction)
            memory -= before - target.bytesInMemory
        }
    }

    /// Takes a complete transaction's messages out, to be read in order; `nil` when there are none.
    public func take(_ transaction: UInt32) -> SpillReader? {
        guard let target = transactions[transaction] else { return nil }
        memory -= target.bytesInMemory
        remove(transaction)
        return SpillReader(target)
    }

    private func remove(_ transaction: UInt32) {
        transactions[transaction] = nil
        if current?.transaction == transaction { current = nil }
    }

    private func spilled(_ transaction: UInt32) -> SpilledTransaction {
        if let current, current.transaction == transaction { return current }
        let target = transactions[transaction] ?? SpilledTransaction(transaction)
        transactions[transaction] = target
        current = target
        return target
    }

    private func spill(_ targets: [SpilledTransaction]) throws(SpillError) {
        for target in targets where target.bytesInMemory > 0 {
            if mkdir(directory, 0o700) != 0, errno != EEXIST {
                throw SpillError("create", directory)
            }
            memory -= target.bytesInMemory
            try target.spill(to: "\(directory)/\(target.transaction).changes")
        }
    }

    private static func removeFiles(in directory: String) throws(SpillError) {
        guard let listing = opendir(directory) else {
            if errno == ENOENT { return }
            throw SpillError("list", directory)
        }
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(".changes") else { continue }
            let path = "\(directory)/\(name)"
            guard unlink(path) == 0 || errno == ENOENT else { throw SpillError("remove", path) }
        }
    }
}
