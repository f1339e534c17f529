internal import ChangeCapture
internal import ConnectorSDK
internal import LogicalReplication
internal import PostgresClient

/// A table as the catalog of the server has it now.
internal struct CatalogTable: Equatable, Sendable {
    /// One column.
    internal struct Column: Equatable, Sendable {
        internal var name: String
        /// The type's oid and modifier.
        internal var type: UInt32
        internal var modifier: Int32
        internal var isOptional: Bool
    }

    internal var id: UInt32
    internal var schema: String
    internal var name: String
    internal var isPartitioned = false
    internal var identity = Relation.Identity.primaryKey
    /// The columns that are published, in order; generated ones are not.
    internal var columns: [Column] = []
    /// The columns of the primary key in its order, or of the index that is the replica identity.
    internal var key: [String] = []
    /// The condition that published rows fulfil; `nil` for all.
    internal var rowFilter: String?
    /// For a partition, the name of the partitioned table.
    internal var root: String?
    /// The number of rows as the planner last estimated it; negative when it never did.
    internal var estimatedRows: Double = -1

    /// The name as configurations, positions and messages have it.
    internal var fullName: String { "\(schema).\(name)" }

    /// The name as SQL has it.
    internal var sqlName: String { SQLText.identifier(schema: schema, name) }

    /// What statements call the table.
    internal static let alias = "r"

    /// What statements read from: without the tables that inherit from it, which are captured by
    /// themselves.
    internal var source: String { "\(isPartitioned ? "" : "ONLY ")\(sqlName) AS \(Self.alias)" }

    /// A column of a statement's result with the key's columns as text, in its order.
    internal var keyTexts: String {
        key.map { "\(Self.alias).\(SQLText.identifier($0))::text" }.joined(separator: ", ")
    }

    /// Whether the server can tell updates and deletes once the table is published.
    ///
    /// When it cannot, it refuses them: to whoever makes them.
    internal var tellsOldRows: Bool {
        switch identity {
        case .full, .index: true
        case .primaryKey: !key.isEmpty
        case .nothing: false
        }
    }
}

/// Looks tables up.
internal struct TableCatalog {
    internal let database: Database

    /// The tables that are captured when `publication` tells their changes, as far as it tells
    /// them; with `nil`, as a publication that is made will.
    internal func captured(
        _ settings: CDCSettings,
        by publication: Publication?
    ) throws(ConnectorError) -> [CatalogTable] {
        let found = try tables(viaRoot: publication?.isViaRoot ?? settings.isViaRoot) {
            settings.capture.includes(table: $0) && $0 != settings.signalTable
        }
        return try publication?.limit(found, database) ?? found
    }

    /// The tables that could be captured and that `isWanted` names, by name; `viaRoot` says whether
    /// a partitioned table stands for its partitions, or they for it.
    internal func tables(
        viaRoot: Bool,
        where isWanted: (String) -> Bool
    ) throws(ConnectorError) -> [CatalogTable] {
        let result = try database.query(
            Self.selection
                + """
                 WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
                  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
                ORDER BY n.nspname, c.relname
                """,
            [],
            "list the tables"
        )
        var found: [CatalogTable] = []
        for row in 0..<result.rowCount {
            let table = Self.table(result, row)
            let isRootWanted = table.root.map(isWanted) ?? false
            if viaRoot ? isRootWanted : table.isPartitioned { continue }
            if isWanted(table.fullName) || isRootWanted { found.append(table) }
        }
        return try describe(found)
    }

    /// One table; `nil` when it is gone.
    internal func table(_ id: UInt32) throws(ConnectorError) -> CatalogTable? {
        let result = try database.query(
            Self.selection + " WHERE c.oid = $1",
            [.int(Int64(id))],
            "look up a table"
        )
        guard result.rowCount == 1 else { return nil }
        return try describe([Self.table(result, 0)]).first
    }

    /// The tables of which the role may not read all that is captured.
    internal func unreadable(_ tables: [CatalogTable]) throws(ConnectorError) -> [CatalogTable] {
        let result = try database.query(
            """
            SELECT a.attrelid, a.attname
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
              AND NOT (has_schema_privilege(c.relnamespace, 'USAGE')
                       AND has_column_privilege(c.oid, a.attnum, 'SELECT'))
            """,
            [.text("{" + tables.map { String($0.id) }.joined(separator: ",") + "}")],
            "look at the privileges"
        )
        var columns: [UInt32: Set<String>] = [:]
        for row in 0..<result.rowCount {
            let id = UInt32(truncatingIfNeeded: result.int(row, 0) ?? 0)
            columns[id, default: []].insert(result.string(row, 1) ?? "")
        }
        return tables.filter { table in
            table.columns.contains { columns[table.id]?.contains($0.name) == true }
        }
    }

    private static let selection = """
        SELECT c.oid, n.nspname, c.relname, c.relkind, c.relreplident, c.reltuples,
               CASE WHEN c.relispartition
                    THEN (SELECT rn.nspname || '.' || r.relname
                          FROM pg_class r JOIN pg_namespace rn ON rn.oid = r.relnamespace
                          WHERE r.oid = pg_partition_root(c.oid)) END
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        """

    private static func table(_ result: PostgresResult, _ row: Int) -> CatalogTable {
        var table = CatalogTable(
            id: UInt32(truncatingIfNeeded: result.int(row, 0) ?? 0),
            schema: result.string(row, 1) ?? "",
            name: result.string(row, 2) ?? ""
        )
        table.isPartitioned = result.string(row, 3) == "p"
        table.identity =
            result.string(row, 4)?.utf8.first.flatMap { Relation.Identity(rawValue: $0) }
            ?? .primaryKey
        table.root = result.string(row, 6)
        table.estimatedRows = result.string(row, 5).flatMap { Double($0) } ?? -1
        return table
    }

    /// Adds columns and keys.
    private func describe(_ tables: [CatalogTable]) throws(ConnectorError) -> [CatalogTable] {
        guard !tables.isEmpty else { return [] }
        var tables = tables
        let places = Dictionary(tables.enumerated().map { ($1.id, $0) }) { first, _ in first }
        let ids = "{" + tables.map { String($0.id) }.joined(separator: ",") + "}"
        let columns = try database.query(
            """
            SELECT attrelid, attname, atttypid, atttypmod, NOT attnotnull
            FROM pg_attribute
            WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped
              AND attgenerated = ''
            ORDER BY attrelid, attnum
            """,
            [.text(ids)],
            "look up columns"
        )
        for row in 0..<columns.rowCount {
            guard let place = columns.int(row, 0).flatMap({ places[UInt32($0)] }) else { continue }
            tables[place].columns.append(
                .init(
                    name: columns.string(row, 1) ?? "",
                    type: UInt32(truncatingIfNeeded: columns.int(row, 2) ?? 0),
                    modifier: Int32(truncatingIfNeeded: columns.int(row, 3) ?? -1),
                    isOptional: columns.bool(row, 4) ?? true
                )
            )
        }
        // The index that the table's owner chose to identify rows by, since no other column is told
        // of rows that go, or else the primary key.
        let keys = try database.query(
            """
            SELECT DISTINCT ON (i.indrelid, k.place) i.indrelid, a.attname
            FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            JOIN pg_class t ON t.oid = i.indrelid
            WHERE i.indrelid = ANY ($1::oid[]) AND i.indisvalid AND k.place <= i.indnkeyatts
              AND CASE t.relreplident WHEN 'i' THEN i.indisreplident ELSE i.indisprimary END
            ORDER BY i.indrelid, k.place
            """,
            [.text(ids)],
            "look up keys"
        )
        for row in 0..<keys.rowCount {
            guard let place = keys.int(row, 0).flatMap({ places[UInt32($0)] }) else { continue }
            tables[place].key.append(keys.string(row, 1) ?? "")
        }
        return tables
    }
}
