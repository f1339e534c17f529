public import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// Puts whole keys or values into a field.
public final class HoistField: PartTransform {
    public static let name = "HoistField"
    public static let className: String? = connectPackage + "HoistField"
    public static let summary = "Puts the whole value, or key, into a field of a new one."
    public static let configuration = ConfigSpec().with(fieldKey)

    private static let fieldKey = ConfigKey<String>.required(
        "field",
        help: """
            The field of the new value. A value with fields becomes an object in it, any other the \
            field's value. Tombstones stay tombstones, and records without a key get none, where \
            Kafka Connect gives them an object with a null.
            """
    )

    private let part: RecordPart
    private let field: String
    private let writer = JSONRecordWriter(hasTypes: true)
    private let output = OutputBuffer(capacity: 1 << 10)
    private var derived = DerivedSchema<Schema>()

    public init(configuration: Configuration, part: RecordPart) throws(ConnectorError) {
        self.part = part
        field = try configuration.get(Self.fieldKey)
    }

    public func trace(_ outline: inout RecordOutline) {
        let known = outline[part]
        let type = known.all.map { .object($0) } ?? known.wholeType ?? .any
        outline[part] = .only([Field(field, type)])
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard let schema = batch.schema(of: part) else { return }
        let hoisted = try derived.plan(for: schema) { schema throws(ConnectorError) in
            Schema([hoistedField(schema)])
        }
        if schema.isWhole {
            if schema.isOpaque { readText(batch) }
            batch.rename(part, to: hoisted)
            return
        }
        let copiesRaw = part == .value && batch.rawIsJSON
        var failures: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices where !batch.lacks(part, row: row) {
            let cells = batch.cells(of: part, row)
            let raw = batch.metadata(row).pointee.raw
            if copiesRaw, raw.first == UInt8(ascii: "{") {
                cells.pointee = .slice(.json, raw)
                continue
            }
            do throws(ConnectorError) {
                output.count = 0
                try writer.writeObject(cells, of: schema, into: output)
                cells.pointee = .slice(.json, batch.arena.copy(output.bytes))
            } catch {
                failures.append((row, error))
            }
        }
        batch.rejectOnce(failures)
        batch.project(part, to: hoisted, from: [schema.count > 0 ? 0 : -1])
    }

    private func hoistedField(_ schema: Schema) -> Field {
        if schema.isOpaque { return Field(field) }
        if schema.isWhole {
            var whole = schema.fields[0]
            whole.name = field
            return whole
        }
        guard schema.declaresTypes else { return Field(field) }
        return Field(field, .object(schema.fields), isOptional: false)
    }

    /// Takes bytes that nobody has looked at for text where they are.
    private func readText(_ batch: RecordBatch) {
        for row in batch.indices {
            let cell = batch.cells(of: part, row)
            if cell.pointee.tag == .bytes, JSONRecordParser.isValidUTF8(cell.pointee.slice) {
                cell.pointee.tag = .string
            }
        }
    }
}
