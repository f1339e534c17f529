import KafkaClient
import Testing

/// One partition as a test reads it.
final class Reading {
    /// A record that a test has read.
    struct Record: Equatable {
        var offset: Int64
        var timestamp: Int64?
        var key: [UInt8]?
        var value: [UInt8]?
        var headers: [UInt8]
        var headerCount: Int
        var text: String { String(decoding: value ?? [], as: UTF8.self) }
    }

    let queue: KafkaPartitionQueue
    private let consumer: KafkaConsumer

    init(
        _ settings: KafkaSettings,
        _ partition: KafkaPartition,
        from offset: Int64 = 0,
        isolation: KafkaConsumer.Isolation = .readCommitted
    ) throws {
        consumer = try KafkaConsumer(settings, isolation: isolation)
        queue = try consumer.open(partition, at: offset)
    }

    /// So many records, waited for.
    func records(_ count: Int) throws -> [Record] {
        var result: [Record] = []
        // Attempts as well as time: a loaded machine may stop this process for long.
        for _ in 0..<1_200 where result.count < count {
            result += try next(atMost: count - result.count)
        }
        try #require(result.count == count)
        return result
    }

    /// What arrives within a moment.
    func next(atMost count: Int = KafkaPartitionQueue.limit) throws -> [Record] {
        let size = try queue.take(atMost: count, .milliseconds(100))
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size + 1, alignment: 1)
        defer { memory.deallocate() }
        var result: [Record] = []
        queue.copy(to: memory) { record in
            result.append(
                Record(
                    offset: record.offset,
                    timestamp: record.timestamp,
                    key: record.key.map { Array($0) },
                    value: record.value.map { Array($0) },
                    headers: Array(record.headers),
                    headerCount: record.headerCount
                )
            )
        }
        return result
    }

    /// Waits until the end is seen; nothing may come before it.
    func waitForEnd() throws {
        for _ in 0..<1_200 where !queue.isAtEnd {
            #expect(try next().isEmpty)
        }
        try #require(queue.isAtEnd)
    }
}
