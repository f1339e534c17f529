public import ConnectorSDK
public import Topics

/// A record in a dead letter topic.
public struct DeadLetter: Sendable {
    /// Its place in the dead letter topic.
    public var place: TopicPartition
    /// Its offset there.
    public var offset: Int64
    /// The record's timestamp, in milliseconds.
    public var timestamp: Int64
    /// The record's key, or `nil` for none.
    public var key: [UInt8]?
    /// The record's value, or `nil` for a tombstone.
    public var value: [UInt8]?
    /// The record's own headers.
    public var headers: [(key: String, value: [UInt8]?)]
    /// Where it came from, and why it is here.
    public var context: DeadLetterContext
}

/// A topic that holds dead letters.
public struct DeadLetterTopic: Sendable, Equatable {
    /// The name.
    public var name: String
    /// How many there are that were neither replayed nor discarded.
    public var count: Int64
}

/// What `dlq list`, `show`, `replay` and `discard` do.
///
/// How far a dead letter topic was seen to is kept as the offsets of a consumer group. Records
/// leave the topic itself only by retention.
public struct DeadLetters: Sendable {
    /// The group whose offsets say what was replayed or discarded.
    public static let group = "millrace-dlq"

    let store: any TopicStore

    /// Works on the topics of `store`.
    public init(store: any TopicStore) { self.store = store }

    /// The topics whose records say that they are dead letters, by name.
    public func topics() throws(ConnectorError) -> [DeadLetterTopic] {
        let handled = try store.groupOffsets(Self.group)
        var found: [DeadLetterTopic] = []
        for topic in try store.topics() where try holdsDeadLetters(topic) {
            var count: Int64 = 0
            for partition in 0..<topic.partitions {
                let place = TopicPartition(topic.name, partition)
                let range = try store.offsets(of: place)
                count += max(0, range.end - max(range.start, handled[place] ?? 0))
            }
            found.append(DeadLetterTopic(name: topic.name, count: count))
        }
        return found
    }

    /// Whether the first record of a partition bears the context headers.
    private func holdsDeadLetters(_ topic: TopicDescription) throws(ConnectorError) -> Bool {
        let batch = RecordBatch()
        for partition in 0..<topic.partitions {
            let place = TopicPartition(topic.name, partition)
            let range = try store.offsets(of: place)
            guard range.start < range.end else { continue }
            batch.reset(topic: topic.name)
            guard try store.makeReader(place, from: range.start).read(into: batch) > 0 else {
                continue
            }
            let metadata = batch.metadata(0).pointee
            return RecordHeaders.decode(metadata.headers, count: Int(metadata.headerCount))
                .contains { DeadLetterContext.isContext($0.key) }
        }
        return false
    }

    /// Calls `body` with the dead letters that were neither replayed nor discarded, partition by
    /// partition in order, until it returns `false`.
    public func forEach(
        in topic: String,
        _ body: (DeadLetter) throws(ConnectorError) -> Bool
    ) throws(ConnectorError) {
        for place in try places(of: topic) {
            let reader = try openReader(place)
            let batch = RecordBatch()
            while true {
                batch.reset(topic: topic)
                guard try reader.read(into: batch) > 0 else { break }
                for row in batch.indices {
                    guard try body(Self.letter(batch, row, place)) else { return }
                }
            }
        }
    }

    /// Marks dead letters as seen to, at most `limit`, oldest first in each partition.
    ///
    /// - Returns: how many.
    @discardableResult
    public func discard(_ topic: String, limit: Int = .max) throws(ConnectorError) -> Int {
        var count = 0
        var reached: [TopicPartition: Int64?] = [:]
        try forEach(in: topic) { (letter) throws(ConnectorError) in
            guard count < limit else { return false }
            count += 1
            reached[letter.place] = letter.offset + 1
            return true
        }
        if !reached.isEmpty { try store.commitGroupOffsets(Self.group, reached) }
        return count
    }

    func places(of topic: String) throws(ConnectorError) -> [TopicPartition] {
        guard let description = try store.describe(topic) else {
            let known = try topics().map(\.name)
            throw .invalid(
                "topic",
                "The topic `\(topic)` does not exist.",
                hint: Spelling.nearest(to: topic, in: known).map { "Did you mean `\($0)`?" }
            )
        }
        return (0..<description.partitions).map { TopicPartition(topic, $0) }
    }

    /// A reader of what was not seen to yet.
    func openReader(_ place: TopicPartition) throws(ConnectorError) -> any PartitionReader {
        let range = try store.offsets(of: place)
        let handled = try store.groupOffsets(Self.group)[place] ?? 0
        return try store.makeReader(place, from: min(range.end, max(range.start, handled)))
    }

    static func letter(_ batch: RecordBatch, _ row: Int, _ place: TopicPartition) -> DeadLetter {
        let metadata = batch.metadata(row).pointee
        let headers = RecordHeaders.decode(metadata.headers, count: Int(metadata.headerCount))
        let (context, rest) = DeadLetterContext.split(headers)
        let key = batch.keyRow(row).flatMap { $0.pointee.isNil ? nil : Array($0.pointee.slice) }
        return DeadLetter(
            place: place,
            offset: metadata.offset,
            timestamp: metadata.timestamp,
            key: key,
            value: metadata.isTombstone || batch[row, 0].isNil ? nil : Array(batch[row, 0].slice),
            headers: rest,
            context: context
        )
    }
}
