public import ConnectorSDK

/// How a table, view or query is read, so that reading can go on after an interruption.
public enum ReadStrategy: Sendable {
    /// After the row whose order values are known; they are unique.
    case keyset
    /// After all rows that share an order value; they are not unique.
    case groups
    /// From the beginning, unless the rows so far are still the same.
    case sequence
}

/// One of the things that rows are ordered by.
public struct OrderTerm: Equatable, Sendable {
    /// Its name in positions: a column's, or several with commas.
    public var name: String
    /// Its value in SQL.
    public var sql: String
    /// The column whose values these are; `nil` when an expression makes them.
    public var column: String?
    /// Whether the user chose it, so that rows in which it is null are left out.
    public var isModeColumn: Bool

    /// Makes a term.
    public init(name: String, sql: String, column: String?, isModeColumn: Bool) {
        self.name = name
        self.sql = sql
        self.column = column
        self.isModeColumn = isModeColumn
    }
}

extension TableSourceSettings {
    /// What the mode orders rows by, the timestamp first; `sql` says what a column is in SQL.
    public func modeTerms(
        incrementing: String?,
        _ sql: (String) -> String
    ) -> [OrderTerm] {
        var terms: [OrderTerm] = []
        if mode.usesTimestamp {
            let columns = timestampColumns.map(sql)
            let isAlone = columns.count == 1
            terms.append(
                OrderTerm(
                    name: timestampColumns.joined(separator: ","),
                    sql: isAlone ? columns[0] : "COALESCE(\(columns.joined(separator: ", ")))",
                    column: isAlone ? timestampColumns[0] : nil,
                    isModeColumn: true
                )
            )
        }
        if mode.usesIncrementing, let incrementing {
            terms.append(
                OrderTerm(
                    name: incrementing,
                    sql: sql(incrementing),
                    column: incrementing,
                    isModeColumn: true
                )
            )
        }
        return terms
    }

    /// Checks the columns that the configuration names, against those of a table.
    ///
    /// - Parameters:
    ///   - table: the table's name in messages.
    ///   - columns: its columns.
    ///   - mayBeNull: whether a column may be null, as far as is known; `nil` when there is none of
    ///     that name.
    /// - Throws: with the key, which of them there is not, or would leave rows out.
    public func checkModeColumns(
        of table: String,
        _ columns: [String],
        mayBeNull: (String) -> Bool?
    ) throws(ConnectorError) {
        var named: [(key: String, name: String)] = []
        if mode.usesTimestamp { named += timestampColumns.map { ("timestamp.column.name", $0) } }
        if mode.usesIncrementing, let incrementingColumn {
            named.append(("incrementing.column.name", incrementingColumn))
        }
        for (key, name) in named {
            guard let isNullable = mayBeNull(name) else {
                throw .invalid(
                    key,
                    "\(table) has no column \(name).",
                    hint: Spelling.nearest(to: name, in: columns).map { "Did you mean \($0)?" }
                )
            }
            // With several timestamp columns it is their combination that counts.
            let isAlone = key != "timestamp.column.name" || timestampColumns.count == 1
            guard validatesNonNull, isAlone, isNullable else { continue }
            throw .invalid(
                key,
                "The column \(table).\(name) may be null, and such rows would not be read.",
                hint: "Declare it NOT NULL, or set validate.non.null to false."
            )
        }
    }
}
