internal import ConnectorSDK
internal import JSONRecords

/// The parts of a change's value that are not the row, as Debezium has them.
internal struct Envelope {
    let source: CaptureSource
    let prefix: String
    let fields: [Field]

    static let sourceName: StaticString = #","source":"#
    static let transactionName: StaticString = #","transaction":"#
    static let transactionFields = [
        Field("id", .string), Field("total_order", .int64), Field("data_collection_order", .int64),
    ]

    init(_ source: CaptureSource, _ settings: CaptureSettings) {
        self.source = source
        prefix = settings.prefix
        let sourceFields = Self.sourceFields(source)
        fields = [
            Field("source", .object(sourceFields)),
            Field("transaction", .object(Self.transactionFields)),
            Field("op", .string), Field("ts_ms", .int64),
        ]
    }

    private static func sourceFields(_ source: CaptureSource) -> [Field] {
        var fields = ["version", "connector", "name", "db"].map { Field($0, .string) }
        if source.defaultSchema != nil { fields.append(Field("schema", .string)) }
        fields += [
            Field("table", .string), Field("snapshot", .string), Field("ts_ms", .int64),
            Field("ts_us", .int64), Field("txId", .int64),
        ]
        if source.hasSequence { fields.append(Field("sequence", .string)) }
        return fields + [Field(source.positionField, .int64)]
    }

    /// `,"source":{"version":…,"table":"orders"`, which all changes of a table share.
    func sourceText(namespace: String?, table: String?) -> String {
        let output = OutputBuffer(capacity: 256)
        output.append(#","source":{"version":"millrace","connector":"#)
        JSONText.appendString(source.connector, to: output)
        output.append(#","name":"#)
        JSONText.appendString(prefix, to: output)
        output.append(#","db":"#)
        JSONText.appendString(source.database, to: output)
        for (name, value) in [("schema", namespace), ("table", table)] {
            guard let value else { continue }
            output.append(",\"\(name)\":")
            JSONText.appendString(value, to: output)
        }
        return output.text
    }

    /// `,"snapshot":"false","ts_ms":…,"lsn":`, which all changes of a transaction share, up to the
    /// first place where the change's own position belongs.
    func appendMoment(
        _ transaction: CapturedTransaction,
        snapshot: String,
        to output: OutputBuffer
    ) {
        let micros = transaction.microseconds
        let millis = micros / 1_000 - (micros % 1_000 < 0 ? 1 : 0)
        output.append(#","snapshot":""#)
        output.append(snapshot)
        output.append(#"","ts_ms":"#)
        append(millis, to: output)
        output.append(#","ts_us":"#)
        append(micros, to: output)
        output.append(#","txId":"#)
        append(Int64(clamping: transaction.id), to: output)
        if source.hasSequence {
            output.append(#","sequence":"[\""#)
            append(Int64(clamping: transaction.sequence), to: output)
            output.append(#"\",\""#)
        } else {
            output.append(",\"\(source.positionField)\":")
        }
    }

    /// What stands between the two places of a change's position; `nil` when there is one.
    var betweenPositions: String? {
        source.hasSequence ? "\\\"]\",\"\(source.positionField)\":" : nil
    }

    private func append(_ number: Int64, to output: OutputBuffer) {
        JSONText.appendCell(.int(number), to: output)
    }
}

extension OutputBuffer {
    /// What was written, as text.
    internal var text: String {
        // The object could else be released before its bytes are read.
        withExtendedLifetime(self) { String(decoding: bytes, as: UTF8.self) }
    }
}

extension RecordBatch {
    /// Copies what was written to a buffer into the batch's memory.
    internal func copy(_ buffer: OutputBuffer) -> UnsafeRawBufferPointer {
        withExtendedLifetime(buffer) { arena.copy(buffer.bytes) }
    }
}
