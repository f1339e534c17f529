public import ConnectorSDK

/// Where a column's cells are.
public enum CellOrigin: Hashable, Sendable {
    /// A column of the record's value.
    case value(Int)
    /// A column of the record's key.
    case key(Int)
    /// The topic the record came from.
    case topic
    /// The partition the record came from.
    case partition
    /// The record's offset.
    case offset
}

/// Which fields of records are written, under which names, and which of them are the key.
///
/// Made once for a pair of schemas; it holds for all batches of these.
public struct FieldMapping {
    /// One field that is written.
    public struct Item {
        /// The column's name.
        public var name: String
        /// The field as its schema declares it.
        public var field: Field
        /// Whether it is part of the key.
        public var isKey: Bool
        /// Where its cells are.
        public var origin: CellOrigin
    }

    /// The column for a value that is not an object.
    public static let opaqueName = "record_value"

    /// The columns of the value.
    public let schema: Schema
    /// The columns of the key, if records have one.
    public let keySchema: Schema?
    /// What is written, the key's fields first.
    public private(set) var items: [Item] = []

    /// Maps the fields of records with these schemas.
    ///
    /// - Throws: a rejection, when such records cannot become rows.
    public init(
        schema: Schema,
        keySchema: Schema?,
        settings: TableSinkSettings
    ) throws(ConnectorError) {
        self.schema = schema
        self.keySchema = keySchema
        switch settings.keyMode {
        case .none: break
        case .kafka: addPlace(settings.keyFields)
        case .recordKey: try addKey(settings.keyFields)
        case .recordValue: try addKeyFromValue(settings.keyFields)
        }
        try addValue(settings)
    }

    /// The key's fields.
    public var key: [Item] { items.filter(\.isKey) }

    private mutating func addPlace(_ names: [String]) {
        let origins: [(CellOrigin, FieldType)] = [
            (.topic, .string), (.partition, .int32), (.offset, .int64),
        ]
        for (name, (origin, type)) in zip(names, origins) {
            add(Field(name, type, isOptional: false), isKey: true, origin)
        }
    }

    private mutating func addKey(_ names: [String]) throws(ConnectorError) {
        guard let keySchema else {
            throw .unmapped(
                "no_key",
                "The record has no key.",
                hint: "Set key.fields at the source, or pk.mode record_value at the sink."
            )
        }
        // A key that is not an object is one field, whatever it is called.
        if names.count == 1, keySchema.count == 1, keySchema.index(of: names[0]) == nil {
            add(typed(Field(names[0], keySchema.fields[0].type)), isKey: true, .key(0))
            return
        }
        for name in names.isEmpty ? keySchema.names : names {
            guard let cell = keySchema.index(of: name), !name.isEmpty else {
                throw .unmapped(
                    "no_key_field",
                    name.isEmpty
                        ? "The record's key has no name."
                        : "The record's key has no field \(name).",
                    hint: "Name the field in pk.fields."
                )
            }
            add(typed(keySchema.fields[cell]), isKey: true, .key(cell))
        }
    }

    /// Keys travel without a schema, so a field of the value of that name tells the type, where
    /// the key's text has the same form under it.
    private func typed(_ field: Field) -> Field {
        guard field.type == .any, let column = schema.index(of: field.name) else { return field }
        let candidate = schema.fields[column]
        return switch candidate.type {
        case .bool, .int16, .int32, .int64, .decimal, .string, .uuid: candidate
        default: field
        }
    }

    private mutating func addKeyFromValue(_ names: [String]) throws(ConnectorError) {
        for name in names.isEmpty ? schema.names : names {
            guard let cell = schema.index(of: name) else {
                throw .unmapped(
                    "no_key_field",
                    "The record has no field \(name), which is part of the key.",
                    hint: "pk.fields names the fields of the value that are the key."
                )
            }
            add(schema.fields[cell], isKey: true, .value(cell))
        }
    }

    private mutating func addValue(_ settings: TableSinkSettings) throws(ConnectorError) {
        let keys = Set(items.map { settings.dialect.fold($0.name) })
        var taken = keys
        for (cell, field) in schema.fields.enumerated() {
            var field = field
            if field.name.isEmpty { field.name = Self.opaqueName }
            guard settings.fields.contains(field.name) else { continue }
            let folded = settings.dialect.fold(field.name)
            if keys.contains(folded) { continue }
            guard taken.insert(folded).inserted else {
                throw .unmapped(
                    "ambiguous_field",
                    "Two fields of the record are the column \(field.name), where case is ignored.",
                    hint: "Rename one of them, or choose with fields.include."
                )
            }
            if let problem = settings.dialect.problem(ofName: field.name) {
                throw .unmapped(
                    "field_name",
                    "The name of a field \(problem).",
                    hint: "Rename the field, or choose with fields.include."
                )
            }
            add(field, isKey: false, .value(cell))
        }
    }

    private mutating func add(_ field: Field, isKey: Bool, _ origin: CellOrigin) {
        items.append(Item(name: field.name, field: field, isKey: isKey, origin: origin))
    }
}

// MARK: - Looking at batches

extension FieldMapping {
    /// Rejects records whose key is null or absent: a database would take them for rows unlike any
    /// other, or give them a key of its own.
    public func checkKeys(_ batch: RecordBatch) throws(ConnectorError) {
        for item in items where item.isKey {
            let isNil: (Int) -> Bool
            switch item.origin {
            case .value(let cell): isNil = { batch.row($0)[cell].isNil }
            case .key(let cell): isNil = { batch.keyRow($0).map { $0[cell].isNil } ?? true }
            case .topic, .partition, .offset: continue
            }
            guard batch.indices.contains(where: isNil) else { continue }
            throw .unmapped(
                "null_key",
                "The record's key field \(item.name) is null or absent."
            )
        }
    }
}

extension FieldMapping.Item {
    /// The column of the value it comes from, or `nil`.
    public var valueColumn: Int? {
        guard case .value(let column) = origin else { return nil }
        return column
    }

    /// Whether any record of a batch, tombstones aside, has the field.
    public func isPresent(in batch: RecordBatch) -> Bool {
        guard case .value(let column) = origin else { return batch.count > 0 }
        return batch.indices.contains { row in
            batch.row(row)[column].tag != .missing && !batch.metadata(row).pointee.isTombstone
        }
    }

    /// The cells of the field in the rows of a batch that have a value; integers for a record's
    /// place.
    public func cells(of batch: RecordBatch) -> [Cell] {
        batch.indices.compactMap { row in
            switch origin {
            case .key(let column): batch.keyRow(row)?[column]
            case .value(let column):
                batch.metadata(row).pointee.isTombstone ? nil : batch.row(row)[column]
            case .topic: .slice(.string, UnsafeRawBufferPointer(start: nil, count: 0))
            case .partition, .offset: .int(0)
            }
        }
    }
}
