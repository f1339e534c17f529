public import ConnectorSDK

/// Every converter that a configuration can name.
public let builtInConverters: [any Converter.Type] = [
    JSONConverter.self, JSONSchemaConverter.self, StringConverter.self, BytesConverter.self,
]

/// Takes values for text and leaves them alone.
public final class StringConverter: Converter {
    /// The converter's name.
    public static let name = "string"
    /// One sentence for lists.
    public static let summary = "Values and keys are text, which nobody parses."
    /// The keys.
    public static let configuration = ConfigSpec()
    private let opaque = OpaqueBytes(tag: .string)

    /// Makes an instance.
    public init(configuration: Configuration) throws(ConnectorError) {}

    /// Marks values as text, and rejects those that are not UTF-8.
    public func decodeValues(
        _ batch: RecordBatch,
        rest: RecordBatch,
        schemas: any SchemaRegistry
    ) throws(ConnectorError) {
        opaque.decodeValues(batch)
    }

    /// Makes each key one field named `key`.
    public func decodeKeys(_ batch: RecordBatch) throws(ConnectorError) {
        opaque.decodeKeys(batch)
    }

    /// The bytes of an opaque value, or the JSON text of fields.
    public func encodeValue(
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        try opaque.encodeValue(batch, row: row)
    }

    /// The bytes of a key of one field, or the JSON text of several.
    public func encodeKey(
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        try opaque.encodeKey(batch, row: row)
    }

    /// Text has no schema.
    public func schemaID(
        for schema: Schema,
        schemas: any SchemaRegistry
    ) throws(ConnectorError) -> Int32? { nil }
}

/// Leaves bytes alone.
public final class BytesConverter: Converter {
    /// The converter's name.
    public static let name = "bytes"
    /// One sentence for lists.
    public static let summary = "Values and keys are bytes, which nobody parses."
    /// The keys.
    public static let configuration = ConfigSpec()
    private let opaque = OpaqueBytes(tag: .bytes)

    /// Makes an instance.
    public init(configuration: Configuration) throws(ConnectorError) {}

    /// Leaves values as they are.
    public func decodeValues(
        _ batch: RecordBatch,
        rest: RecordBatch,
        schemas: any SchemaRegistry
    ) throws(ConnectorError) {
        opaque.decodeValues(batch)
    }

    /// Makes each key one field named `key`.
    public func decodeKeys(_ batch: RecordBatch) throws(ConnectorError) {
        opaque.decodeKeys(batch)
    }

    /// The bytes of an opaque value, or the JSON text of fields.
    public func encodeValue(
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        try opaque.encodeValue(batch, row: row)
    }

    /// The bytes of a key of one field, or the JSON text of several.
    public func encodeKey(
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        try opaque.encodeKey(batch, row: row)
    }

    /// Bytes have no schema.
    public func schemaID(
        for schema: Schema,
        schemas: any SchemaRegistry
    ) throws(ConnectorError) -> Int32? { nil }
}
