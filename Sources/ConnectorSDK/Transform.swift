/// A change to records between a connector and a topic.
///
/// One instance serves one task, on its thread: state such as the schema it saw last needs no lock.
public protocol Transform: Plugin, AnyObject {
    /// Whether records get other topics than they had, so that only they say where they go.
    static func reroutes(_ configuration: Configuration) -> Bool

    /// The Java class of which this does the work, such as
    /// `org.apache.kafka.connect.transforms.Cast`, by which configurations may name it too.
    static var className: String? { get }

    /// Makes an instance.
    init(configuration: Configuration) throws(ConnectorError)

    /// Says which fields it looks for, and which there are behind it, as far as its configuration
    /// tells.
    ///
    /// So misspelt fields are found before a pipeline runs. What is not certain is to be forgotten
    /// (``RecordOutline/forget()``), as a transform does that says nothing.
    func trace(_ outline: inout RecordOutline)

    /// Changes a batch in place.
    ///
    /// A record that cannot be changed is taken out with ``RecordBatch/reject(row:_:)``; throw only
    /// for what concerns the whole task.
    func apply(_ batch: RecordBatch) throws(ConnectorError)

    /// Changes a batch, or makes several of it, in order.
    ///
    /// For transforms that give records other topics, or columns that one schema does not hold.
    /// What is returned may point into `batch`, and is not used by the transform again. Other
    /// batches it points into are retained (``RecordBatch/retain(_:)``).
    func split(_ batch: RecordBatch) throws(ConnectorError) -> [RecordBatch]
}

extension Transform {
    /// Most transforms leave topics alone.
    public static func reroutes(_ configuration: Configuration) -> Bool { false }

    /// Most have no model in Java.
    public static var className: String? { nil }

    /// Nobody knows what the records are then.
    public func trace(_ outline: inout RecordOutline) { outline.forget() }

    /// Most transforms change a batch in place.
    public func split(_ batch: RecordBatch) throws(ConnectorError) -> [RecordBatch] {
        try apply(batch)
        return [batch]
    }
}

/// A transform that makes records wait.
public protocol PausingTransform: Transform {
    /// Whether the task is to stop; the engine sets it before the first batch.
    ///
    /// A transform that waits asks at least every 100 ms, and waits no more then.
    var isStopping: @Sendable () -> Bool { get set }
}

/// A condition on one record, for transforms that apply to some only.
public protocol Predicate: Plugin, AnyObject {
    /// The Java class of which this does the work, by which configurations may name it too.
    static var className: String? { get }

    /// Makes an instance.
    init(configuration: Configuration) throws(ConnectorError)

    /// Whether the condition holds for a row.
    func matches(_ batch: RecordBatch, row: Int) throws(ConnectorError) -> Bool
}

extension Predicate {
    /// Most have no model in Java.
    public static var className: String? { nil }
}

/// The way between a topic's bytes and fields.
///
/// One instance serves one task and one of key or value.
public protocol Converter: Plugin, AnyObject {
    /// Makes an instance.
    init(configuration: Configuration) throws(ConnectorError)

    /// Replaces opaque values by fields, as far as one schema holds them.
    ///
    /// Records that cannot be read are rejected in the batch. The first record whose fields do not
    /// fit the schema of those before it, and all that follow it, are moved to `rest`, opaque as
    /// they were (``RecordBatch/split(at:into:)``): deliver `batch`, then decode `rest` likewise,
    /// until nothing is left. At least one record is decoded or rejected.
    ///
    /// - Parameters:
    ///   - batch: records as the topic holds them.
    ///   - rest: an empty batch; it stays empty when one schema holds all records.
    ///   - schemas: the schemas that records name.
    /// - Throws: what concerns the whole task, such as a store that cannot be read.
    func decodeValues(
        _ batch: RecordBatch,
        rest: RecordBatch,
        schemas: any SchemaRegistry
    ) throws(ConnectorError)

    /// Replaces opaque keys by fields; a key that is no object becomes one field named `key`.
    func decodeKeys(_ batch: RecordBatch) throws(ConnectorError)

    /// Writes the value of one row as the topic holds it.
    ///
    /// - Returns: the bytes, valid until the next call, or `nil` for a null value.
    func encodeValue(_ batch: RecordBatch, row: Int) throws(ConnectorError)
        -> UnsafeRawBufferPointer?

    /// Writes the key of one row as the topic holds it; `nil` for no key.
    func encodeKey(_ batch: RecordBatch, row: Int) throws(ConnectorError)
        -> UnsafeRawBufferPointer?

    /// The id under which `schema` is registered, for the record header `millrace.schema`, or
    /// `nil` when plain bytes say everything.
    func schemaID(for schema: Schema, schemas: any SchemaRegistry) throws(ConnectorError) -> Int32?
}

/// Where schemas are kept, so that types survive the way through a topic.
public protocol SchemaRegistry: AnyObject {
    /// The id of a schema's JSON text, assigned once.
    func register(_ json: String) throws(ConnectorError) -> Int32
    /// The JSON text of a schema, or `nil` when the id is unknown.
    func schema(_ id: Int32) throws(ConnectorError) -> String?
}
