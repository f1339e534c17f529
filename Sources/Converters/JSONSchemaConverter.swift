public import ConnectorSDK
internal import JSONRecords

/// Values and keys in the envelope of Kafka Connect's JsonConverter with `schemas.enable=true`.
///
/// Reads and writes int8 to int64, float, double, boolean, string, bytes, struct, array and map
/// (these three as JSON), and the logical Decimal, Date, Time and Timestamp. What those cannot hold
/// exactly is written with Debezium's logical types: microseconds, zones, UUIDs, JSON.
public final class JSONSchemaConverter: Converter {
    /// The converter's name.
    public static let name = "json-schema"
    /// One sentence for lists.
    public static let summary = "JSON in Kafka Connect's envelope of schema and payload."
    /// The keys.
    public static let configuration = ConfigSpec()

    private let reader = ConnectEnvelopeReader()
    private let keyReader = ConnectEnvelopeReader()
    private let cells = ConnectCells()
    private let parser = JSONRecordParser()
    private let values = ConnectEnvelopeWriter()
    private let keyWriter = ConnectEnvelopeWriter()
    private let keys = JSONKeys()
    private let output = OutputBuffer(capacity: 64 << 10)
    private var rejected: [(row: Int, error: ConnectorError)] = []

    /// Makes an instance.
    public init(configuration: Configuration) throws(ConnectorError) {}

    // MARK: - Reading

    /// Parses payloads into fields of the types that the schemas say.
    public func decodeValues(
        _ batch: RecordBatch,
        rest: RecordBatch,
        schemas: any SchemaRegistry
    ) throws(ConnectorError) {
        guard batch.schema.isOpaque, batch.count > 0 else { return }
        OpaqueValues.noteRaw(batch)
        rejected.removeAll(keepingCapacity: true)
        var current: ConnectSchema?
        var lastSchema = batch.schema
        var columns: [ConnectKind?] = []
        batch.replaceValues(with: Schema([Field]()))
        for row in batch.indices where !batch.metadata(row).pointee.isTombstone {
            do throws(ConnectorError) {
                let envelope = try reader.read(batch.metadata(row).pointee.raw, in: batch)
                if let current, current !== envelope.schema {
                    batch.split(at: row, into: rest)
                    break
                }
                if current == nil {
                    current = envelope.schema
                    parser.begin(batch, schema: envelope.schema.schema)
                }
                if envelope.isNull {
                    batch.metadata(row).pointee.isTombstone = true
                    continue
                }
                guard try parse(envelope.payload, into: batch, row: row) else {
                    batch.split(at: row, into: rest)
                    break
                }
                if batch.schema !== lastSchema {
                    lastSchema = batch.schema
                    columns = batch.schema.names.map { current?.kinds[$0] ?? nil }
                }
                try restore(columns, batch, row: row)
            } catch {
                rejected.append((row, error))
            }
        }
        batch.reject(rejected)
    }

    /// Parses a payload; `false` when it needs another batch.
    private func parse(
        _ payload: UnsafeRawBufferPointer,
        into batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> Bool {
        switch parser.parse(payload, into: batch, row: row) {
        case .parsed: return true
        case .conflict: return false
        case .invalid(let error): throw JSONConverter.refusal(error)
        }
    }

    private func restore(
        _ columns: [ConnectKind?],
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) {
        let row = batch.row(row)
        for (column, kind) in columns.enumerated() {
            guard let kind else { continue }
            guard let cell = cells.decode(row[column], as: kind, in: batch) else {
                throw JSONConverter.mismatch(batch.schema.fields[column].name)
            }
            row[column] = cell
        }
    }

    /// Parses keys into fields: the payload of an envelope, or what there is without one.
    ///
    /// Their logical types are not restored; keys are compared, and for that text will do.
    public func decodeKeys(_ batch: RecordBatch) throws(ConnectorError) {
        guard let schema = batch.keySchema, schema.isOpaque else { return }
        for row in batch.indices {
            guard let key = batch.keyRow(row), key.pointee.isSlice else { continue }
            do throws(ConnectorError) {
                let envelope = try keyReader.read(key.pointee.slice, in: batch)
                key.pointee = envelope.isNull ? .null : .slice(.bytes, envelope.payload)
            } catch {
                continue
            }
        }
        keys.decode(batch)
    }

    // MARK: - Writing

    /// The value in its envelope; bytes that nobody parsed as they are.
    public func encodeValue(
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        if batch.metadata(row).pointee.isTombstone { return nil }
        if batch.schema.isOpaque {
            let cell = batch[row, 0]
            return cell.isSlice ? cell.slice : nil
        }
        output.count = 0
        try values.write(batch.row(row), of: batch.schema, into: output)
        return output.bytes
    }

    /// The key in its envelope; an opaque key as it is.
    public func encodeKey(
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        guard let schema = batch.keySchema, let cells = batch.keyRow(row) else { return nil }
        if schema.isOpaque { return cells.pointee.isSlice ? cells.pointee.slice : nil }
        if batch.lacks(.key, row: row) { return nil }
        output.count = 0
        try keyWriter.write(cells, of: schema, into: output)
        return output.bytes
    }

    /// Every value has its schema with it.
    public func schemaID(
        for schema: Schema,
        schemas: any SchemaRegistry
    ) throws(ConnectorError) -> Int32? { nil }
}
