public import ConnectorSDK
public import RecordTemplates

/// What a sink of tables is configured to do, whatever its database; checked as a whole.
public struct TableSinkSettings: Sendable {
    /// What a record does to its row.
    public enum InsertMode: String, CaseIterable, Sendable {
        /// Adds a row; a record whose key exists is rejected.
        case insert
        /// Adds a row, or changes the fields that the record has.
        case upsert
        /// Changes the fields that the record has; a record without a row is rejected.
        case update
    }

    /// Where the key of a row comes from.
    public enum KeyMode: String, CaseIterable, Sendable {
        /// Rows have no key.
        case none
        /// The record's key.
        case recordKey = "record_key"
        /// Fields of the record's value.
        case recordValue = "record_value"
        /// The record's topic, partition and offset.
        case kafka
    }

    /// The columns of a record's place in its topic, as Kafka Connect names them.
    public static let placeNames = ["__connect_topic", "__connect_partition", "__connect_offset"]

    /// The names of tables.
    public let tableName: RecordTemplate
    /// What a record does to its row.
    public let insertMode: InsertMode
    /// Where the key of a row comes from.
    public let keyMode: KeyMode
    /// The key's fields; empty for all that there are.
    public let keyFields: [String]
    /// Whether a tombstone deletes its row; otherwise it is rejected.
    public let deletes: Bool
    /// Whether a table that does not exist is created.
    public let createsTables: Bool
    /// What happens to a field that the table has no place for.
    public let evolution: EvolutionPolicy
    /// The fields of the value that are written.
    public let fields: FieldSelection
    /// What the database's names are like.
    public let dialect: TableDialect

    /// Reads the keys of ``specification``.
    public init(
        _ configuration: Configuration,
        dialect: TableDialect
    ) throws(ConnectorError) {
        self.dialect = dialect
        tableName = try RecordTemplate(
            try configuration.get(Self.tableNameKey),
            key: Self.tableNameKey.declaration.name
        )
        insertMode = try configuration.get(Self.insertModeKey)
        keyMode = try configuration.get(Self.keyModeKey)
        let names = try configuration.get(Self.keyFieldsKey)
        keyFields = keyMode == .kafka && names.isEmpty ? Self.placeNames : names
        deletes = try configuration.get(Self.deleteKey)
        createsTables = try configuration.get(Self.createKey)
        evolution = try configuration.get(Self.evolveKey)
        fields = FieldSelection(
            included: try configuration.get(Self.includeKey),
            excluded: try configuration.get(Self.excludeKey)
        )
        try checkCombination()
    }

    private func checkCombination() throws(ConnectorError) {
        if insertMode != .insert, keyMode == .none {
            throw .invalid(
                "pk.mode",
                "insert.mode \(insertMode.rawValue) needs to know which row a record is for.",
                hint: "Set pk.mode to record_key or record_value."
            )
        }
        if deletes, keyMode != .recordKey {
            throw .invalid(
                "delete.enabled",
                "Only a record's key can say which row is to be deleted.",
                hint: "Set pk.mode to record_key."
            )
        }
        if keyMode == .none, !keyFields.isEmpty {
            throw .invalid(
                "pk.fields",
                "With pk.mode none there is no key.",
                hint: "Set pk.mode to record_key or record_value, or leave pk.fields out."
            )
        }
        if keyMode == .kafka, keyFields.count != 3 {
            throw .invalid(
                "pk.fields",
                "pk.mode kafka needs three names: for the topic, the partition and the offset."
            )
        }
        if Set(keyFields.map(dialect.fold)).count != keyFields.count {
            throw .invalid("pk.fields", "A field is named twice.")
        }
    }

    /// Whether a batch has tombstones.
    ///
    /// - Throws: a rejection, when it has and they do not delete rows.
    public func checkTombstones(_ batch: RecordBatch) throws(ConnectorError) -> Bool {
        let found = batch.indices.contains { batch.metadata($0).pointee.isTombstone }
        guard found, !deletes else { return found }
        throw .unmapped(
            "tombstone",
            "The record is a tombstone: it has a key and no value.",
            hint: "Set delete.enabled to delete its row, or filter tombstones out."
        )
    }
}

/// Which fields of the value are written.
public struct FieldSelection: Sendable {
    private let included: Set<String>
    private let excluded: Set<String>

    /// Makes a selection; with nothing included everything is.
    public init(included: [String] = [], excluded: [String] = []) {
        self.included = Set(included)
        self.excluded = Set(excluded)
    }

    /// Whether a field is written.
    public func contains(_ name: String) -> Bool {
        (included.isEmpty || included.contains(name)) && !excluded.contains(name)
    }
}

extension ConnectorError {
    /// Makes the error of a record that cannot become a row; `reason` completes the code `table.`.
    public static func unmapped(
        _ reason: String,
        _ message: String,
        hint: String? = nil
    ) -> ConnectorError {
        ConnectorError(.init("table." + reason), .rejectRecord, message, hint: hint)
    }
}
