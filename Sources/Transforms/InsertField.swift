public import ConnectorSDK
internal import RecordFields

/// Adds fields with a constant, or with where and when a record is.
public final class InsertField: PartTransform {
    public static let name = "InsertField"
    public static let className: String? = connectPackage + "InsertField"
    public static let summary =
        "Adds fields: a constant, or a record's topic, partition, offset or timestamp."
    public static let configuration = ConfigSpec()
        .with(staticFieldKey).with(staticValueKey).with(topicKey).with(partitionKey)
        .with(offsetKey).with(timestampKey).with(FieldSyntax.key).with(NullDefaults.key)

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
                `!` behind the name the field is declared as never null. Tombstones, and records \
                without a key where it is to be the key's, get none.
                """
        )
    }

    /// What a field gets.
    private enum Content {
        case topic, partition, offset, timestamp, text
    }

    /// A field to be inserted, and where.
    private struct Insertion {
        var path: FieldPath
        var field: Field
        var content: Content
    }

    /// How records of one schema change.
    private struct Plan {
        var schema: Schema
        var columns: [(column: Int, content: Content)]
        var nested: [(place: FieldPlace, content: Content)]
    }

    private let part: RecordPart
    private let insertions: [Insertion]
    /// Holds the text of `static.value`; each batch retains it.
    private let text: Chunk
    private var derived = DerivedSchema<Plan>()

    public init(configuration: Configuration, part: RecordPart) throws(ConnectorError) {
        self.part = part
        let syntax = try configuration.get(FieldSyntax.key)
        let keys: [(ConfigKey<String?>, Content, FieldType)] = [
            (Self.topicKey, .topic, .string), (Self.partitionKey, .partition, .int32),
            (Self.offsetKey, .offset, .int64), (Self.timestampKey, .timestamp, .timestamp),
            (Self.staticFieldKey, .text, .string),
        ]
        var insertions: [Insertion] = []
        for (key, content, type) in keys {
            guard var field = Self.field(try configuration.get(key), type) else { continue }
            let name = key.declaration.name
            let path = try FieldPath(field.name, syntax: syntax, key: name)
            if insertions.contains(where: { $0.path == path }) {
                throw .invalid(name, "Two keys name the field \(field.name).")
            }
            field.name = path.first
            insertions.append(Insertion(path: path, field: field, content: content))
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

    public func trace(_ outline: inout RecordOutline) {
        for item in insertions {
            if item.path.isNested, outline[part].field(item.path.first) != nil {
                outline[part].retype(item.path.steps, .any)
            } else {
                outline[part].add(item.path.isNested ? Field(item.path.first) : item.field)
            }
        }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard let schema = batch.fields(of: part, for: Self.self) else { return }
        let plan = try derived.plan(for: schema) { schema throws(ConnectorError) in
            makePlan(schema)
        }
        if plan.schema.count == schema.count {
            batch.rename(part, to: plan.schema)
        } else {
            batch.widen(part, to: plan.schema)
        }
        for (column, content) in plan.columns { fill(batch, content, at: column) }
        var failures: [(row: Int, error: ConnectorError)] = []
        for (place, content) in plan.nested { fill(batch, content, inside: place, &failures) }
        batch.rejectOnce(failures)
    }

    private func makePlan(_ schema: Schema) -> Plan {
        var fields = schema.fields
        var columns: [(column: Int, content: Content)] = []
        for item in insertions where !item.path.isNested {
            if let column = fields.firstIndex(where: { $0.name == item.field.name }) {
                fields[column] = item.field
                columns.append((column, item.content))
            } else {
                columns.append((fields.count, item.content))
                fields.append(item.field)
            }
        }
        for item in insertions where item.path.isNested {
            // Types that are declared of an object do not hold for one that gets more fields.
            if let column = fields.firstIndex(where: { $0.name == item.path.first }) {
                if case .object = fields[column].type { fields[column].type = .json }
            } else {
                fields.append(Field(item.path.first))
            }
        }
        let widened = schema.with(fields)
        let nested = insertions.filter(\.path.isNested).compactMap { item in
            FieldPlace(item.path, in: widened).map { ($0, item.content) }
        }
        return Plan(schema: widened, columns: columns, nested: nested)
    }

    private func fill(_ batch: RecordBatch, _ content: Content, at column: Int) {
        switch content {
        case .topic, .text:
            let value = constant(content, in: batch)
            set(batch, column) { _ in value }
        case .partition, .offset, .timestamp:
            set(batch, column) { Self.cell(content, $0) }
        }
    }

    /// A value that is the same for all records.
    private func constant(_ content: Content, in batch: RecordBatch) -> Cell {
        if content == .topic {
            var topic = batch.topic
            let copy = topic.withUTF8 { batch.arena.copy(UnsafeRawBufferPointer($0)) }
            return .slice(.string, copy)
        }
        batch.retain(text)
        return .slice(.string, UnsafeRawBufferPointer(text.bytes))
    }

    @inline(__always)
    private static func cell(_ content: Content, _ metadata: borrowing RecordMetadata) -> Cell {
        switch content {
        case .partition: return metadata.partition < 0 ? .null : .int(Int64(metadata.partition))
        case .offset: return metadata.offset < 0 ? .null : .int(metadata.offset)
        default:
            let product = metadata.timestamp.multipliedReportingOverflow(by: 1_000)
            return product.overflow ? .null : .timestamp(microseconds: product.partialValue)
        }
    }

    /// Sets a column of all records but tombstones, which have no fields.
    @inline(__always)
    private func set(
        _ batch: RecordBatch,
        _ column: Int,
        _ value: (borrowing RecordMetadata) -> Cell
    ) {
        if part == .value {
            for row in batch.indices where !batch.metadata(row).pointee.isTombstone {
                batch.row(row)[column] = value(batch.metadata(row).pointee)
            }
        } else {
            for row in batch.indices where !batch.lacks(.key, row: row) {
                batch.cells(of: .key, row)[column] = value(batch.metadata(row).pointee)
            }
        }
    }

    private func fill(
        _ batch: RecordBatch,
        _ content: Content,
        inside place: FieldPlace,
        _ failures: inout [(row: Int, error: ConnectorError)]
    ) {
        let isConstant = content == .topic || content == .text
        let constant = isConstant ? constant(content, in: batch) : .null
        if part == .value { batch.rawIsJSON = false }
        for row in batch.indices where !batch.lacks(part, row: row) {
            let cell = isConstant ? constant : Self.cell(content, batch.metadata(row).pointee)
            let cells = batch.cells(of: part, row)
            guard !place.replace(cells, in: batch, with: cell) else { continue }
            failures.append((row, Self.inTheWay(place.path)))
        }
    }

    private static func inTheWay(_ path: FieldPath) -> ConnectorError {
        ConnectorError(
            .init("transform.no_object"),
            .rejectRecord,
            "Something that is no object is on the way to the field \(path)."
        )
    }
}
