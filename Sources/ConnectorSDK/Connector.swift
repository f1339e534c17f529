public import Logging

/// A place in a topic: the topic and one of its partitions.
public struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The topic's name.
    public var topic: String
    /// The partition's number, from 0.
    public var partition: Int32

    /// Makes a topic partition.
    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    /// Kafka's directory name, such as `orders-0`.
    public var description: String { "\(topic)-\(partition)" }

    /// Orders by topic, then partition.
    public static func < (left: Self, right: Self) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

/// How far a source has come in one of its own parts: a file, a table, a slot.
///
/// Stored with the records it belongs to, in one commit (D3), and shown by `offsets show`.
public struct SourcePosition: Hashable, Sendable {
    /// Names the part, such as a file's fingerprint or a table.
    public var partition: String
    /// The place in the part as a JSON object, such as `{"byte":4096,"line":17}`.
    public var offset: String

    /// Makes a position.
    public init(partition: String, offset: String) {
        self.partition = partition
        self.offset = offset
    }
}

/// What a connector gets besides its configuration.
public struct ConnectorContext: Sendable {
    /// The connector's name in the pipeline file.
    public var name: String
    /// This task's number, from 0.
    public var taskID: Int
    /// The number of tasks that share the connector's work.
    public var taskCount: Int
    /// Whether growing and polled input ends where it ended at start.
    public var untilEnd: Bool
    /// Whether a sink must know of each batch that it is written, before `write` returns.
    ///
    /// True after the sink was refused batches that it wrote together
    /// (``ConnectorError/Code/refusedTogether``), so that the record at fault is found.
    public var answersEachBatch = false
    /// A directory of the connector's own for state that cannot live in a position; it is created
    /// on demand by the connector.
    public var stateDirectory: String
    /// The formats that can be named in a configuration.
    public var formats: FormatCatalog
    /// For what an operator would act on.
    public var logger: Logger
    /// The worker's topics, when the connector says that it reads or writes them
    /// (``SourceConnector/readsTopics``, ``SinkConnector/writesTopics``) and is about to run.
    public var makeTopicAccess: (@Sendable () throws(ConnectorError) -> any TopicAccess)?
    /// How many partitions a topic of this worker has, for a sink that creates one like it.
    public var countPartitions: @Sendable (String) throws(ConnectorError) -> Int32? = {
        (_) throws(ConnectorError) in nil
    }
    /// Replaces the secrets of the configuration in a text by the references they came from. (D8)
    ///
    /// For texts that the connector has not written itself and puts into the log, such as what a
    /// program says. Errors go through it in any case.
    public var redact: @Sendable (String) -> String = { $0 }

    /// Makes a context.
    public init(
        name: String,
        taskID: Int = 0,
        taskCount: Int = 1,
        untilEnd: Bool = false,
        stateDirectory: String,
        formats: FormatCatalog,
        logger: Logger
    ) {
        self.name = name
        self.taskID = taskID
        self.taskCount = taskCount
        self.untilEnd = untilEnd
        self.stateDirectory = stateDirectory
        self.formats = formats
        self.logger = logger
    }
}

/// What a plug-in of any kind says of itself.
public protocol Plugin: SendableMetatype {
    /// The name used in configurations, such as `sqlite`.
    static var name: String { get }
    /// One sentence for lists.
    static var summary: String { get }
    /// The keys it takes.
    static var configuration: ConfigSpec { get }
}

/// Where a source puts the batches it reads, and learns whether to go on.
///
/// All calls are made from the source's own `run`.
public protocol RecordOutlet: AnyObject {
    /// Returns an empty batch for `topic`, recycled where possible.
    func makeBatch(topic: String, schema: Schema) -> RecordBatch

    /// Takes a batch, and the source's position after it.
    ///
    /// Suspends until the engine has room, which is the only back-pressure there is. The records
    /// and the position become durable together (D3), some time later. While it is suspended the
    /// engine may call ``SourceConnector/acknowledge(through:)``. The batch must not be used again.
    func send(_ batch: RecordBatch, position: SourcePosition) async throws(ConnectorError)

    /// Takes batches that belong together, and the source's position after all of them.
    ///
    /// For sources whose position does not move topic by topic, such as a database's log: all
    /// records of all batches and the position are one commit (D3), in the order given. What holds
    /// for ``send(_:position:)`` of one batch holds here too.
    func send(
        _ batches: [RecordBatch],
        position: SourcePosition
    ) async throws(ConnectorError)

    /// Notes positions without records, such as the end of a file in which nothing was left.
    func advance(to position: SourcePosition) async throws(ConnectorError)

    /// Forgets a part: its position is removed, behind all that was sent before.
    ///
    /// For sources whose parts come and go, such as files that are deleted when they are read, once
    /// the part itself is gone: after a crash before that, the position is still there. Nothing is
    /// acknowledged for it.
    func forget(_ partition: String) async throws(ConnectorError)

    /// Waits until all that was sent is durable and acknowledged.
    func settle() async throws(ConnectorError)

    /// Waits for up to `duration`, acknowledging meanwhile; returns early when the task must stop.
    func idle(for duration: Duration) async throws(ConnectorError)

    /// Returns a function that makes ``idle(for:)`` return early: the call in progress, or else
    /// the next one.
    ///
    /// For sources that learn of new input on another thread. It may be called from any thread, at
    /// any time, also after the task has ended.
    func makeWaker() -> @Sendable () -> Void

    /// Whether the source should return from `run` at the next convenient place.
    var isStopping: Bool { get }
}

/// A connector that reads records from another system.
///
/// The engine makes one instance per task, on the task's own thread, and never calls it from two
/// places at once: methods may block, and state needs no lock. After a ``ConnectorError`` with
/// `.retry` it makes a new instance, which starts from the last durable positions.
public protocol SourceConnector: Plugin, AnyObject {
    /// Whether `format` chooses a ``RecordFormat`` whose keys the connector also takes.
    static var usesFormat: Bool { get }

    /// Whether the records come from this worker's topics, which `topics` or `topics.regex` name.
    ///
    /// They are sent as the topics hold them, each batch of one partition whose topic is the
    /// batch's ``RecordBatch/origin``, and the engine decodes them when transforms or keys ask for
    /// fields. Positions are the offsets of a consumer group (``SourcePosition/init(_:next:)``).
    static var readsTopics: Bool { get }

    /// Whether the records come from topics of another cluster, as those hold them: opaque keys and
    /// values, which the engine decodes by the converters when transforms or keys ask for fields.
    ///
    /// Topics are created with as many partitions as ``partitions(of:)`` says, and
    /// ``placement`` says where records go.
    static var mirrorsTopics: Bool { get }

    /// The fields that values can have, if the configuration says it; a source that
    /// ``usesFormat`` is not asked, but its format.
    static func fields(_ configuration: Configuration) throws(ConnectorError) -> KnownFields

    /// How a source that reads or mirrors topics has its records placed.
    var placement: RecordPlacement { get }

    /// How many partitions a topic has to have that is created for records of this source, unless
    /// the configuration says it; `nil` for the configuration's default.
    func partitions(of topic: String) -> Int32?

    /// The topic in which a source of captured changes says that transactions are complete; `nil`
    /// for all others.
    static func transactionTopic(
        _ configuration: Configuration
    ) throws(ConnectorError) -> CapturedTransactionTopic?

    /// Looks at what the connector needs of the other system: that it can be reached, that it
    /// allows what will be asked of it, that there is room.
    ///
    /// Called instead of running it, on a thread of its own, before any instance is made. It
    /// changes nothing, reads no records, and ends by itself within seconds also when nobody
    /// answers. The first check should say whether the other system was reached at all.
    ///
    /// - Returns: everything that was looked at, in the order to read it.
    /// - Throws: what keeps it from looking at anything; shown as one check that failed.
    static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck]

    /// Makes one task's instance. Checks what can be checked without touching the other system.
    init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError)

    /// Whether the source comes to an end by itself.
    var isBounded: Bool { get }

    /// The bytes of input in all, as far as they are known, for progress; `nil` when unknown.
    ///
    /// Asked for after every batch, and compared with the bytes of ``RecordMetadata/raw``.
    var inputBytes: Int64? { get }

    /// Reads from `positions` until there is nothing left or the outlet says to stop.
    ///
    /// - Parameters:
    ///   - positions: the last durable position of every part, of all tasks.
    ///   - outlet: takes what is read.
    /// - Throws: what the outlet threw, or why reading cannot go on.
    func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError)

    /// Lets the other system forget everything through `positions`: they are durable (D1).
    func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError)
}

extension SourceConnector {
    /// Most sources have no format.
    public static var usesFormat: Bool { false }

    /// Most sources read another system.
    public static var readsTopics: Bool { false }

    /// Most sources make records of something else.
    public static var mirrorsTopics: Bool { false }

    /// Most sources know nothing of partitions.
    public func partitions(of topic: String) -> Int32? { nil }

    /// Most sources learn of the fields from the other system.
    public static func fields(
        _ configuration: Configuration
    ) throws(ConnectorError) -> KnownFields { .unknown }

    /// Order within a partition is kept.
    public var placement: RecordPlacement { .keep }

    /// Most sources know nothing of transactions.
    public static func transactionTopic(
        _ configuration: Configuration
    ) throws(ConnectorError) -> CapturedTransactionTopic? { nil }

    /// Most connectors need nothing that could be looked at.
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] { [] }

    /// Most sources do not know how much there is.
    public var inputBytes: Int64? { nil }
}

/// What a sink wants to be given.
public enum SinkInput: Sendable {
    /// Values as the topic holds them: opaque bytes, never parsed.
    case opaque
    /// Values as fields, from the value converter; keys as fields, from the key converter.
    case fields
    /// Values and keys as the topic holds them, or fields where transforms have been at work; keys
    /// that no transform touched stay as the topic holds them.
    case encoded
    /// Values and keys as topics hold them, also behind transforms; keys that no transform touched
    /// stay byte for byte, and a record that was given another key asks for no partition.
    case bytes
}

/// A connector that writes records to another system.
///
/// The engine makes one instance per task, on the task's own thread. It calls ``open(_:)``, then
/// ``write(_:)`` any number of times, then ``commit(_:)``, and so on, and ``close()`` at the end.
/// After an error it closes the instance and makes a new one.
public protocol SinkConnector: Plugin, AnyObject {
    /// Whether `format` chooses a ``RecordFormat`` whose keys the connector also takes.
    static var usesFormat: Bool { get }

    /// Whether records go to this worker's topics, which `topic` names.
    static var writesTopics: Bool { get }

    /// Looks at what the connector needs of the other system: that it can be reached, that it
    /// allows what will be asked of it, that there is room.
    ///
    /// Called instead of running it, on a thread of its own, before any instance is made. It
    /// changes nothing, reads no records, and ends by itself within seconds also when nobody
    /// answers. The first check should say whether the other system was reached at all.
    ///
    /// - Returns: everything that was looked at, in the order to read it.
    /// - Throws: what keeps it from looking at anything; shown as one check that failed.
    static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck]

    /// Makes one task's instance. Checks what can be checked without touching the other system.
    init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError)

    /// What the batches given to ``write(_:)`` hold.
    var input: SinkInput { get }

    /// How many records the sink would like to take between two commits, as things stand now.
    ///
    /// The engine asks again for each transaction, and commits sooner when records stop coming or
    /// enough time has passed.
    var preferredTransactionRecords: Int { get }

    /// Prepares for records of these partitions.
    ///
    /// A sink that keeps offsets in its target, in the same transaction as the records, returns
    /// for each partition the next offset to read; it is then exactly-once. Others return `nil`,
    /// and the engine keeps their offsets.
    func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]?

    /// Writes a batch of one partition, in order.
    ///
    /// An error with `.rejectRecord` means that the batch had no effect at all; the engine then
    /// writes parts of it to find the record at fault.
    func write(_ batch: RecordBatch) async throws(ConnectorError)

    /// Makes everything written so far durable, together with `offsets`: for each partition the
    /// next offset to read (D2). Called also when only offsets moved.
    func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError)

    /// Does what time alone makes due, such as completing a file that has become old.
    ///
    /// The engine calls it about once a second while no records come, when everything written is
    /// committed.
    func idle() async throws(ConnectorError)

    /// Lets go of everything; what was not committed may be lost. Also called after errors.
    func close() async
}

extension SinkConnector {
    /// Most sinks have no format.
    public static var usesFormat: Bool { false }

    /// Most sinks write to another system.
    public static var writesTopics: Bool { false }

    /// Most connectors need nothing that could be looked at.
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] { [] }

    /// Four full batches, so that the cost of a commit is spread thin.
    public var preferredTransactionRecords: Int { 4 * RecordBatch.rowLimit }

    /// Most sinks have nothing to do between records.
    public func idle() async throws(ConnectorError) {}
}
