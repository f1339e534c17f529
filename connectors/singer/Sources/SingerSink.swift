internal import ChildProcesses
public import ConnectorSDK
internal import JSONDocuments
internal import JSONRecords

/// Gives records to a Singer target, whichever it is.
///
/// A commit ends the target's input with a `STATE` that holds the offsets, and waits until it comes
/// back, which targets do when everything before it is kept. At least once: records that were given
/// and not answered are given again. (D1)
public final class SingerSink: SinkConnector {
    public static let name = "singer"
    public static let summary = "Gives records to a Singer target."

    static let stream = ConfigKey.string(
        "stream",
        default: "${topic}",
        help: """
            The stream's name: `${topic}`, or `${table}`, which is the topic's name behind its \
            last dot.
            """
    )
    static let keyFields = ConfigKey.list(
        "pk.fields",
        help: "The stream's key properties; by default the fields of the record's key."
    )
    static let deletes = ConfigKey.bool(
        "delete.enabled",
        default: false,
        help: """
            Whether a tombstone is given to the target as its key with `_sdc_deleted_at`, which \
            targets of Meltano's SDK take for a deletion. Without it tombstones are rejected.
            """
    )
    static let answerTimeout = ConfigKey.duration(
        "ack.timeout.ms",
        default: .seconds(600),
        in: .milliseconds(1) ... .seconds(86_400),
        help: """
            How long a target may take to end behind the end of its input, and how long it may \
            read nothing before.
            """
    )
    public static let configuration = CommandSettings.spec.with(ProgramConfiguration.config)
        .with(stream).with(keyFields).with(deletes).with(answerTimeout)

    private static let deletedAt = "_sdc_deleted_at"

    private let command: CommandSettings
    private let config: String
    private let streamTemplate: String
    private let keyFields: [String]
    private let takesDeletes: Bool
    private let answerTimeout: Duration
    private let context: ConnectorContext
    private let writer = JSONRecordWriter()
    private let keyWriter = JSONRecordWriter()
    private let output = OutputBuffer()
    private var schemas: [String: StreamSchema] = [:]
    private var run: TargetRun?
    private var commits: Int64 = 0

    public init(
        configuration: Configuration,
        context: ConnectorContext
    ) throws(ConnectorError) {
        self.context = context
        command = try CommandSettings(configuration)
        config = try ProgramConfiguration.text(configuration)
        streamTemplate = try configuration.get(Self.stream)
        keyFields = try configuration.get(Self.keyFields)
        takesDeletes = try configuration.get(Self.deletes)
        answerTimeout = try configuration.get(Self.answerTimeout)
        guard try !configuration.get(CommandSettings.shell) else {
            throw .invalid(
                "shell",
                "A target is started with arguments, so `command` must be a list."
            )
        }
    }

    public var input: SinkInput { .fields }

    /// A commit costs a start of the target, so there are few.
    public var preferredTransactionRecords: Int { 128 * RecordBatch.rowLimit }

    public func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? { nil }

    public func write(_ batch: RecordBatch) async throws(ConnectorError) {
        guard batch.count > 0 else { return }
        let stream = streamName(batch.topic)
        output.count = 0
        var schema = schemas[stream] ?? StreamSchema(stream: stream)
        try append(batch, stream, &schema)
        schemas[stream] = schema
        let run = try target()
        try run.write(output.bytes)
    }

    public func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError) {
        guard let run else { return }
        self.run = nil
        // The next run knows no schemas.
        schemas.removeAll()
        commits += 1
        let state = self.state(offsets)
        output.count = 0
        output.append("{\"type\":\"STATE\",\"value\":\(state.text)}\n")
        do throws(ConnectorError) {
            try run.write(output.bytes)
            let answer = try run.finish()
            let kept = answer.flatMap { JSONDocument(parsingAny: $0) }?["millrace"]?["commit"]?.int
            guard kept == commits else {
                throw ConnectorError(
                    .init("singer.no_answer"),
                    .retry(after: nil),
                    "The target ended without giving back the STATE, so nobody knows what it kept.",
                    hint: "A target prints the value of each STATE when what comes before is kept."
                )
            }
        } catch {
            run.abandon()
            throw error
        }
    }

    public func close() async {
        run?.abandon()
        run = nil
        schemas.removeAll()
    }

    private func target() throws(ConnectorError) -> TargetRun {
        if let run { return run }
        let started = try TargetRun(command, config: config, within: answerTimeout, context)
        run = started
        return started
    }

    private func streamName(_ topic: String) -> String {
        let table = topic.split(separator: ".").last.map(String.init) ?? topic
        return streamTemplate.replacing("${topic}", with: topic)
            .replacing("${table}", with: table)
    }

    private func state(_ offsets: [TopicPartition: Int64]) -> JSONDocument {
        let places = offsets.sorted { $0.key < $1.key }
            .map { ($0.key.description, JSONDocument.int($0.value)) }
        return [
            "millrace": [
                "connector": .string(context.name), "commit": .int(commits),
                "offsets": .object(places),
            ]
        ]
    }
}

// MARK: - Messages

extension SingerSink {
    private func append(
        _ batch: RecordBatch,
        _ stream: String,
        _ schema: inout StreamSchema
    ) throws(ConnectorError) {
        let keys = keyFields.isEmpty ? Self.keys(of: batch) : keyFields
        schema.add(batch, keys: keys)
        let hasTombstones = Self.tombstones(of: batch) > 0
        if hasTombstones {
            guard takesDeletes, batch.keySchema != nil else {
                throw ConnectorError(
                    .init("singer.tombstone"),
                    .rejectRecord,
                    "A tombstone cannot be given to a target.",
                    at: "delete.enabled",
                    hint: "Set delete.enabled if the target knows `_sdc_deleted_at`."
                )
            }
            schema.add(Self.deletedAt, .timestamp)
        }
        if schema.isNews {
            output.append(schema.message())
            output.append(0x0a)
        }
        let start = "{\"type\":\"RECORD\",\"stream\":" + JSONDocument.string(stream).text
        for row in batch.indices {
            output.append(start)
            output.append(",\"record\":")
            let metadata = batch.metadata(row).pointee
            if metadata.isTombstone {
                try appendDeletion(batch, row, metadata)
            } else {
                try writer.writeValue(batch, row: row, into: output)
            }
            if metadata.timestamp != RecordMetadata.noTimestamp {
                let time = TimeText.text(milliseconds: metadata.timestamp)
                output.append(",\"time_extracted\":\"\(time)\"")
            }
            output.append("}\n")
        }
    }

    private func appendDeletion(
        _ batch: RecordBatch,
        _ row: Int,
        _ metadata: RecordMetadata
    ) throws(ConnectorError) {
        guard let keySchema = batch.keySchema, let key = batch.keyRow(row) else { return }
        try keyWriter.writeObject(key, of: keySchema, into: output)
        output.count -= 1
        let time = TimeText.text(milliseconds: max(0, metadata.timestamp))
        output.append(",\"\(Self.deletedAt)\":\"\(time)\"}")
    }

    /// The fields of the key, where it has names and the records have them too.
    private static func keys(of batch: RecordBatch) -> [String] {
        guard let keySchema = batch.keySchema, !keySchema.isOpaque else { return [] }
        let names = keySchema.names
        // Tombstones alone have no fields.
        if tombstones(of: batch) == batch.count { return names }
        return names.allSatisfy { batch.schema.index(of: $0) != nil } ? names : []
    }

    private static func tombstones(of batch: RecordBatch) -> Int {
        batch.indices.count { batch.metadata($0).pointee.isTombstone }
    }
}
