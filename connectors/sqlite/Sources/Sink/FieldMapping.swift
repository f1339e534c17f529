internal import CSQLiteShim
internal import ConnectorSDK

/// Which fields of a record are written, under which names, and which of them are the key.
internal struct FieldMapping {
    /// One field that is written.
    internal struct Item {
        internal var name: String
        internal var field: Field
        internal var isKey: Bool
        /// `MR_FROM_VALUE` and so on.
        internal var source: UInt8
        /// The column of the value or key.
        internal var cell: Int
    }

    /// The column for a value that is not an object.
    internal static let opaqueName = "record_value"

    internal let schema: Schema
    internal let keySchema: Schema?
    /// The key's fields first.
    internal private(set) var items: [Item] = []

    internal init(
        schema: Schema,
        keySchema: Schema?,
        settings: SinkSettings
    ) throws(ConnectorError) {
        self.schema = schema
        self.keySchema = keySchema
        switch settings.keyMode {
        case .none: break
        case .kafka: addPlace(settings.keyFields)
        case .recordKey: try addKey(settings.keyFields)
        case .recordValue: try addKeyFromValue(settings.keyFields)
        }
        try addValue(included: settings.included)
    }

    private mutating func addPlace(_ names: [String]) {
        let sources = [MR_FROM_TOPIC, MR_FROM_PARTITION, MR_FROM_OFFSET]
        let types: [FieldType] = [.string, .int32, .int64]
        for ((name, source), type) in zip(zip(names, sources), types) {
            add(Field(name, type), isKey: true, source: source, cell: 0)
        }
    }

    private mutating func addKey(_ names: [String]) throws(ConnectorError) {
        guard let keySchema else {
            throw Self.reject(
                "no_key",
                "The record has no key.",
                hint: "Set key.fields at the source, or pk.mode record_value at the sink."
            )
        }
        // A key that is not an object is one field, whatever it is called.
        if names.count == 1, keySchema.count == 1, keySchema.index(of: names[0]) == nil {
            let field = Field(names[0], keySchema.fields[0].type)
            add(field, isKey: true, source: MR_FROM_KEY, cell: 0)
            return
        }
        for name in names.isEmpty ? keySchema.names : names {
            guard let cell = keySchema.index(of: name), !name.isEmpty else {
                throw Self.reject(
                    "no_key_field",
                    name.isEmpty
                        ? "The record's key has no name."
                        : "The record's key has no field \(name).",
                    hint: "Name the field in pk.fields."
                )
            }
            add(keySchema.fields[cell], isKey: true, source: MR_FROM_KEY, cell: cell)
        }
    }

    private mutating func addKeyFromValue(_ names: [String]) throws(ConnectorError) {
        for name in names.isEmpty ? schema.names : names {
            guard let cell = schema.index(of: name) else {
                throw Self.reject(
                    "no_key_field",
                    "The record has no field \(name), which is part of the key.",
                    hint: "pk.fields names the fields of the value that are the key."
                )
            }
            add(schema.fields[cell], isKey: true, source: MR_FROM_VALUE, cell: cell)
        }
    }

    private mutating func addValue(included: Set<String>) throws(ConnectorError) {
        var taken = Set(items.map { SQLText.fold($0.name) })
        let keys = taken
        for (cell, field) in schema.fields.enumerated() {
            var field = field
            if field.name.isEmpty { field.name = Self.opaqueName }
            if !included.isEmpty, !included.contains(field.name) { continue }
            let folded = SQLText.fold(field.name)
            if keys.contains(folded) { continue }
            guard taken.insert(folded).inserted else {
                throw Self.reject(
                    "ambiguous_field",
                    "Two fields of the record are the column \(field.name), where case is ignored.",
                    hint: "Rename one of them, or choose with fields.include."
                )
            }
            guard SQLText.isName(field.name) else {
                throw Self.reject("field_name", "A field's name contains a NUL character.")
            }
            add(field, isKey: false, source: MR_FROM_VALUE, cell: cell)
        }
    }

    private mutating func add(_ field: Field, isKey: Bool, source: Int, cell: Int) {
        items.append(
            Item(
                name: field.name,
                field: field,
                isKey: isKey,
                source: UInt8(truncatingIfNeeded: source),
                cell: cell
            )
        )
    }

    /// Makes an error for a record that cannot become a row.
    internal static func reject(
        _ reason: String,
        _ message: String,
        hint: String? = nil
    ) -> ConnectorError {
        ConnectorError(.init("sqlite." + reason), .rejectRecord, message, hint: hint)
    }
}

extension FieldMapping.Item {
    /// The cells of the field in the rows of a batch that have a value.
    internal func cells(of batch: RecordBatch) -> [Cell] {
        let isFromKey = Int(source) == MR_FROM_KEY
        return batch.indices.compactMap { row in
            if isFromKey { return batch.keyRow(row)?[cell] }
            guard Int(source) == MR_FROM_VALUE else { return .int(0) }
            return batch[metadata: row].isTombstone ? nil : batch[row, cell]
        }
    }
}
