internal import SQLiteClient

/// A table as it is in the database now: what triggers need to know of it.
internal struct TableDefinition {
    /// One way in which no two rows may be alike.
    struct UniqueRule: Equatable {
        /// One part of it.
        struct Term: Equatable {
            /// The column; `nil` for an expression.
            var column: String?
            /// The expression as it is written, empty for a column.
            var expression: String
            var collation: String
        }

        var terms: [Term]
        /// For which rows it holds; `nil` for all.
        var condition: String?
    }

    let name: String
    let columns: [CapturedLayout.Column]
    /// A name for the row id; `nil` in a table without.
    let rowID: String?
    /// Whether row ids are a column's, so that VACUUM leaves them as they are.
    let rowIDIsStable: Bool
    /// How key columns of a table without row ids are compared, in the order of the key.
    let keyCollations: [String]
    let uniqueRules: [UniqueRule]

    /// Reads a definition; `nil` when there is no such table, or none that can have triggers.
    init?(
        _ name: String,
        in database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) {
        guard let description = try TableDescription(name, in: database), !description.isView,
            !description.isVirtual
        else { return nil }
        self.name = description.name
        columns = description.columns.map {
            CapturedLayout.Column(
                name: $0.name,
                type: $0.declaredType,
                isNotNull: $0.isNotNull,
                keyPosition: $0.keyPosition
            )
        }
        rowID = description.rowIDName
        rowIDIsStable = description.rowIDColumn != nil
        let indexes = try Self.indexes(of: description.name, in: database)
        uniqueRules = indexes.map(\.rule)
        keyCollations =
            indexes.first { $0.isPrimaryKey }?.rule.terms.map(\.collation)
            ?? columns.filter { $0.keyPosition > 0 }.map { _ in "BINARY" }
    }

    private static func indexes(
        of table: String,
        in database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> [(rule: UniqueRule, isPrimaryKey: Bool)] {
        let list = try database.prepare(
            "SELECT l.name, l.origin, s.sql FROM pragma_index_list(?1) AS l "
                + "LEFT JOIN sqlite_schema AS s ON s.type = 'index' AND s.name = l.name "
                + "WHERE l.\"unique\" ORDER BY l.name"
        )
        try list.bind(1, table)
        var indexes: [(rule: UniqueRule, isPrimaryKey: Bool)] = []
        while try list.step() {
            let text = list.optionalString(2).flatMap { IndexText($0) }
            let terms = try terms(of: list.string(0), text, in: database)
            indexes.append(
                (UniqueRule(terms: terms, condition: text?.condition), list.string(1) == "pk")
            )
        }
        return indexes
    }

    private static func terms(
        of index: String,
        _ text: IndexText?,
        in database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> [UniqueRule.Term] {
        let columns = try database.prepare(
            "SELECT name, coll, seqno FROM pragma_index_xinfo(?1) WHERE key ORDER BY seqno"
        )
        try columns.bind(1, index)
        var terms: [UniqueRule.Term] = []
        while try columns.step() {
            let number = Int(columns.int64(2))
            let column = columns.optionalString(0)
            let texts = text?.terms ?? []
            terms.append(
                UniqueRule.Term(
                    column: column,
                    expression: column == nil && number < texts.count ? texts[number] : "",
                    collation: columns.optionalString(1) ?? "BINARY"
                )
            )
        }
        return terms
    }
}
