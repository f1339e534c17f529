internal import ConnectorSDK
internal import Glibc
internal import JSONRecords

/// Takes `{"schema":…,"payload":…}` apart.
///
/// Records of one topic mostly repeat the schema byte for byte, so the text up to the payload is
/// kept and compared, and only the payload is parsed.
internal final class ConnectEnvelopeReader {
    /// One envelope.
    struct Envelope {
        var schema: ConnectSchema
        /// The payload's JSON text, in the record's memory or that of the batch.
        var payload: UnsafeRawBufferPointer
        var isNull: Bool
    }

    private static let schemaLimit = 1_000

    private let parser = JSONRecordParser()
    private let parts = RecordBatch()
    private let scratch = OutputBuffer(capacity: 1 << 10)
    private let noSchema = ConnectSchema()
    private var known: [String: ConnectSchema] = [:]
    private var prefix: [UInt8] = []
    private var prefixSchema: ConnectSchema?

    /// Reads the envelope around a value.
    ///
    /// `batch` holds what is not part of the text.
    func read(
        _ text: UnsafeRawBufferPointer,
        in batch: RecordBatch
    ) throws(ConnectorError) -> Envelope {
        if let schema = prefixSchema, text.count > prefix.count + 1,
            let start = text.baseAddress, memcmp(start, prefix, prefix.count) == 0,
            text[text.count - 1] == UInt8(ascii: "}"), text[prefix.count] == UInt8(ascii: "{")
        {
            let payload = UnsafeRawBufferPointer(
                rebasing: text[prefix.count..<(text.count - 1)]
            )
            return Envelope(schema: schema, payload: payload, isNull: false)
        }
        return try readSlowly(text, in: batch)
    }

    private func readSlowly(
        _ text: UnsafeRawBufferPointer,
        in batch: RecordBatch
    ) throws(ConnectorError) -> Envelope {
        parts.reset(topic: batch.topic)
        parser.begin(parts)
        if case .invalid(let error) = parser.append(text, to: parts) {
            throw JSONConverter.refusal(error)
        }
        guard let payloadColumn = parts.schema.index(of: "payload"),
            let schemaColumn = parts.schema.index(of: "schema"),
            parts[0, payloadColumn].tag != .missing, parts[0, schemaColumn].tag != .missing
        else { throw Self.noEnvelope }
        let payload = parts[0, payloadColumn]
        let schema = try schema(parts[0, schemaColumn])
        guard payload.tag == .json else {
            scratch.count = 0
            JSONText.appendCell(payload, to: scratch)
            return Envelope(
                schema: schema,
                payload: batch.arena.copy(scratch.bytes),
                isNull: payload.tag == .null
            )
        }
        remember(text, payload.slice, schema)
        return Envelope(schema: schema, payload: payload.slice, isNull: false)
    }

    /// Remembers the text before the payload, when nothing but a brace follows it.
    private func remember(
        _ text: UnsafeRawBufferPointer,
        _ payload: UnsafeRawBufferPointer,
        _ schema: ConnectSchema
    ) {
        guard let start = text.baseAddress, let inner = payload.baseAddress else { return }
        let offset = inner - start
        guard offset + payload.count + 1 == text.count else { return }
        prefix = Array(text[..<offset])
        prefixSchema = schema
    }

    private func schema(_ cell: Cell) throws(ConnectorError) -> ConnectSchema {
        if cell.tag == .null { return noSchema }
        guard cell.tag == .json else { throw Self.noEnvelope }
        let text = String(decoding: cell.slice, as: UTF8.self)
        if let schema = known[text] { return schema }
        guard let schema = ConnectSchema(text) else {
            throw ConnectorError(
                .init("json-schema.schema"),
                .rejectRecord,
                "The schema in the value is not one that Connect's JsonConverter writes."
            )
        }
        if known.count >= Self.schemaLimit { known.removeAll() }
        known[text] = schema
        return schema
    }

    private static let noEnvelope = ConnectorError(
        .init("json-schema.envelope"),
        .rejectRecord,
        "The value is not an object with `schema` and `payload`.",
        hint: "Set value.converter to json for values without an envelope."
    )
}
