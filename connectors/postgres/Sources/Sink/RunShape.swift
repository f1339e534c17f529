internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// What rows that have the same fields have in common: their columns, how they are encoded, and the
/// statements that write them.
internal final class RunShape {
    internal enum Kind {
        /// Rows go straight into the table.
        case copy
        /// Rows go to the server as arrays, or into a temporary table, and one statement takes them
        /// from there.
        case upsert, update, delete
    }

    internal let kind: Kind
    internal let table: TargetTable
    internal let encoder: RowEncoder
    /// Which rows of the table the last ones met.
    internal var presence = KeyPresence()
    private let columns: [WritePlan.Column]
    /// Whether a new row would need more than the rows have.
    private let lacksRequired: Bool

    internal init(_ kind: Kind, _ table: TargetTable, _ columns: [WritePlan.Column]) {
        self.kind = kind
        self.table = table
        self.columns = columns
        let names = Set(columns.map(\.name))
        lacksRequired = table.columns.contains { $0.isRequired && !names.contains($0.name) }
        encoder = RowEncoder(
            columns.map { column in
                RowEncoder.Column(
                    name: column.name,
                    origin: column.item.origin,
                    encoder: .init(column.target.type, from: column.item.field)
                )
            }
        )
    }

    private func quote(_ columns: [WritePlan.Column], _ prefix: String = "") -> String {
        columns.map { prefix + TableMapping.SQLText.quote($0.name) }.joined(separator: ", ")
    }

    private var key: [WritePlan.Column] { columns.filter(\.item.isKey) }

    /// The statement that starts a COPY into the table, or into a temporary one.
    internal func copyStatement(into stage: String?, as form: RowEncoder.Form) -> String {
        "COPY \(stage ?? table.name.quoted) (\(quote(columns))) FROM STDIN (FORMAT \(form.rawValue))"
    }

    /// The statement that adds rows which have no field at all.
    internal func insertDefaults(_ count: Int) -> String? {
        guard columns.isEmpty else { return nil }
        return "INSERT INTO \(table.name.quoted) SELECT FROM generate_series(1, \(count))"
    }

    /// The query whose columns a temporary table for the rows has.
    internal var stageDefinition: String {
        "SELECT \(quote(columns)) FROM \(table.name.quoted) /* \(table.state) */"
    }

    /// The statement that writes one row, and the types of its parameters.
    internal var rowStatement: (sql: String, types: [UInt32]) {
        let parameters = columns.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
        let row = "(SELECT * FROM (VALUES (\(parameters))) v (\(quote(columns))))"
        let insert =
            "INSERT INTO \(table.name.quoted) (\(quote(columns))) "
            + "OVERRIDING SYSTEM VALUE VALUES (\(parameters))"
        let sql = kind == .copy ? insert : merge(from: row, hasDistinctKeys: true)
        return (sql, columns.map(\.target.type.oid))
    }

    // MARK: - Taking rows from arrays

    /// Whether rows can be sent as arrays.
    internal var hasArrays: Bool {
        kind != .copy && columns.allSatisfy { $0.target.arrayType != nil }
    }

    /// The types of the arrays' elements.
    internal var elementTypes: [UInt32] { columns.map(\.target.type.oid) }

    /// The statement that writes rows which come as one array for each column, and the arrays' types.
    internal func arrayStatement(hasDistinctKeys: Bool) -> (sql: String, types: [UInt32]) {
        let parameters = columns.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
        let rows =
            hasDistinctKeys
            ? elements(of: columns, as: { "$\($0)" })
            : lastOfEachKey(
                "unnest(\(parameters)) WITH ORDINALITY a (\(quote(columns)), __place)",
                by: nil
            )
        return (merge(from: rows, hasDistinctKeys: true), columns.compactMap(\.target.arrayType))
    }

    /// Whether rows that exist can be changed, and new ones copied, without ON CONFLICT.
    internal var canDivide: Bool {
        kind == .upsert && table.isPlain && !lacksRequired && hasArrays
            && columns.contains { !$0.item.isKey }
    }

    /// The key's places among the columns.
    internal var keyPlaces: [Int] { columns.indices.filter { columns[$0].item.isKey } }

    /// The statement that counts the rows which exist, by arrays of the key's columns.
    internal var findStatement: (sql: String, types: [UInt32]) {
        let sql =
            "SELECT count(*) FROM \(elements(of: key, as: unmeasured)) s "
            + "JOIN ONLY \(table.name.quoted) t ON \(match)"
        return (sql, key.compactMap(\.target.arrayType))
    }

    /// The statement that changes the rows which exist, by arrays of all columns.
    internal var changeStatement: (sql: String, types: [UInt32]) {
        let sql =
            "UPDATE ONLY \(table.name.quoted) t SET \(assignments) "
            + "FROM \(elements(of: columns, as: unmeasured)) s WHERE \(match)"
        return (sql, columns.compactMap(\.target.arrayType))
    }

    /// The rows of arrays.
    ///
    /// In a list of results the server takes an element at a time; in FROM it would write each
    /// array's elements aside first, which costs a tenth of an upsert.
    private func elements(
        of columns: [WritePlan.Column],
        as parameter: (Int) -> String
    ) -> String {
        let elements = columns.enumerated().map { number, column in
            "unnest(\(parameter(number + 1))) AS \(TableMapping.SQLText.quote(column.name))"
        }
        return "(SELECT \(elements.joined(separator: ", ")))"
    }

    /// A parameter whose length the server does not look at when it plans.
    ///
    /// Else it plans the first executions for the rows at hand, and reads all of a table of fifty
    /// thousand rows rather than look for four thousand in it.
    private func unmeasured(_ number: Int) -> String { "(SELECT $\(number))" }

    // MARK: - Taking rows from a temporary table

    /// The statement that writes the rows of a stage to the table.
    ///
    /// `hasDistinctKeys` says that no two of them have one key.
    internal func merge(from stage: String, hasDistinctKeys: Bool) -> String {
        let rows = hasDistinctKeys ? stage : lastOfEachKey(stage, by: "ctid")
        switch kind {
        case .copy: return ""
        case .upsert: return insert(rows)
        case .update: return update(rows)
        case .delete: return "DELETE FROM \(table.name.quoted) t USING \(rows) s WHERE \(match)"
        }
    }

    /// The statements that write the rows of a stage in turns, so that each turn has a key once and
    /// every row is seen by what watches the table.
    internal func merge(from stage: String, turn: Int) -> String {
        let numbered =
            "(SELECT \(quote(columns)), ctid AS __place, row_number() OVER "
            + "(PARTITION BY \(quote(key)) ORDER BY ctid) AS __turn FROM \(stage))"
        let rows =
            "(SELECT \(quote(columns)) FROM \(numbered) n WHERE __turn = \(turn) "
            + "ORDER BY __place)"
        return kind == .update ? update(rows) : insert(rows)
    }

    /// The statement that says how many turns there are.
    internal func countTurns(in stage: String) -> String {
        "SELECT coalesce(max(n), 0) FROM "
            + "(SELECT count(*) AS n FROM \(stage) GROUP BY \(quote(key))) c"
    }

    /// The last row of each key, in the order of `place`, or of a column `__place` of the rows' own.
    private func lastOfEachKey(_ rows: String, by place: String?) -> String {
        let all = place.map { "*, \($0) AS __place" } ?? "*"
        return "(SELECT \(quote(columns)) FROM "
            + "(SELECT DISTINCT ON (\(quote(key))) \(all) FROM \(rows) "
            + "ORDER BY \(quote(key)), \(place ?? "__place") DESC) d ORDER BY __place)"
    }

    private var match: String {
        key.map { column in
            let name = TableMapping.SQLText.quote(column.name)
            return "t.\(name) = s.\(name)"
        }.joined(separator: " AND ")
    }

    private func insert(_ rows: String) -> String {
        let changes = columns.filter { !$0.item.isKey }.map { column in
            let name = TableMapping.SQLText.quote(column.name)
            return "\(name) = excluded.\(name)"
        }
        let action =
            changes.isEmpty ? "NOTHING" : "UPDATE SET " + changes.joined(separator: ", ")
        // The server looks for what a row lacks before it looks whether the row exists.
        let source = lacksRequired ? "s WHERE NOT EXISTS (\(sameKey))" : "\(rows) s"
        return """
            \(lacksRequired ? "WITH s AS (SELECT * FROM \(rows) r), u AS (\(change))" : "")
            INSERT INTO \(table.name.quoted) (\(quote(columns))) OVERRIDING SYSTEM VALUE
            SELECT \(quote(columns)) FROM \(source)
            ON CONFLICT (\(quote(key))) DO \(action)
            """
    }

    /// Gives one row: how many records have no row to change.
    private func update(_ rows: String) -> String {
        """
        WITH s AS (SELECT * FROM \(rows) r), u AS (\(change))
        SELECT count(*) FROM s WHERE NOT EXISTS (\(sameKey))
        """
    }

    /// Changes the rows of `s` that exist, and gives their keys.
    private var change: String {
        "UPDATE \(table.name.quoted) t SET \(assignments) "
            + "FROM s WHERE \(match) RETURNING \(quote(key, "s."))"
    }

    private var assignments: String {
        let others = columns.filter { !$0.item.isKey }
        return (others.isEmpty ? key : others).map { column in
            let name = TableMapping.SQLText.quote(column.name)
            return "\(name) = s.\(name)"
        }.joined(separator: ", ")
    }

    private var sameKey: String {
        let terms = key.map { column in
            let name = TableMapping.SQLText.quote(column.name)
            return "u.\(name) = s.\(name)"
        }
        return "SELECT FROM u WHERE \(terms.joined(separator: " AND "))"
    }
}
