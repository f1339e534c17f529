import ConnectorSDK
import Glibc
import Logging
import Testing
import Topics

@testable import TopicLog

/// A data directory that is gone when the test is.
final class ScratchStore: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/millrace-log-test-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { Self.remove(path) }

    /// Opens the directory; maintenance runs only when a test says so.
    func open(
        _ mode: EmbeddedTopicStore.Mode = .readWrite,
        change: (inout StoreOptions) -> Void = { _ in }
    ) throws -> EmbeddedTopicStore {
        var options = StoreOptions()
        options.maintenanceInterval = nil
        options.followInterval = .milliseconds(1)
        change(&options)
        // The store keeps the directory for as long as it lives.
        let write = options.operations.write
        options.operations.write = { [self] file, bytes, offset in
            withExtendedLifetime(self) { write(file, bytes, offset) }
        }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try EmbeddedTopicStore(
            directory: path,
            mode: mode,
            logger: logger,
            options: options
        )
    }

    /// A copy of the directory as it is now, as a crash would leave it.
    func copy() throws -> ScratchStore {
        let copy = try ScratchStore()
        try Self.copy(path, to: copy.path)
        return copy
    }

    /// Copies the directory as it is now into another one.
    func copyFiles(to other: ScratchStore) throws { try Self.copy(path, to: other.path) }

    /// The path of a file of a partition, its first segment's log unless told otherwise.
    func file(
        _ topic: String = "t",
        _ partition: Int32 = 0,
        base: Int64 = 0,
        ending: String = ".log"
    ) -> String {
        "\(path)/topics/\(topic)-\(partition)/\(SegmentName.stem(base))\(ending)"
    }

    /// The names in a partition's directory.
    func files(_ topic: String = "t", _ partition: Int32 = 0) throws -> [String] {
        try Directory.list("\(path)/topics/\(topic)-\(partition)")
    }

    private static func copy(_ path: String, to target: String) throws {
        try Directory.create(target)
        for name in try Directory.list(path) {
            var status = stat()
            stat("\(path)/\(name)", &status)
            if status.st_mode & S_IFMT == S_IFDIR {
                try copy("\(path)/\(name)", to: "\(target)/\(name)")
            } else {
                try writeFile("\(target)/\(name)", try readFile("\(path)/\(name)"))
            }
        }
    }

    private static func remove(_ path: String) {
        for name in (try? Directory.list(path)) ?? [] where unlink("\(path)/\(name)") != 0 {
            remove("\(path)/\(name)")
        }
        rmdir(path)
    }
}

/// All bytes of a file.
func readFile(_ path: String) throws -> [UInt8] {
    let file = try LogFile.open(path)
    return try file.bytes(0..<file.size())
}

/// Replaces a file's bytes.
func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    let file = try LogFile.createEmpty(path)
    try bytes.withUnsafeBytes { try FileOperations.system.writeAll($0, to: file, at: 0) }
}

/// Changes one byte of a file.
func flipByte(_ path: String, at position: Int) throws {
    var bytes = try readFile(path)
    bytes[position] ^= 0x55
    try writeFile(path, bytes)
}

/// A record as tests compare them.
struct TestRecord: Hashable {
    var offset: Int64 = -1
    var key: String?
    var value: String?
    var timestamp: Int64 = 1_000
}

extension TopicProducer {
    /// Encodes records as one batch.
    func batch(
        _ records: [TestRecord],
        compression: TopicSettings.CompressionType = .none
    ) throws -> EncodedBatch {
        let builder = makeBuilder()
        for record in records {
            let key = record.key.map { Array($0.utf8) }
            let value = record.value.map { Array($0.utf8) }
            withBytes(key) { key in
                withBytes(value) { value in
                    builder.append(timestamp: record.timestamp, key: key, value: value)
                }
            }
        }
        return try builder.finish(compression: compression, now: 1, timestampType: .createTime)
    }

    /// Submits one batch for a partition, and perhaps a position, without waiting.
    @discardableResult
    func submit(
        _ records: [TestRecord],
        to partition: TopicPartition = TopicPartition("t", 0),
        position: String? = nil,
        compression: TopicSettings.CompressionType = .none
    ) throws -> Int64 {
        var unit = CommitUnit()
        unit.batches = [(partition, try batch(records, compression: compression))]
        if let position {
            unit.positions = [("source", SourcePosition(partition: "p", offset: position))]
        }
        return try submit(unit)
    }

    /// Makes several batches durable in one unit.
    func append(
        batches: [[TestRecord]],
        to partition: TopicPartition = TopicPartition("t", 0),
        compression: TopicSettings.CompressionType = .none
    ) throws {
        var unit = CommitUnit()
        for records in batches {
            unit.batches.append((partition, try batch(records, compression: compression)))
        }
        try wait(try submit(unit))
    }

    /// Submits one batch of values and waits until it is durable.
    func append(
        _ values: [String],
        to partition: TopicPartition = TopicPartition("t", 0),
        position: String? = nil,
        timestamp: Int64 = 1_000
    ) throws {
        let records = values.map { TestRecord(value: $0, timestamp: timestamp) }
        try wait(try submit(records, to: partition, position: position))
    }

    /// Waits until a ticket is durable.
    func wait(_ ticket: Int64) throws {
        #expect(try waitUntilDurable(through: ticket, deadline: nil) >= ticket)
    }
}

private func withBytes(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Void) {
    guard let bytes else { return body(nil) }
    bytes.withUnsafeBytes { body($0.baseAddress == nil ? UnsafeRawBufferPointer(emptyBytes) : $0) }
}

// SAFETY: never written to.
private nonisolated(unsafe) let emptyBytes = UnsafeMutableRawBufferPointer.allocate(
    byteCount: 0,
    alignment: 8
)

extension EmbeddedTopicStore {
    /// Reads what there is from `offset` on.
    func records(
        _ partition: TopicPartition = TopicPartition("t", 0),
        from offset: Int64 = 0
    ) throws -> [TestRecord] {
        try makeReader(partition, from: offset).readAll()
    }

    /// The values of what there is from `offset` on.
    func values(
        _ partition: TopicPartition = TopicPartition("t", 0),
        from offset: Int64 = 0
    ) throws -> [String] {
        try records(partition, from: offset).map { $0.value ?? "null" }
    }
}

extension PartitionReader {
    /// Reads until there is no more.
    func readAll() throws -> [TestRecord] {
        var records: [TestRecord] = []
        let batch = RecordBatch()
        while true {
            batch.reset(topic: "t")
            guard try read(into: batch) > 0 else { return records }
            for row in batch.indices { records.append(TestRecord(batch, row)) }
        }
    }
}

extension TestRecord {
    init(_ batch: RecordBatch, _ row: Int) {
        let metadata = batch[metadata: row]
        let keyCell = batch.keyRow(row)?.pointee
        let hasKey = keyCell?.isSlice ?? false
        self.init(
            offset: metadata.offset,
            key: hasKey
                ? String(decoding: keyCell?.slice ?? batch[row, 0].slice, as: UTF8.self) : nil,
            value: batch[row, 0].isNil ? nil : String(decoding: batch[row, 0].slice, as: UTF8.self),
            timestamp: metadata.timestamp
        )
    }
}

/// Numbered values.
func numbered(_ range: Range<Int>) -> [String] { range.map { "value-\($0)" } }
