public import ConnectorSDK

/// Durable, partitioned topics, and the places in them that belong to connectors.
///
/// Implementations are safe to use from any thread. Calls may block on the disk, so they belong on
/// a task's own thread. Everything that throws here throws a ``ConnectorSDK/ConnectorError`` whose
/// codes begin with `topics.`.
public protocol TopicStore: SchemaRegistry, Sendable {
    /// All topics, by name.
    func topics() throws(ConnectorError) -> [TopicDescription]

    /// One topic, or `nil` when it does not exist.
    func describe(_ topic: String) throws(ConnectorError) -> TopicDescription?

    /// Creates a topic; throws `topics.exists` when there is one of that name.
    func create(
        _ topic: String,
        partitions: Int32,
        settings: TopicSettings
    ) throws(ConnectorError)

    /// Replaces a topic's settings.
    func alter(_ topic: String, settings: TopicSettings) throws(ConnectorError)

    /// Deletes a topic and its records.
    func delete(_ topic: String) throws(ConnectorError)

    /// The log start offset and the high watermark of a partition.
    func offsets(of partition: TopicPartition) throws(ConnectorError) -> OffsetRange

    /// What ``offsets(of:)`` would say as far as it is known here, for showing how far a reader is:
    /// asks nobody, and blocks on nothing.
    func knownOffsets(of partition: TopicPartition) -> OffsetRange?

    /// The first offset whose record has a timestamp of at least `timestamp` (milliseconds), or
    /// the high watermark when there is none.
    func offset(
        of partition: TopicPartition,
        atOrAfter timestamp: Int64
    ) throws(ConnectorError) -> Int64

    /// Whether there are offsets that no record has, such as those of commits.
    var offsetsHaveGaps: Bool { get }

    /// Makes a producer of the moment, which shares nothing with any other.
    func makeProducer() throws(ConnectorError) -> any TopicProducer

    /// Makes the producer of a task, which runs in one process at a time.
    ///
    /// An earlier one of the same name, in whatever process, can commit nothing any more when this
    /// returns: positions that are read from then on are the last ones. (D3)
    func makeProducer(ofTask name: String) throws(ConnectorError) -> any TopicProducer

    /// Makes a reader of one partition, for one task, which gives records from `offset` on.
    func makeReader(
        _ partition: TopicPartition,
        from offset: Int64
    ) throws(ConnectorError) -> any PartitionReader

    /// Has `signal` raised whenever one of `partitions` has new records, until it is removed.
    func add(_ signal: AppendSignal, for partitions: [TopicPartition]) throws(ConnectorError)

    /// Stops raising `signal`.
    func remove(_ signal: AppendSignal)

    /// The positions of a source connector: its parts and, for each, the offset as JSON text.
    func positions(of connector: String) throws(ConnectorError) -> [String: String]

    /// Replaces positions of a source connector; an offset of `nil` removes one. Durable on return.
    func setPositions(
        of connector: String,
        to positions: [String: String?]
    ) throws(ConnectorError)

    /// The names of all connectors that have positions.
    func connectorsWithPositions() throws(ConnectorError) -> [String]

    /// What the transforms of a connector remember: for each of them its entries.
    func transformStates(of connector: String) throws(ConnectorError) -> [String: [StateEntry]]

    /// Forgets what the transforms of a connector remember, and returns how many entries that were.
    /// Durable on return.
    @discardableResult
    func removeTransformStates(of connector: String) throws(ConnectorError) -> Int

    /// The offsets of a consumer group: for each partition the next offset to read.
    func groupOffsets(_ group: String) throws(ConnectorError) -> [TopicPartition: Int64]

    /// Stores offsets of a consumer group; `nil` removes one. Durable on return.
    func commitGroupOffsets(
        _ group: String,
        _ offsets: [TopicPartition: Int64?]
    ) throws(ConnectorError)

    /// The names of all groups.
    func groups() throws(ConnectorError) -> [String]

    /// Who is a member of a group, or `nil` where groups have no members.
    func membership(of group: String) throws(ConnectorError) -> GroupMembership?

    /// Removes a group and its offsets. Durable on return.
    func deleteGroup(_ group: String) throws(ConnectorError)

    /// Has every call that waits for another machine end by then, with an error that may pass.
    ///
    /// Called when a run is to end.
    func stopWaiting(after duration: Duration)

    /// Lets go of everything; nothing else may be called afterwards.
    func close()
}

extension TopicStore {
    /// For a store that has one process to itself.
    public func makeProducer(ofTask name: String) throws(ConnectorError) -> any TopicProducer {
        try makeProducer()
    }

    /// For a store whose offsets are those of records, but for what compaction takes.
    public var offsetsHaveGaps: Bool { false }

    /// For a store that one process has to itself.
    public func membership(of group: String) throws(ConnectorError) -> GroupMembership? { nil }

    /// For a store whose groups are their offsets and nothing else.
    public func deleteGroup(_ group: String) throws(ConnectorError) {
        let removed = try groupOffsets(group).mapValues { _ in Int64?.none }
        try commitGroupOffsets(group, removed)
    }

    /// For a store that waits for nobody.
    public func stopWaiting(after duration: Duration) {}

    /// For a store that knows its offsets without asking.
    public func knownOffsets(of partition: TopicPartition) -> OffsetRange? {
        try? offsets(of: partition)
    }
}

/// A topic as `topics describe` shows it.
public struct TopicDescription: Sendable, Hashable {
    /// The name.
    public var name: String
    /// The number of partitions.
    public var partitions: Int32
    /// How it is kept.
    public var settings: TopicSettings

    /// Makes a description.
    public init(name: String, partitions: Int32, settings: TopicSettings) {
        self.name = name
        self.partitions = partitions
        self.settings = settings
    }
}

/// The offsets between which a partition can be read.
public struct OffsetRange: Sendable, Hashable {
    /// The first offset that still exists.
    public var start: Int64
    /// One past the last offset that readers may see: the high watermark.
    public var end: Int64

    /// Makes a range.
    public init(start: Int64, end: Int64) {
        self.start = start
        self.end = end
    }
}

/// Batches, positions and group offsets that become durable together or not at all. (D3)
public struct CommitUnit {
    /// Encoded record batches, each for one partition, in the order to append them.
    public var batches: [(partition: TopicPartition, batch: EncodedBatch)] = []
    /// For each source connector, the positions that these records bring it to.
    public var positions: [(connector: String, position: SourcePosition)] = []
    /// Parts of source connectors whose positions are removed; none of them is in ``positions``.
    public var forgotten: [(connector: String, partition: String)] = []
    /// Offsets of consumer groups that these records bring them to.
    public var groupOffsets: [(group: String, partition: TopicPartition, offset: Int64)] = []

    /// What transforms of source connectors remember from these records on.
    public var states: [(connector: String, transform: String, changes: StateChanges)] = []

    /// Makes an empty unit.
    public init() {}
}

/// Appends to topics on behalf of one task.
public protocol TopicProducer: AnyObject {
    /// Returns a builder for the next batch, recycled where possible.
    func makeBuilder() -> RecordBatchBuilder

    /// Hands over a unit, and returns its ticket. Tickets count up from 1.
    ///
    /// Blocks while too many bytes are waiting to become durable. Units of one producer become
    /// durable in order.
    func submit(_ unit: CommitUnit) throws(ConnectorError) -> Int64

    /// The ticket through which everything submitted is durable.
    ///
    /// - Throws: why a unit could not be made durable. It and all later units had no effect; the
    ///   producer is of no more use.
    func durableTicket() throws(ConnectorError) -> Int64

    /// Blocks until everything through `ticket` is durable, or until `deadline`.
    ///
    /// - Returns: ``durableTicket()``.
    func waitUntilDurable(
        through ticket: Int64,
        deadline: ContinuousClock.Instant?
    ) throws(ConnectorError) -> Int64

    /// Gives up what is not durable yet.
    func close()
}
