/// The worker's own topics, for connectors whose other system they are.
///
/// One instance serves one task, on its thread. Which topics are read, and where a partition that
/// was never read begins, the engine takes from the keys that all readers of topics have.
public protocol TopicAccess: AnyObject {
    /// The task's share of the partitions that exist now.
    ///
    /// Topics and partitions may come while a task runs.
    func partitions() throws(ConnectorError) -> [TopicPartition]

    /// Opens partitions where the connector's last commit left them, and has the outlet's
    /// ``RecordOutlet/idle(for:)`` return when one of them has new records.
    ///
    /// - Throws: an error with the numbers, also from the readers, when retention has removed what
    ///   was to be read next. (D6)
    func open(_ partitions: [TopicPartition]) throws(ConnectorError) -> [any PartitionReader]

    /// Whether nothing in this run will bring more than the topics hold now.
    ///
    /// Ask before reading: what comes afterwards is not there any more.
    var mayEnd: Bool { get }

    /// Makes what a sink appends with.
    func makeAppender(_ placement: RecordPlacement) throws(ConnectorError) -> any TopicAppender
}

/// How records that come from one topic are placed in another.
public enum RecordPlacement: String, Sendable, CaseIterable {
    /// In the partition of the same number, unless the record was given another key.
    case keep
    /// By the hash of the key.
    case hash
}

/// Appends records to topics, and commits them together with the offsets they were read at.
public protocol TopicAppender: AnyObject {
    /// The offsets of the last commit: for each partition the next one to read.
    func committedOffsets(
        of partitions: [TopicPartition]
    ) throws(ConnectorError) -> [TopicPartition: Int64]

    /// Takes records for `topic`; those that cannot be written are rejected in the batch.
    func append(_ batch: RecordBatch, to topic: String) throws(ConnectorError)

    /// Makes all that was appended durable together with `offsets` (D2, D3), and waits for it.
    func commit(_ offsets: [TopicPartition: Int64]) throws(ConnectorError)

    /// Gives up what is not committed.
    func close()
}

/// Reads one partition, forwards.
public protocol PartitionReader: AnyObject {
    /// Appends records to `batch` as opaque keys and values, up to its limits and to the high
    /// watermark; returns how many.
    ///
    /// The batch has an opaque key schema when any record has a key; each row's metadata has
    /// offset, partition, timestamp, headers, raw value and tombstone mark. Never blocks for new
    /// records.
    ///
    /// - Throws: `topics.offset_out_of_range` with the numbers, when retention has removed what was
    ///   to be read next; `topics.corrupt` when a batch's CRC is wrong.
    func read(into batch: RecordBatch) throws(ConnectorError) -> Int

    /// The offset to be read next.
    var nextOffset: Int64 { get }

    /// Goes to another offset.
    func seek(to offset: Int64) throws(ConnectorError)
}

extension SourcePosition {
    /// The position of a reader of topics: the next offset of a partition.
    public init(_ partition: TopicPartition, next offset: Int64) {
        self.init(partition: partition.description, offset: String(offset))
    }

    /// The partition and its next offset, of a reader of topics; `nil` of any other source.
    public var topicOffset: (partition: TopicPartition, next: Int64)? {
        guard let dash = partition.lastIndex(of: "-"), let next = Int64(offset),
            let number = Int32(partition[partition.index(after: dash)...])
        else { return nil }
        return (TopicPartition(String(partition[..<dash]), number), next)
    }
}
