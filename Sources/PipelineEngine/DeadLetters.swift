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

/// Which dead letters of a topic are meant.
public struct DeadLetterSelection: Sendable {
    /// Only those in this partition.
    public var partition: Int32?
    /// Only the one at this offset.
    public var offset: Int64?
    /// At most so many, oldest first in each partition.
    public var limit: Int

    /// Makes a selection; without arguments, of all.
    public init(partition: Int32? = nil, offset: Int64? = nil, limit: Int = .max) {
        self.partition = partition
        self.offset = offset
        self.limit = limit
    }

    func includes(_ offset: Int64) -> Bool { self.offset == nil || self.offset == offset }

    /// Nothing from this offset on is meant.
    var end: Int64 { offset.map { $0 == .max ? .max : $0 + 1 } ?? .max }
}

/// What `dlq list`, `show`, `replay` and `discard` do.
///
/// Which dead letters were seen to is kept beside the topic, see ``HandledOffsets``. Records leave
/// the topic itself only by retention.
public struct DeadLetters: Sendable {
    /// The group whose offsets say what was replayed or discarded.
    public static let group = "millrace-dlq"

    let store: any TopicStore

    /// Works on the topics of `store`.
    public init(store: any TopicStore) { self.store = store }

    /// The topics whose records say that they are dead letters, by name.
    public func topics() throws(ConnectorError) -> [DeadLetterTopic] {
        var found: [DeadLetterTopic] = []
        for topic in try store.topics() where try holdsDeadLetters(topic) {
            var count: Int64 = 0
            for partition in 0..<topic.partitions {
                let place = TopicPartition(topic.name, partition)
                let range = try store.offsets(of: place)
                let handled = try handledOffsets(of: place)
                count +=
                    try store.offsetsHaveGaps
                    ? countLeft(in: place)
                    : handled.remaining(in: range.start..<max(range.start, range.end))
            }
            found.append(DeadLetterTopic(name: topic.name, count: count))
        }
        return found
    }

    /// Counts what neither was replayed nor discarded, where offsets do not tell.
    private func countLeft(in place: TopicPartition) throws(ConnectorError) -> Int64 {
        var count: Int64 = 0
        let selection = DeadLetterSelection(partition: place.partition)
        try forEach(in: place.topic, selection) { (_) throws(ConnectorError) in
            count += 1
            return true
        }
        return count
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
        _ selection: DeadLetterSelection = DeadLetterSelection(),
        _ body: (DeadLetter) throws(ConnectorError) -> Bool
    ) throws(ConnectorError) {
        var count = 0
        for place in try places(of: topic, selection) {
            let handled = try handledOffsets(of: place)
            let reader = try openReader(place, selection, handled)
            let batch = RecordBatch()
            while count < selection.limit, reader.nextOffset < selection.end,
                try read(batch, from: reader, topic)
            {
                for row in batch.indices {
                    let offset = batch.metadata(row).pointee.offset
                    guard selection.includes(offset), !handled.contains(offset),
                        count < selection.limit
                    else { continue }
                    count += 1
                    guard try body(Self.letter(batch, row, place)) else { return }
                }
            }
        }
    }

    /// Marks dead letters as seen to.
    ///
    /// - Returns: how many.
    @discardableResult
    public func discard(
        _ topic: String,
        _ selection: DeadLetterSelection = DeadLetterSelection()
    ) throws(ConnectorError) -> Int {
        var count = 0
        var reached: [TopicPartition: HandledOffsets] = [:]
        try forEach(in: topic, selection) { (letter) throws(ConnectorError) in
            count += 1
            if reached[letter.place] == nil {
                reached[letter.place] = try handledOffsets(of: letter.place)
            }
            reached[letter.place]?.insert(letter.offset)
            return true
        }
        guard count > 0 else { return 0 }
        let producer = try store.makeProducer()
        defer { producer.close() }
        var unit = CommitUnit()
        for (place, handled) in reached { Self.note(handled, of: place, in: &unit) }
        let ticket = try producer.submit(unit)
        _ = try producer.waitUntilDurable(through: ticket, deadline: nil)
        return count
    }

    /// What was seen to in a partition.
    func handledOffsets(of place: TopicPartition) throws(ConnectorError) -> HandledOffsets {
        let positions = try store.positions(of: HandledOffsets.positionName)
        return HandledOffsets(
            next: try store.groupOffsets(Self.group)[place],
            text: positions["\(place)"]
        )
    }

    /// Has a commit store what was seen to.
    static func note(
        _ handled: HandledOffsets,
        of place: TopicPartition,
        in unit: inout CommitUnit
    ) {
        unit.groupOffsets.append((group, place, handled.next))
        unit.positions.append(
            (
                HandledOffsets.positionName,
                SourcePosition(partition: "\(place)", offset: handled.text)
            )
        )
    }

    /// The partitions that a selection looks at.
    func places(
        of topic: String,
        _ selection: DeadLetterSelection
    ) throws(ConnectorError) -> [TopicPartition] {
        guard let description = try store.describe(topic) else {
            let known = try topics().map(\.name)
            throw .invalid(
                "topic",
                "The topic `\(topic)` does not exist.",
                hint: Spelling.nearest(to: topic, in: known).map { "Did you mean `\($0)`?" }
            )
        }
        guard let partition = selection.partition else {
            return (0..<description.partitions).map { TopicPartition(topic, $0) }
        }
        guard (0..<description.partitions).contains(partition) else {
            throw .invalid(
                "partition",
                "The topic `\(topic)` has \(description.partitions) partition(s), counted from 0."
            )
        }
        return [TopicPartition(topic, partition)]
    }

    /// A reader that begins with the first dead letter that may be meant.
    func openReader(
        _ place: TopicPartition,
        _ selection: DeadLetterSelection,
        _ handled: HandledOffsets
    ) throws(ConnectorError) -> any PartitionReader {
        let range = try store.offsets(of: place)
        let start = max(range.start, handled.next, selection.offset ?? 0)
        return try store.makeReader(place, from: min(range.end, start))
    }

    /// Reads the next records; `false` at the end.
    func read(
        _ batch: RecordBatch,
        from reader: any PartitionReader,
        _ topic: String
    ) throws(ConnectorError) -> Bool {
        batch.reset(topic: topic)
        return try reader.read(into: batch) > 0
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
