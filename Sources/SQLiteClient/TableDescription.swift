/// What a database says of one of its tables.
public struct TableDescription {
    /// What a column does to the values that are put into it.
    public enum Affinity {
        case none, text, numeric, integer, real
    }

    /// One column.
    public struct Column {
        public var name: String
        public var declaredType: String
        public var affinity: Affinity
        public var isNotNull: Bool
        public var hasDefault: Bool
        /// The place in the primary key, from 1; 0 for none.
        public var keyPosition: Int
        public var isGenerated: Bool
    }

    public let name: String
    public let isView: Bool
    public let isVirtual: Bool
    public let isWithoutRowID: Bool
    public let hasTriggers: Bool
    /// The unique indexes beside the primary key.
    public let otherUniqueIndexes: Int
    /// Whether the primary key compares text byte by byte.
    public let keyIsBinary: Bool
    /// Whether nothing can refuse a row but a unique key and NOT NULL: no other constraint, no
    /// trigger, and no expression that is evaluated for rows.
    public let isPlain: Bool
    public let columns: [Column]
    private let positions: [String: Int]

    /// Reads the description of a table or view; `nil` when there is none of that name.
    public init?(
        _ name: String,
        in database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) {
        let list = try database.prepare(
            "SELECT name, type, wr, strict FROM pragma_table_list(?1) WHERE schema = 'main'"
        )
        try list.bind(1, name)
        guard try list.step() else { return nil }
        self.name = list.string(0)
        isView = list.string(1) == "view"
        isVirtual = list.string(1) == "virtual"
        isWithoutRowID = list.int64(2) != 0
        columns = try Self.columns(of: name, isStrict: list.int64(3) != 0, in: database)
        let positions = columns.enumerated().map { (SQLiteName.fold($1.name), $0) }
        self.positions = Dictionary(positions, uniquingKeysWith: { first, _ in first })
        hasTriggers =
            try Self.count(
                "SELECT count(*) FROM sqlite_schema "
                    + "WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE",
                name,
                in: database
            ) > 0
        otherUniqueIndexes = try Self.count(
            "SELECT count(*) FROM pragma_index_list(?1) WHERE \"unique\" AND origin <> 'pk'",
            name,
            in: database
        )
        let expressionCount = try Self.count(Self.expressions, name, in: database)
        isPlain =
            !isView && !isVirtual && list.int64(3) == 0 && !hasTriggers && expressionCount == 0
            && !columns.contains(where: \.isGenerated)
        keyIsBinary =
            try Self.count(
                "SELECT count(*) FROM pragma_index_list(?1) AS l, pragma_index_xinfo(l.name) AS x "
                    + "WHERE l.origin = 'pk' AND x.key AND x.coll <> 'BINARY'",
                name,
                in: database
            ) == 0
    }

    /// Counts what may hold expressions: constraints, and indexes over expressions or some rows.
    private static let expressions =
        "SELECT (SELECT count(*) FROM sqlite_schema WHERE type = 'table' "
        + "AND name = ?1 COLLATE NOCASE AND sql LIKE '%check%') "
        + "+ (SELECT count(*) FROM pragma_index_list(?1) AS l, pragma_index_xinfo(l.name) AS x "
        + "WHERE l.partial OR x.cid = -2)"

    /// The column of that name; letters of ASCII have no case.
    public func column(_ name: String) -> Column? {
        positions[SQLiteName.fold(name)].map { columns[$0] }
    }

    /// The primary key's columns, in its order.
    public var keyColumns: [Column] {
        columns.filter { $0.keyPosition > 0 }.sorted { $0.keyPosition < $1.keyPosition }
    }

    /// The column that is another name of the row id.
    public var rowIDColumn: Column? {
        guard !isWithoutRowID, !isView, !isVirtual, keyColumns.count == 1 else { return nil }
        return keyColumns.first { SQLiteName.fold($0.declaredType) == "integer" }
    }

    /// A name for the row id that no column hides; `nil` when there is no row id.
    public var rowIDName: String? {
        guard !isWithoutRowID, !isView, !isVirtual else { return nil }
        if let column = rowIDColumn { return column.name }
        return ["rowid", "_rowid_", "oid"].first { column($0) == nil }
    }

    private static func count(
        _ sql: String,
        _ name: String,
        in database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> Int {
        let statement = try database.prepare(sql)
        try statement.bind(1, name)
        return try statement.step() ? Int(truncatingIfNeeded: statement.int64(0)) : 0
    }

    private static func columns(
        of name: String,
        isStrict: Bool,
        in database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> [Column] {
        let statement = try database.prepare(
            "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden "
                + "FROM pragma_table_xinfo(?1) WHERE hidden <> 1"
        )
        try statement.bind(1, name)
        var columns: [Column] = []
        while try statement.step() {
            let type = statement.string(1)
            columns.append(
                Column(
                    name: statement.string(0),
                    declaredType: type,
                    affinity: affinity(of: type, isStrict: isStrict),
                    isNotNull: statement.int64(2) != 0,
                    hasDefault: statement.int64(3) != 0,
                    keyPosition: Int(truncatingIfNeeded: statement.int64(4)),
                    isGenerated: statement.int64(5) >= 2
                )
            )
        }
        return columns
    }

    /// SQLite's rules, in their order (Datatypes In SQLite, section 3.1).
    public static func affinity(of declaredType: String, isStrict: Bool) -> Affinity {
        let type = SQLiteName.fold(declaredType)
        if type.contains("int") { return .integer }
        if ["char", "clob", "text"].contains(where: type.contains) { return .text }
        if type.isEmpty || type.contains("blob") || (isStrict && type == "any") { return .none }
        if ["real", "floa", "doub"].contains(where: type.contains) { return .real }
        return .numeric
    }
}
