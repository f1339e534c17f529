public import ConnectorSDK
internal import RecordFields
internal import TopicRouting

/// Makes rows of captured changes: the row after the change takes the place of the envelope.
///
/// Debezium's ExtractNewRecordState. Fields that the change did not tell stay absent. Records that
/// are no changes pass untouched; truncations, which no row stands for, are taken out.
public final class Unwrap: Transform {
    public static let name = "unwrap"
    public static let className: String? = "io.debezium.transforms.ExtractNewRecordState"
    public static let summary = "Makes rows of captured changes, as ExtractNewRecordState does."
    public static let configuration = ConfigSpec()
        .with(deleteKey).with(fieldsKey).with(fieldPrefixKey).with(headersKey).with(headerPrefixKey)
        .with(routeKey).with(dropHeaderKey).with(dropFromKeyKey).with(dropCompatibleKey)

    /// With `route.by.field`.
    public static func reroutes(_ configuration: Configuration) -> Bool {
        configuration.values[routeKey.declaration.name] != nil
    }

    /// What becomes of deletions.
    enum DeleteMode: String, CaseIterable, Sendable {
        case drop, tombstone, rewrite
        case rewriteWithTombstone = "rewrite-with-tombstone"
        case deleteToTombstone = "delete-to-tombstone"

        var rewrites: Bool { self == .rewrite || self == .rewriteWithTombstone }
        var keepsTombstones: Bool { self == .tombstone || self == .rewriteWithTombstone }
    }

    private static let deleteKey = ConfigKey<DeleteMode>.choice(
        "delete.tombstone.handling.mode",
        default: .tombstone,
        importance: .high,
        help: """
            What becomes of deletions. `tombstone` and `delete-to-tombstone`: one record with the \
            key and no value, which a sink with `delete.enabled` deletes by. `drop`: nothing. \
            `rewrite`: the row as it was, with a field `__deleted` that is `true`, and `false` on \
            other rows. `rewrite-with-tombstone`: that and the tombstone.
            """
    )
    private static let fieldsKey = ConfigKey<[String]>.list(
        "add.fields",
        help: """
            What of the change becomes fields of the row: `op`, `ts_ms`, `source.table`, with \
            another name `source.ts_ms:changed_at`. A name alone that the envelope does not have is \
            looked up in `source`.
            """
    )
    private static let fieldPrefixKey = ConfigKey.string(
        "add.fields.prefix",
        default: "__",
        importance: .low,
        help: "What the names of `add.fields` begin with."
    )
    private static let headersKey = ConfigKey<[String]>.list(
        "add.headers",
        help: "What of the change becomes headers of the record, written as in `add.fields`."
    )
    private static let headerPrefixKey = ConfigKey.string(
        "add.headers.prefix",
        default: "__",
        importance: .low,
        help: "What the names of `add.headers` begin with."
    )
    private static let routeKey = ConfigKey<String?>.optional(
        "route.by.field",
        help: "A field of the row whose value is the topic that the record goes to."
    )
    private static let dropHeaderKey = ConfigKey<String?>.optional(
        "drop.fields.header.name",
        importance: .low,
        help: "A header that lists fields to take out of its record, separated by commas."
    )
    private static let dropFromKeyKey = ConfigKey.bool(
        "drop.fields.from.key",
        default: false,
        importance: .low,
        help: "Whether `drop.fields.header.name` takes fields out of the key, too."
    )
    private static let dropCompatibleKey = ConfigKey.bool(
        "drop.fields.keep.schema.compatible",
        default: true,
        importance: .low,
        help: "Whether `drop.fields.header.name` leaves fields alone that are never null."
    )

    private let deleteMode: DeleteMode
    private let fields: [ChangeReference]
    private let headers: [ChangeReference]
    private let routeField: String?
    private let dropping: FieldDropping?
    private var derived = DerivedSchema<UnwrapPlan?>()
    private let work = UnwrapWork()

    public init(configuration: Configuration) throws(ConnectorError) {
        deleteMode = try configuration.get(Self.deleteKey)
        fields = try ChangeReference.list(
            configuration.get(Self.fieldsKey),
            prefix: configuration.get(Self.fieldPrefixKey),
            at: Self.fieldsKey.declaration.name
        )
        headers = try ChangeReference.list(
            configuration.get(Self.headersKey),
            prefix: configuration.get(Self.headerPrefixKey),
            at: Self.headersKey.declaration.name
        )
        routeField = try configuration.get(Self.routeKey)
        let header = try configuration.get(Self.dropHeaderKey)
        let fromKey = try configuration.get(Self.dropFromKeyKey)
        let compatible = try configuration.get(Self.dropCompatibleKey)
        dropping = header.map {
            FieldDropping(header: $0, fromKey: fromKey, onlyOptional: compatible)
        }
    }

    /// Unwraps a batch whose rows fit one schema and one topic.
    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        let parts = try split(batch)
        if parts.isEmpty { return batch.removeLast(batch.count) }
        guard parts.count == 1, parts[0] === batch else {
            throw ConnectorError(
                .init("transform.several_schemas"),
                .failTask,
                "The changes of one batch have become several batches."
            )
        }
    }

    public func split(_ batch: RecordBatch) throws(ConnectorError) -> [RecordBatch] {
        guard batch.count > 0 else { return [batch] }
        let plan = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            UnwrapPlan(
                schema,
                fields: fields,
                headers: headers,
                marksDeletions: deleteMode.rewrites
            )
        }
        guard let plan else { return withoutTombstones(batch) }
        work.begin(batch, plan, deleteMode)
        var result: [RecordBatch] = []
        for run in work.runs(of: batch, plan) {
            let part: RecordBatch
            if run.count == batch.count {
                part = batch
            } else {
                part = RecordBatch()
                part.copyRows(run, of: batch)
            }
            result +=
                work.areChanges(run, part)
                ? work.unwrap(part, from: run.lowerBound, plan, dropping) : [part]
        }
        guard let routeField else { return result }
        return result.flatMap { TopicGroups.split($0, byField: routeField) }
    }

    /// Records that are no changes: they pass, and tombstones where they are wanted.
    private func withoutTombstones(_ batch: RecordBatch) -> [RecordBatch] {
        if !deleteMode.keepsTombstones { batch.filter { !batch.metadata($0).pointee.isTombstone } }
        return [batch]
    }
}
