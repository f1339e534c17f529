public import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// Adds to records what a table says of one of their fields.
public final class Lookup: Transform {
    public static let name = "Lookup"
    public static let summary = "Adds what a CSV file or SQLite table says of a field's value."
    public static let configuration = ConfigSpec()
        .with(fieldKey).with(FieldSyntax.key).with(LookupSource.pathKey)
        .with(LookupSource.tableKey).with(LookupSource.columnKey).with(valuesKey).with(prefixKey)
        .with(missingKey).with(LookupSource.intervalKey).with(LookupSource.memoryKey)

    private static let fieldKey = ConfigKey<String>.required(
        "field",
        help: "The field whose value is looked up. 42 and \"42\" are the same."
    )
    private static let valuesKey = ConfigKey.list(
        "values",
        importance: .high,
        help: "The columns of the table that become fields; without it all but the key's column."
    )
    private static let prefixKey = ConfigKey.string(
        "prefix",
        default: "",
        help: "What is put before the names of columns to make names of fields."
    )

    /// What becomes of a record of which the table says nothing.
    private enum MissingPolicy: String, CaseIterable, Sendable {
        case null, reject, drop
    }

    private static let missingKey = ConfigKey<MissingPolicy>.choice(
        "on.missing",
        default: .null,
        importance: .high,
        help: """
            What becomes of a record whose value is not in the table, or that has none: with `null` \
            the new fields are null, `reject` makes it a dead letter, `drop` drops it.
            """
    )

    /// Where things go in records of one schema.
    private struct Plan {
        var place: FieldPlace?
        var schema: Schema
        var columns: [Int]
    }

    private let path: FieldPath
    private let values: [String]
    private let prefix: String
    private let onMissing: MissingPolicy
    private let source: LookupSource
    private var table: LookupTable?
    private var derived = DerivedSchema<Plan>()
    private var dropped: [Int] = []
    private let scratch = OutputBuffer(capacity: 256)

    public init(configuration: Configuration) throws(ConnectorError) {
        let field = try configuration.get(Self.fieldKey)
        path = try FieldPath(field, syntax: try configuration.get(FieldSyntax.key), key: "field")
        prefix = try configuration.get(Self.prefixKey)
        onMissing = try configuration.get(Self.missingKey)
        values = try configuration.get(Self.valuesKey)
        source = try LookupSource(configuration, values: values)
    }

    public func trace(_ outline: inout RecordOutline) {
        outline.need(path.steps, at: Self.fieldKey.declaration.name)
        // Without names only the table knows what its columns are called.
        if values.isEmpty { outline.value = .unknown }
        for name in values { outline.value.add(Field(prefix + name)) }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.count > 0, batch.requireFields(for: Self.self) else { return }
        let table = try source.table(replacing: table, at: .now)
        if table !== self.table {
            self.table = table
            derived = DerivedSchema()
        }
        let plan = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            makePlan(schema, table)
        }
        batch.retain(table.memory)
        batch.widen(to: plan.schema)
        var rejected: [(row: Int, error: ConnectorError)] = []
        dropped.removeAll(keepingCapacity: true)
        for row in batch.indices where !batch.metadata(row).pointee.isTombstone {
            let cell = plan.place?.read(batch.row(row), in: batch) ?? .missing
            if let values = table.values(for: key(cell)) {
                let cells = batch.row(row)
                for (column, value) in zip(plan.columns, values) { cells[column] = value }
                continue
            }
            switch onMissing {
            case .null: for column in plan.columns { batch.row(row)[column] = .null }
            case .reject: rejected.append((row, unknown))
            case .drop: dropped.append(row)
            }
        }
        batch.reject(rejected)
        guard !dropped.isEmpty else { return }
        var next = 0
        batch.filter { row in
            guard next < dropped.count, dropped[next] == row else { return true }
            next += 1
            return false
        }
    }

    private func makePlan(_ schema: Schema, _ table: LookupTable) -> Plan {
        var fields = schema.fields
        var columns: [Int] = []
        for name in table.columns {
            if let column = fields.firstIndex(where: { $0.name == prefix + name }) {
                fields[column] = Field(prefix + name)
                columns.append(column)
            } else {
                columns.append(fields.count)
                fields.append(Field(prefix + name))
            }
        }
        return Plan(
            place: FieldPlace(path, in: schema),
            schema: schema.with(fields),
            columns: columns
        )
    }

    /// The text of a value; `nil` for none.
    private func key(_ cell: Cell) -> UnsafeRawBufferPointer? {
        if cell.isNil { return nil }
        if cell.isSlice { return cell.slice }
        scratch.count = 0
        JSONText.appendCell(cell, to: scratch)
        let text = scratch.bytes
        return text.first == UInt8(ascii: "\"")
            ? UnsafeRawBufferPointer(rebasing: text.dropFirst().dropLast()) : text
    }

    private var unknown: ConnectorError {
        ConnectorError(
            .lookup,
            .rejectRecord,
            "The table has no row for the value of \(path).",
            at: "on.missing"
        )
    }
}

extension ConnectorError.Code {
    /// A table cannot be read, or does not have a value.
    internal static let lookup = Self("transform.lookup")
}
