internal import ChangeCapture
internal import ConnectorSDK
internal import LogicalReplication
internal import PostgresClient
internal import PostgresRecords

/// The tables of one task: those that the stream has described, and those that a snapshot reads.
internal final class TableMap {
    private let settings: CDCSettings
    private let stream: ChangeStream
    private let catalog: TableCatalog
    private var types = TypeMapper()
    private var described = RelationCache<CapturedRelation?>()
    /// Versions of tables that are known, so that the same columns are the same schema.
    private var versions: [Relation: CapturedRelation] = [:]
    /// Captured tables that the stream has described for the first time since the last call.
    private var arrivals: [UInt32: String] = [:]
    /// The table of signals, once it was described.
    internal private(set) var signals: Relation?

    internal init(_ settings: CDCSettings, _ stream: ChangeStream, _ catalog: TableCatalog) {
        self.settings = settings
        self.stream = stream
        self.catalog = catalog
    }

    /// The table that a row belongs to; `nil` when it is not captured.
    @inline(__always)
    internal func relation(_ id: UInt32) throws(ConnectorError) -> CapturedRelation? {
        do throws(ReplicationError) {
            return try described.value(id)
        } catch {
            throw CDCError.protocolError(error)
        }
    }

    /// Notes what the server says of a table.
    internal func describe(_ relation: Relation) throws(ConnectorError) {
        let name = "\(relation.namespace).\(relation.name)"
        if name == settings.signalTable { signals = relation }
        guard try isCaptured(relation, name) else {
            described.set(relation.id, to: nil)
            return
        }
        let known: CapturedRelation
        if let version = versions[relation] { known = version } else { known = try make(relation) }
        remember(known, for: relation)
        described.set(relation.id, to: known)
        arrivals[relation.id] = name
    }

    private func isCaptured(_ relation: Relation, _ name: String) throws(ConnectorError) -> Bool {
        if settings.capture.includes(table: name) { return true }
        // A partition is captured with the table it belongs to.
        guard let table = try catalog.table(relation.id), let root = table.root else {
            return false
        }
        return settings.capture.includes(table: root)
    }

    private func make(_ relation: Relation) throws(ConnectorError) -> CapturedRelation {
        let table = try catalog.table(relation.id)
        let names = relation.columns.map(\.name)
        var key = (table?.key ?? []).compactMap { names.firstIndex(of: $0) }
        if key.isEmpty || key.count != table?.key.count, relation.identity != .full {
            // The table was changed or dropped since; the columns that identify old rows will do.
            key = relation.columns.indices.filter { relation.columns[$0].isKey }
        }
        return try CapturedRelation(
            relation,
            try decoders(relation),
            key: key,
            // What the table does not have any more may have been null.
            optional: Set(names)
                .subtracting((table?.columns ?? []).filter { !$0.isOptional }.map(\.name)),
            in: stream
        )
    }

    /// The table as it is in the catalog, for a snapshot.
    internal func relation(for table: CatalogTable) throws(ConnectorError) -> CapturedRelation {
        let relation = Relation(
            id: table.id,
            namespace: table.schema,
            name: table.name,
            identity: table.identity,
            columns: table.columns.map { column in
                Relation.Column(
                    column.name,
                    type: column.type,
                    modifier: column.modifier,
                    isKey: table.identity == .full || table.key.contains(column.name)
                )
            }
        )
        if let known = versions[relation] { return known }
        let made = try CapturedRelation(
            relation,
            try decoders(relation),
            key: table.key.compactMap { name in table.columns.firstIndex { $0.name == name } },
            optional: Set(table.columns.filter(\.isOptional).map(\.name)),
            in: stream
        )
        remember(made, for: relation)
        return made
    }

    /// Versions at most, however often columns change. (D7)
    private static let versionLimit = 1_000

    private func remember(_ version: CapturedRelation, for relation: Relation) {
        if versions.count >= Self.versionLimit { versions.removeAll() }
        versions[relation] = version
    }

    private func decoders(_ relation: Relation) throws(ConnectorError) -> [ColumnDecoder] {
        let connection = try catalog.database.connection()
        let checksText = connection.parameterStatus("server_encoding") == "SQL_ASCII"
        var decoders: [ColumnDecoder] = []
        for column in relation.columns {
            let type: ColumnType
            do throws(PostgresFailure) {
                type = try types.type(column.type, modifier: column.modifier, on: connection)
            } catch {
                throw CDCError.server(
                    error,
                    "look up the type of the column `\(column.name)` of `\(relation.name)`"
                )
            }
            decoders.append(ColumnDecoder(type, settings.capture, checksText: checksText))
        }
        return decoders
    }

    /// Captured tables that were described for the first time since the last call, by oid.
    internal func takeArrivals() -> [UInt32: String] {
        defer { arrivals = [:] }
        return arrivals
    }
}
