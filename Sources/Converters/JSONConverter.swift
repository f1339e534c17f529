public import ConnectorSDK
internal import JSONRecords

/// Values and keys as plain JSON, which every reader understands.
///
/// What JSON has no types for — bytes, dates, times, exact precisions — is written as text that
/// people read as well, and the types go into a schema that is registered once with the topic
/// store. Records then carry its id in the header `millrace.schema`, and reading restores the
/// types.
public final class JSONConverter: Converter {
    /// The converter's name.
    public static let name = "json"
    /// One sentence for lists.
    public static let summary = "Plain JSON; types survive through a schema beside the records."
    /// The keys.
    public static let configuration = ConfigSpec()

    private var plainParsers = TopicParsers()
    private let typedParser = JSONRecordParser()
    private let valueWriter = JSONRecordWriter(hasTypes: true)
    private let keys = JSONKeys()
    private let output = OutputBuffer(capacity: 64 << 10)
    private var knownSchemas: [Int32: Schema] = [:]
    /// By identity, which stands because the schemas are kept.
    private var registered: [ObjectIdentifier: (schema: Schema, id: Int32)] = [:]
    private static let registeredLimit = 1_024
    private var restorer: TypeRestorer?
    private let wholeSchema = Schema.whole(.value)
    private var rejected: [(row: Int, error: ConnectorError)] = []

    /// Makes an instance.
    public init(configuration: Configuration) throws(ConnectorError) {}

    // MARK: - Reading

    /// Parses values into fields.
    public func decodeValues(
        _ batch: RecordBatch,
        rest: RecordBatch,
        schemas: any SchemaRegistry
    ) throws(ConnectorError) {
        guard batch.schema.isOpaque, batch.count > 0 else { return }
        OpaqueValues.noteRaw(batch)
        // A tombstone has no fields, but says whose the key's are.
        let first =
            batch.indices.first { !batch.metadata($0).pointee.isTombstone } ?? batch.indices.first
        let id = first.flatMap { SchemaHeader.id(batch.metadata($0).pointee) }
        let typed = try id.flatMap { id throws(ConnectorError) in try schema(id, in: schemas) }
        let parser = typed == nil ? plainParsers[batch.topic] : typedParser
        parser.begin(batch, schema: typed)
        let rawIsJSON =
            id != nil && typed == nil
            ? rejectRows(batch, id: id, rest: rest)
            : parseRows(batch, id: id, with: parser, rest: rest)
        if typed != nil { restoreTypes(batch) }
        if typed == nil, OpaqueValues.areWhole(batch) { batch.rename(to: wholeSchema) }
        batch.reject(rejected)
        batch.rawIsJSON = rawIsJSON && typed == nil
        rejected.removeAll(keepingCapacity: true)
    }

    /// Parses rows up to the first that cannot share the schema.
    ///
    /// - Returns: whether the raw text of every row can stand on a line of its own.
    private func parseRows(
        _ batch: RecordBatch,
        id: Int32?,
        with parser: JSONRecordParser,
        rest: RecordBatch
    ) -> Bool {
        var isClean = true
        for row in batch.indices {
            let metadata = batch.metadata(row)
            if metadata.pointee.isTombstone { continue }
            guard SchemaHeader.id(metadata.pointee) == id else {
                batch.split(at: row, into: rest)
                return isClean
            }
            switch parser.parse(metadata.pointee.raw, into: batch, row: row) {
            case .parsed:
                if parser.mayHaveLineBreak, OpaqueValues.hasLineBreak(metadata.pointee.raw) {
                    isClean = false
                }
            case .invalid(let error): rejected.append((row, Self.refusal(error)))
            case .conflict:
                batch.split(at: row, into: rest)
                return isClean
            }
        }
        return isClean
    }

    /// Rejects rows up to the first that has another schema: theirs is not in the store.
    private func rejectRows(_ batch: RecordBatch, id: Int32?, rest: RecordBatch) -> Bool {
        for row in batch.indices where !batch.metadata(row).pointee.isTombstone {
            guard SchemaHeader.id(batch.metadata(row).pointee) == id else {
                batch.split(at: row, into: rest)
                break
            }
            rejected.append((row, Self.unknownSchema(id)))
        }
        return false
    }

    private func restoreTypes(_ batch: RecordBatch) {
        if restorer?.schema !== batch.schema { restorer = TypeRestorer(batch.schema) }
        guard let restorer, !restorer.isTrivial else { return }
        var next = 0
        for row in batch.indices {
            if next < rejected.count, rejected[next].row == row {
                next += 1
                continue
            }
            guard let field = restorer.restore(batch, row: row) else { continue }
            rejected.insert((row, Self.mismatch(field)), at: next)
            next += 1
        }
    }

    private func schema(
        _ id: Int32,
        in schemas: any SchemaRegistry
    ) throws(ConnectorError) -> Schema? {
        if let known = knownSchemas[id] { return known }
        guard let text = try schemas.schema(id), let schema = SchemaText.read(text) else {
            return nil
        }
        knownSchemas[id] = schema
        return schema
    }

    /// Parses keys into fields.
    public func decodeKeys(_ batch: RecordBatch) throws(ConnectorError) { keys.decode(batch) }

    // MARK: - Writing

    /// The value as JSON text; bytes that nobody parsed as they are.
    public func encodeValue(
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        if batch.metadata(row).pointee.isTombstone { return nil }
        if batch.schema.isOpaque {
            let cell = batch[row, 0]
            return cell.isSlice ? cell.slice : nil
        }
        if batch.rawIsJSON, batch.metadata(row).pointee.rawLength > 0 {
            return batch.metadata(row).pointee.raw
        }
        output.count = 0
        try valueWriter.writeObject(batch.row(row), of: batch.schema, into: output)
        return output.bytes
    }

    /// The key as a JSON object; an opaque key as it is.
    public func encodeKey(
        _ batch: RecordBatch,
        row: Int
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        try keys.encode(batch, row: row)
    }

    /// Registers a schema that declares types.
    public func schemaID(
        for schema: Schema,
        schemas: any SchemaRegistry
    ) throws(ConnectorError) -> Int32? {
        if let known = registered[ObjectIdentifier(schema)] { return known.id }
        guard !schema.isOpaque, schema.fields.contains(where: \.declaresType) else { return nil }
        let id = try schemas.register(SchemaText.write(schema))
        if registered.count == Self.registeredLimit { registered.removeAll() }
        registered[ObjectIdentifier(schema)] = (schema, id)
        return id
    }

    // MARK: - Errors

    internal static func refusal(_ error: JSONSyntaxError) -> ConnectorError {
        ConnectorError(
            .init("json.syntax"),
            .rejectRecord,
            "The value is not JSON: \(error.reason.rawValue) at its byte \(error.offset).",
            hint: "Set value.converter to string or bytes for values that are not JSON."
        )
    }

    internal static func mismatch(_ field: String) -> ConnectorError {
        ConnectorError(
            .init("json.type_mismatch"),
            .rejectRecord,
            "The field `\(field)` does not hold what the record's schema says."
        )
    }

    private static func unknownSchema(_ id: Int32?) -> ConnectorError {
        ConnectorError(
            .init("json.unknown_schema"),
            .rejectRecord,
            "The record's header names schema \(id ?? 0), which the topic store does not have."
        )
    }
}

extension Field {
    fileprivate var declaresType: Bool { type != .any || nativeType != nil }
}
