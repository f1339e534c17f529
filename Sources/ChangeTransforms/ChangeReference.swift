internal import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// A part of a captured change that a user wants beside the row: `op`, `source.ts_ms:changed_at`.
internal struct ChangeReference: Sendable {
    /// The object the part is in, such as `source`; `nil` for the change itself.
    let parent: String?
    let name: String
    /// What it is called in the record.
    let target: String

    static func list(
        _ texts: [String],
        prefix: String,
        at key: String
    ) throws(ConnectorError) -> [ChangeReference] {
        var result: [ChangeReference] = []
        for text in texts {
            guard let reference = ChangeReference(text, prefix: prefix) else {
                throw .invalid(key, "`\\(text)` is not such as `op` or `source.ts_ms:changed_at`.")
            }
            result.append(reference)
        }
        return result
    }

    private init?(_ text: String, prefix: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard !path.contains(""), parts.count < 2 || !parts[1].isEmpty else { return nil }
        name = String(path[path.count - 1])
        parent = path.count == 2 ? String(path[0]) : nil
        target = prefix + (parts.count == 2 ? String(parts[1]) : path.joined(separator: "_"))
    }
}

/// Finds the parts of changes of one schema that references name.
internal final class ChangeParts {
    /// Where one part is.
    private enum Place {
        case nowhere
        case column(Int)
        /// A field of the object that a reader reads.
        case nested(reader: Int, name: String)
    }

    private struct Reader {
        let column: Int
        let rows: NestedRows
        let row = RecordBatch()
    }

    /// The parts as fields.
    let fields: [Field]
    private var places: [Place] = []
    private var readers: [Reader] = []

    init(_ references: [ChangeReference], in schema: Schema) {
        var fields: [Field] = []
        for reference in references {
            let (place, type) = Self.find(reference, schema, &readers)
            places.append(place)
            fields.append(Field(reference.target, type))
        }
        self.fields = fields
    }

    var isEmpty: Bool { fields.isEmpty }

    private static func find(
        _ reference: ChangeReference,
        _ schema: Schema,
        _ readers: inout [Reader]
    ) -> (Place, FieldType) {
        if reference.parent == nil, let column = schema.index(of: reference.name) {
            return (.column(column), schema.fields[column].type)
        }
        guard let column = schema.index(of: reference.parent ?? "source") else {
            return (.nowhere, .any)
        }
        var reader = readers.firstIndex { $0.column == column }
        if reader == nil {
            reader = readers.count
            readers.append(Reader(column: column, rows: NestedRows(schema.fields[column].type)))
        }
        guard let reader else { return (.nowhere, .any) }
        let known = readers[reader].rows.schema
        let type = known.flatMap { known in
            known.index(of: reference.name).map { known.fields[$0].type }
        }
        return (.nested(reader: reader, name: reference.name), type ?? .any)
    }

    /// Appends the parts of a row to `cells`; their memory is that of the batch.
    func append(_ batch: RecordBatch, row: Int, to cells: inout [Cell]) {
        for reader in readers {
            reader.row.reset(topic: "")
            reader.rows.begin(reader.row)
            let object = batch[row, reader.column]
            guard object.tag == .json else { continue }
            reader.row.appendRow()
            if case .read = reader.rows.read(object, into: reader.row, row: 0) { continue }
            reader.row.removeLast()
        }
        for place in places {
            switch place {
            case .nowhere: cells.append(.null)
            case .column(let column): cells.append(batch[row, column])
            case .nested(let reader, let name):
                let object = readers[reader].row
                guard object.count > 0, let column = object.schema.index(of: name) else {
                    cells.append(.null)
                    continue
                }
                let cell = object[0, column]
                cells.append(
                    cell.isSlice ? .slice(cell.tag, batch.arena.copy(cell.slice)) : cell
                )
            }
        }
    }
}
