public import ConnectorSDK
internal import JSONDocuments
internal import Logging

/// Makes records of its own: for demonstrations, and to see what a pipeline bears.
///
/// A record depends on the seed, its number and the templates alone, so a run that is interrupted
/// and taken up again makes exactly what one that was not interrupted makes.
public final class GenerateSource: SourceConnector {
    public static let name = "generate"
    public static let summary = "Makes records by templates: always the same for a seed."

    static let topic = ConfigKey.required("topic", help: "The topic that the records go to.")
    static let fields = ConfigMapKey(
        "fields",
        importance: .high,
        help: """
            What the fields hold, such as `fields.id: sequence`: \(FieldTemplate.grammar). All but \
            `now` depend on nothing but the seed and the record's number.
            """
    )
    static let columns = ConfigKey.list(
        "columns",
        help: "The order of the fields; those that are not named follow by their names."
    )
    static let count = ConfigKey.int(
        "count",
        default: 0,
        in: 0...Int.max,
        importance: .high,
        help: """
            How many records to make in all, over all runs; the source then ends. With 0 it never \
            does.
            """
    )
    static let rate = ConfigKey.int(
        "rate",
        default: 0,
        in: 0...100_000_000,
        importance: .high,
        help: "How many records to make in a second; 0 for as many as the pipeline takes."
    )
    static let seed = ConfigKey.int(
        "seed",
        default: 1,
        in: 0...Int.max,
        help: "Chooses the records. Another seed makes others, and begins with the first."
    )
    public static let configuration = ConfigSpec()
        .with(topic).with(fields).with(columns).with(count).with(rate).with(seed)

    // More than any run makes, and far from where numbers end. (D9)
    private static let lastRecord: Int64 = 1 << 62

    private let topic: String
    private let count: Int64?
    private let rate: Int?
    private let seed: Int
    private let maker: RecordMaker
    private let context: ConnectorContext

    public init(
        configuration: Configuration,
        context: ConnectorContext
    ) throws(ConnectorError) {
        self.context = context
        topic = try configuration.get(Self.topic)
        let count = try configuration.get(Self.count)
        self.count = count == 0 ? nil : Int64(count)
        let rate = try configuration.get(Self.rate)
        self.rate = rate == 0 ? nil : rate
        seed = try configuration.get(Self.seed)
        maker = RecordMaker(try Self.templates(configuration), seed: UInt64(seed))
        guard context.taskCount == 1 else {
            throw .invalid("tasks.max", "One task makes the records, so that their order is known.")
        }
    }

    public static func fields(
        _ configuration: Configuration
    ) throws(ConnectorError) -> KnownFields {
        .only(try templates(configuration).map { Field($0.name, $0.template.type) })
    }

    public var isBounded: Bool { count != nil }

    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        guard count != nil || !context.untilEnd else {
            context.logger.notice("without `count` there is no end to stop at; nothing is made")
            return
        }
        var next = try start(positions[partition])
        var pace = Pace(rate: rate, at: .now)
        while !outlet.isStopping {
            let left = count.map { $0 - next } ?? .max
            guard left > 0 else { return }
            let due = pace.due(at: .now, limit: Int(min(left, Int64(RecordBatch.rowLimit))))
            guard due > 0 else {
                try await outlet.idle(for: pace.wait(at: .now))
                continue
            }
            let batch = outlet.makeBatch(topic: topic, schema: maker.schema)
            maker.append(next..<next + Int64(due), to: batch)
            next += Int64(due)
            pace.made(due)
            var offset = JSONObjectText()
            offset.add("record", next)
            // D3: the records and how many they are become durable together.
            try await outlet.send(
                batch,
                position: SourcePosition(partition: partition, offset: offset.closed())
            )
        }
    }

    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {}

    /// Another seed makes other records, with a place of their own.
    private var partition: String { "{\"seed\":\(seed)}" }

    private func start(_ offset: String?) throws(ConnectorError) -> Int64 {
        guard let offset else { return 0 }
        guard let record = JSONDocument(parsing: offset)?["record"]?.int,
            (0...Self.lastRecord).contains(record)
        else {
            throw ConnectorError(
                .init("generate.position_invalid"),
                .failTask,
                "The stored position is not one of this connector: it has no `record` of its range.",
                hint: "Reset the connector's offsets."
            )
        }
        return record
    }

    private static func templates(
        _ configuration: Configuration
    ) throws(ConnectorError) -> [(name: String, template: FieldTemplate)] {
        let texts = configuration.get(Self.fields)
        guard !texts.isEmpty else {
            throw .invalid("fields", "Name at least one field.", hint: "Such as `id: sequence`.")
        }
        let first = try configuration.get(Self.columns)
        for name in first where texts[name] == nil {
            throw .invalid(
                "columns",
                "There is no field `\(name)`.",
                hint: Spelling.nearest(to: name, in: Array(texts.keys)).map {
                    "Did you mean `\($0)`?"
                }
            )
        }
        var templates: [(name: String, template: FieldTemplate)] = []
        for name in first + texts.keys.filter({ !first.contains($0) }).sorted() {
            guard let template = FieldTemplate(texts[name] ?? "") else {
                throw .invalid(
                    "fields.\(name)",
                    "This is no template.",
                    hint: "Templates: \(FieldTemplate.grammar)."
                )
            }
            guard !templates.contains(where: { $0.name == name }) else {
                throw .invalid("columns", "The field `\(name)` is named twice.")
            }
            templates.append((name, template))
        }
        return templates
    }
}
