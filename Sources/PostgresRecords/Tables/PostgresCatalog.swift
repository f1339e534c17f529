public import PostgresClient

/// A table or view as the server's catalog describes it.
public struct PostgresTable: Sendable {
    /// One column.
    public struct Column: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// The type's oid.
        public var type: UInt32
        /// The type's modifier, such as the precision of a numeric; -1 for none.
        public var modifier: Int32
        /// Whether it is declared NOT NULL.
        public var isNotNull: Bool
        /// Whether a collation says in what order its values come.
        public var isCollated: Bool

        /// Makes a column.
        public init(
            name: String,
            type: UInt32,
            modifier: Int32,
            isNotNull: Bool,
            isCollated: Bool = false
        ) {
            self.name = name
            self.type = type
            self.modifier = modifier
            self.isNotNull = isNotNull
            self.isCollated = isCollated
        }
    }

    /// The table's oid.
    public var oid: UInt32
    /// The schema that has it.
    public var schema: String
    /// Its name without the schema.
    public var name: String
    /// Whether rows have a place of their own, `ctid`.
    public var isPlainTable: Bool
    /// The columns, in their order; dropped ones are left out.
    public var columns: [Column]
    /// The primary key's columns, in its order.
    public var key: [String]
    /// The column whose values come from a sequence, if there is one.
    public var identity: String?

    /// The name with its schema, quoted.
    public var sql: String { SQLText.identifier(schema: schema, name) }

    /// The name with its schema, as patterns and positions have it.
    public var fullName: String { "\(schema).\(name)" }
}

/// Reads the server's catalog.
public struct PostgresCatalog {
    private let connection: PostgresConnection

    /// Makes a reader of the catalog of a connection's database.
    public init(_ connection: PostgresConnection) { self.connection = connection }

    /// A table or view that could be read.
    public struct Entry: Sendable {
        /// The oid.
        public var oid: UInt32
        /// The schema.
        public var schema: String
        /// The name without the schema.
        public var name: String
        /// Whether it is a table, partitioned or not.
        public var isTable: Bool
        /// The name with its schema.
        public var fullName: String { "\(schema).\(name)" }
    }

    /// All tables and views of users, in the order of their names; partitions are left out, since
    /// their table has their rows.
    public func entries() throws(PostgresFailure) -> [Entry] {
        let result = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname, c.relkind IN ('r', 'p')
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
                AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
                AND c.relpersistence <> 't'
            ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
            """
        )
        return (0..<result.rowCount).map { row in
            Entry(
                oid: Self.oid(result, row, 0),
                schema: result.string(row, 1) ?? "",
                name: result.string(row, 2) ?? "",
                isTable: result.bool(row, 3) ?? false
            )
        }
    }

    /// The table or view of that name in a schema, or in the first schema of the search path that
    /// has one; `nil` when there is none.
    public func find(schema: String?, _ name: String) throws(PostgresFailure) -> PostgresTable? {
        let result = try connection.query(
            """
            SELECT c.oid, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                AND CASE WHEN $2::text IS NULL THEN pg_table_is_visible(c.oid)
                    ELSE n.nspname = $2 END
            """,
            [.text(name), schema.map { .text($0) } ?? .null]
        )
        guard result.rowCount > 0 else { return nil }
        return try describe(
            Entry(
                oid: Self.oid(result, 0, 0),
                schema: result.string(0, 1) ?? "",
                name: name,
                isTable: true
            )
        )
    }

    /// Describes a table; `nil` when it is gone.
    public func describe(_ entry: Entry) throws(PostgresFailure) -> PostgresTable? {
        let oid = String(entry.oid)
        let kind = try connection.query(
            "SELECT relkind FROM pg_class WHERE oid = $1::oid",
            [.text(oid)]
        )
        guard let relkind = kind.string(0, 0) else { return nil }
        let columns = try connection.query(
            """
            SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attcollation <> 0,
                pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname) IS NOT NULL
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            """,
            [.text(oid)]
        )
        var description = PostgresTable(
            oid: entry.oid,
            schema: entry.schema,
            name: entry.name,
            isPlainTable: relkind == "r" || relkind == "m",
            columns: [],
            key: try key(oid),
            identity: nil
        )
        for row in 0..<columns.rowCount {
            let name = columns.string(row, 0) ?? ""
            description.columns.append(
                .init(
                    name: name,
                    type: Self.oid(columns, row, 1),
                    modifier: Int32(truncatingIfNeeded: columns.int(row, 2) ?? -1),
                    isNotNull: columns.bool(row, 3) ?? false,
                    isCollated: columns.bool(row, 4) ?? false
                )
            )
            if columns.bool(row, 5) == true, description.identity == nil {
                description.identity = name
            }
        }
        return description
    }

    private func key(_ oid: String) throws(PostgresFailure) -> [String] {
        let result = try connection.query(
            """
            SELECT a.attname FROM pg_index i
                CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE i.indrelid = $1::oid AND i.indisprimary AND k.place <= i.indnkeyatts
            ORDER BY k.place
            """,
            [.text(oid)]
        )
        return (0..<result.rowCount).compactMap { result.string($0, 0) }
    }

    private static func oid(_ result: PostgresResult, _ row: Int, _ column: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: result.int(row, column) ?? 0)
    }
}
