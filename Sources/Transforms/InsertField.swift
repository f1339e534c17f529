public import ConnectorSDK

/// Adds fields with a constant, or with where and when a record is.
public final class InsertField: Transform {
    public static let name = "InsertField"
    public static let summary =
        "Adds fields: a constant, or a record's topic, partition, offset or timestamp."
    public static let configuration = ConfigSpec()
        .with(staticFieldKey).with(staticValueKey).with(topicKey).with(partitionKey)
        .with(offsetKey).with(timestampKey)

    private static let staticFieldKey = fieldKey("static", "the value of `static.value`")
    private static let staticValueKey = ConfigKey<String?>.optional(
        "static.value",
        help: "The text that `static.field` gets."
    )
    private static let topicKey = fieldKey("topic", "the record's topic")
    private static let partitionKey = fieldKey(
        "partition",
        "the record's partition; null where it is not known yet"
    )
    private static let offsetKey = fieldKey(
        "offset",
        "the record's offset: in a sink that in its partition, in a source that in its file"
    )
    private static let timestampKey = fieldKey(
        "timestamp",
        "the record's timestamp; null where it is not known yet"
    )

    private static func fieldKey(_ what: String, _ help: String) -> ConfigKey<String?> {
        .optional(
            "\(what).field",
            help: """
                The name of a field that gets \(help). A field of that name is overwritten. With \
                `!` behind the name the field is declared as never null.
                """
        )
    }

    /// What a field gets.
    private enum Content {
        case topic, partition, offset, timestamp, text
    }

    /// How records of one schema change.
    private struct Plan {
        var schema: Schema
        var columns: [(column: Int, content: Content)]
    }

    private let insertions: [(field: Field, content: Content)]
    /// Holds the text of `static.value`; each batch retains it.
    private let text: Chunk
    private var derived = DerivedSchema<Plan>()

    public init(configuration: Configuration) throws(ConnectorError) {
        let keys: [(ConfigKey<String?>, Content, FieldType)] = [
            (Self.topicKey, .topic, .string), (Self.partitionKey, .partition, .int32),
            (Self.offsetKey, .offset, .int64), (Self.timestampKey, .timestamp, .timestamp),
            (Self.staticFieldKey, .text, .string),
        ]
        var insertions: [(field: Field, content: Content)] = []
        for (key, content, type) in keys {
            guard let field = Self.field(try configuration.get(key), type) else { continue }
            if insertions.contains(where: { $0.field.name == field.name }) {
                let name = key.declaration.name
                throw .invalid(name, "Two keys name the field \(field.name).")
            }
            insertions.append((field, content))
        }
        self.insertions = insertions
        let value = try configuration.get(Self.staticValueKey)
        let hasStaticField = insertions.contains { $0.content == .text }
        if hasStaticField, value == nil {
            throw .invalid("static.value", "A value for static.field is required.")
        }
        if value != nil, !hasStaticField {
            throw .invalid("static.field", "The field that static.value goes to is missing.")
        }
        guard !insertions.isEmpty else {
            throw .invalid("static.field", "At least one field to insert is required.")
        }
        text = Chunk(copying: (value ?? "").utf8)
    }

    /// The field that a key's value names; `!` and `?` behind it are Kafka Connect's.
    private static func field(_ text: String?, _ type: FieldType) -> Field? {
        guard var name = text, !name.isEmpty else { return nil }
        let isRequired = name.hasSuffix("!")
        if isRequired || name.hasSuffix("?") { name.removeLast() }
        return name.isEmpty ? nil : Field(name, type, isOptional: !isRequired)
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.requireFields(for: Self.self) else { return }
        let plan = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            makePlan(schema)
        }
        if plan.schema.count == batch.schema.count {
            batch.rename(to: plan.schema)
        } else {
            batch.widen(to: plan.schema)
        }
        for (column, content) in plan.columns { fill(batch, column, content) }
    }

    private func makePlan(_ schema: Schema) -> Plan {
        var fields = schema.fields
        var columns: [(column: Int, content: Content)] = []
        for (field, content) in insertions {
            if let column = schema.index(of: field.name) {
                fields[column] = field
                columns.append((column, content))
            } else {
                columns.append((fields.count, content))
                fields.append(field)
            }
        }
        return Plan(schema: Schema(fields), columns: columns)
    }

    private func fill(_ batch: RecordBatch, _ column: Int, _ content: Content) {
        switch content {
        case .topic:
            var topic = batch.topic
            let copy = topic.withUTF8 { batch.arena.copy(UnsafeRawBufferPointer($0)) }
            set(batch, column) { _ in .slice(.string, copy) }
        case .text:
            batch.retain(text)
            let value = Cell.slice(.string, UnsafeRawBufferPointer(text.bytes))
            set(batch, column) { _ in value }
        case .partition:
            set(batch, column) { $0.partition < 0 ? .null : .int(Int64($0.partition)) }
        case .offset:
            set(batch, column) { $0.offset < 0 ? .null : .int($0.offset) }
        case .timestamp:
            set(batch, column) { metadata in
                let (microseconds, overflow) = metadata.timestamp.multipliedReportingOverflow(
                    by: 1_000
                )
                return overflow ? .null : .timestamp(microseconds: microseconds)
            }
        }
    }

    /// Sets a column of all records but tombstones, which have no fields.
    @inline(__always)
    private func set(
        _ batch: RecordBatch,
        _ column: Int,
        _ value: (borrowing RecordMetadata) -> Cell
    ) {
        for row in batch.indices where !batch.metadata(row).pointee.isTombstone {
            batch.row(row)[column] = value(batch.metadata(row).pointee)
        }
    }
}
