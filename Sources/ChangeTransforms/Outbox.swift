public import ConnectorSDK
internal import RecordFields
internal import RegularExpressions
internal import TopicRouting

/// Makes events of the rows that services insert into an outbox table, as Debezium's EventRouter.
///
/// Each inserted row becomes a record: its payload is the value, its aggregate's id the key, and
/// its aggregate's type names the topic. Deletions, by which services tidy up, are taken out.
/// Records that are no changes pass untouched.
public final class Outbox: Transform {
    public static let name = "outbox"
    public static let className: String? = "io.debezium.transforms.outbox.EventRouter"
    public static let summary = "Makes events of rows in an outbox table, as EventRouter does."
    public static let configuration = ConfigSpec()
        .with(routeKey).with(regexKey).with(replacementKey)
        .with(idKey).with(eventKey).with(payloadKey).with(timestampKey)
        .with(placementKey).with(missingKey).with(expandKey).with(tombstoneKey).with(invalidKey)

    /// What is done about an update, which an outbox does not have.
    enum InvalidOperation: String, CaseIterable, Sendable {
        case warn, error, fatal
    }

    /// Always: the rows say where they go.
    public static func reroutes(_ configuration: Configuration) -> Bool { true }

    private static let routeKey = ConfigKey.string(
        "route.by.field",
        default: "aggregatetype",
        help: "The column whose value names the topic."
    )
    private static let regexKey = ConfigKey.string(
        "route.topic.regex",
        default: "(?<routedByValue>.*)",
        importance: .low,
        help: "A regular expression for all of that value, with groups for the replacement."
    ) { RegularExpression.problem($0) }
    private static let replacementKey = ConfigKey.string(
        "route.topic.replacement",
        default: "outbox.event.${routedByValue}",
        help: "The topic: `${name}` and `$1` stand for the regular expression's groups."
    )
    private static let idKey = ConfigKey.string(
        "table.field.event.id",
        default: "id",
        help: "The column with the event's id, which becomes the header `id`."
    )
    private static let eventKey = ConfigKey.string(
        "table.field.event.key",
        default: "aggregateid",
        help: "The column with the record's key."
    )
    private static let payloadKey = ConfigKey.string(
        "table.field.event.payload",
        default: "payload",
        help: "The column with the record's value."
    )
    private static let timestampKey = ConfigKey<String?>.optional(
        "table.field.event.timestamp",
        importance: .low,
        help: "The column with the record's timestamp: an instant, or milliseconds since 1970."
    )
    private static let placementKey = ConfigKey<[String]>.list(
        "table.fields.additional.placement",
        help: """
            More columns and where they go: `type:header`, `type:envelope`, `number:partition`, \
            with another name `type:header:eventType`. With one in the envelope the value is an \
            object that has the payload in its field `payload`.
            """
    )
    private static let missingKey = ConfigKey.bool(
        "table.fields.additional.error.on.missing",
        default: true,
        importance: .low,
        help: "Whether a row without one of the additional columns is rejected."
    )
    private static let expandKey = ConfigKey.bool(
        "table.expand.json.payload",
        default: false,
        help: "Whether the payload is JSON text whose fields become the value's fields."
    )
    private static let tombstoneKey = ConfigKey.bool(
        "route.tombstone.on.empty.payload",
        default: false,
        importance: .low,
        help: "Whether a null or empty payload becomes a record with a key and no value."
    )
    private static let invalidKey = ConfigKey<InvalidOperation>.choice(
        "table.op.invalid.behavior",
        default: .error,
        importance: .low,
        help: """
            What to do about a row that was updated: `warn` takes it out, `error` rejects the \
            record, `fatal` stops the connector.
            """
    )

    private let columns: OutboxColumns
    private let router: TopicRouter
    private let invalid: InvalidOperation
    private var derived = DerivedSchema<OutboxPlan?>()

    public init(configuration: Configuration) throws(ConnectorError) {
        columns = OutboxColumns(
            route: try configuration.get(Self.routeKey),
            id: try configuration.get(Self.idKey),
            key: try configuration.get(Self.eventKey),
            payload: try configuration.get(Self.payloadKey),
            timestamp: try configuration.get(Self.timestampKey),
            additional: try OutboxColumns.placements(
                try configuration.get(Self.placementKey),
                at: Self.placementKey.declaration.name
            ),
            mustExist: try configuration.get(Self.missingKey),
            expands: try configuration.get(Self.expandKey),
            buries: try configuration.get(Self.tombstoneKey)
        )
        router = try TopicRouter(
            regex: try configuration.get(Self.regexKey),
            replacement: try configuration.get(Self.replacementKey)
        )
        invalid = try configuration.get(Self.invalidKey)
    }

    /// Routes a batch whose events go to one topic.
    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard try split(batch).contains(where: { $0 !== batch }) == false else {
            throw ConnectorError(
                .init("transform.several_topics"),
                .failTask,
                "The events of a batch go to topics of their own."
            )
        }
    }

    public func split(_ batch: RecordBatch) throws(ConnectorError) -> [RecordBatch] {
        let plan = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            OutboxPlan(schema)
        }
        guard let plan, batch.count > 0 else { return [batch] }
        let work = OutboxWork(columns, router, plan, batch)
        var rejected: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices {
            do throws(ConnectorError) {
                switch plan.operation(batch, row) {
                case UInt8(ascii: "c"), UInt8(ascii: "r"): try work.append(row)
                case UInt8(ascii: "u") where invalid != .warn: throw Self.updated(invalid)
                default: continue
                }
            } catch {
                guard error.disposition == .rejectRecord else { throw error }
                rejected.append((row, error))
            }
        }
        batch.reject(rejected)
        return work.batches
    }

    private static func updated(_ behavior: InvalidOperation) -> ConnectorError {
        ConnectorError(
            .init("transform.outbox_update"),
            behavior == .fatal ? .failTask : .rejectRecord,
            "A row of the outbox table was updated; events are inserted only.",
            at: invalidKey.declaration.name
        )
    }
}
