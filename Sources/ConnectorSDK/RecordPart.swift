/// One of the two parts of a record that can have fields.
public enum RecordPart: String, Sendable {
    /// What records are placed, compared and replaced by.
    case key
    /// What they say.
    case value
}

/// A transform that works on keys or on values, as the `type` that names it says: `Cast$Key` or
/// `Cast$Value`, and `Cast` alone for values.
public protocol PartTransform: Transform {
    /// Makes an instance for one part of the records.
    init(configuration: Configuration, part: RecordPart) throws(ConnectorError)
}

extension PartTransform {
    /// Makes an instance for values.
    public init(configuration: Configuration) throws(ConnectorError) {
        try self.init(configuration: configuration, part: .value)
    }
}

extension RecordBatch {
    /// The columns of a part; `nil` for keys when no record has one.
    @inlinable
    public func schema(of part: RecordPart) -> Schema? { part == .value ? schema : keySchema }

    /// The first cell of a row's part, which ``schema(of:)`` says the records have.
    ///
    /// What holds for ``row(_:)`` holds here.
    @inlinable @inline(__always)
    public func cells(of part: RecordPart, _ row: Int) -> UnsafeMutablePointer<Cell> {
        guard part == .key, let keyCells else { return self.row(row) }
        return keyCells + row &* keyStride
    }

    /// Whether a record has nothing there: no key, or as a tombstone no value.
    public func lacks(_ part: RecordPart, row: Int) -> Bool {
        guard part == .key else { return metadata(row).pointee.isTombstone }
        guard let schema = keySchema, let cells = keyRow(row) else { return true }
        if schema.isWhole { return cells.pointee.isNil }
        return !(0..<schema.count).contains { cells[$0].tag != .missing }
    }

    /// Renames the columns of a part (see ``rename(to:)``).
    public func rename(_ part: RecordPart, to schema: Schema) {
        guard part == .key else { return rename(to: schema) }
        precondition(schema.count == keyStride, "A renamed schema has as many fields.")
        keySchema = schema
    }

    /// Gives a part the columns of `schema`, each taken from an old one (see
    /// ``project(to:from:)``).
    public func project(_ part: RecordPart, to schema: Schema, from source: [Int]) {
        guard part == .key else { return project(to: schema, from: source) }
        precondition(source.count == schema.count, "One source column for each new column.")
        guard let old = keyCells else { return addKeys(schema) }
        let oldStride = keyStride
        keyStride = schema.count
        keyCapacity = keyStride * rowCapacity
        let new = UnsafeMutablePointer<Cell>.allocate(capacity: max(keyCapacity, 1))
        for row in 0..<count {
            let from = old + row * oldStride
            let to = new + row * keyStride
            for column in 0..<keyStride {
                to[column] = source[column] < 0 ? .missing : from[source[column]]
            }
        }
        old.deallocate()
        keyCells = new
        keySchema = schema
    }

    /// Adds columns to a part, behind its own (see ``widen(to:)``).
    public func widen(_ part: RecordPart, to schema: Schema) {
        guard part == .key else { return widen(to: schema) }
        let own = keySchema?.count ?? 0
        project(.key, to: schema, from: schema.fields.indices.map { $0 < own ? $0 : -1 })
    }
}
