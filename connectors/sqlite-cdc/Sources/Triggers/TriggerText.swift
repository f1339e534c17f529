/// The triggers that note a table's changes.
///
/// They run in the writer's own connection and transaction, whatever version of SQLite it has, so
/// they use plain SQL only. What they write never has triggers of its own.
///
/// A statement that replaces rows (`INSERT OR REPLACE`) removes them without telling: deletion
/// triggers fire only where the writer has set `recursive_triggers`. So rows that are in the way are
/// noted before the statement, as candidates, and those that are gone afterwards were replaced. An
/// `OR IGNORE` or `ON CONFLICT` leaves its candidates where they are; they mean nothing, since what
/// happens to their rows later takes them away, and only the last few are kept.
internal struct TriggerText {
    /// Operations in the log.
    enum Operation: Int64 {
        case create = 1
        case update = 2
        case delete = 3
        /// All rows are gone, or may be: the table was dropped, or made anew.
        case truncate = 4
        /// The row as it is, told because the layout changed after it was noted.
        case refresh = 5
    }

    /// More candidates than this are not kept: nested statements are not nested deeper.
    private static let candidateLimit = 32

    /// Milliseconds since 1970, in words that old versions of SQLite know, too.
    static let now = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"

    /// A name for the candidates that no table has.
    private static let alias = "millrace_candidate"

    private let table: TableDefinition
    private let layout: Int64
    private let names: ObjectNames
    private let quoted: String
    private let log: String
    private let replaced: String

    init(_ table: TableDefinition, layout: Int64, _ names: ObjectNames) {
        self.table = table
        self.layout = layout
        self.names = names
        quoted = ObjectNames.quote(table.name)
        log = ObjectNames.quote(names.log)
        replaced = ObjectNames.quote(names.replaced)
    }

    /// Name and text of every trigger.
    var all: [(name: String, sql: String)] {
        [
            trigger(
                "before_insert",
                "BEFORE INSERT",
                when: exists(conflict),
                noteCandidates(conflict)
            ),
            trigger("after_insert", "AFTER INSERT", afterInsert),
            trigger(
                "before_update",
                "BEFORE UPDATE",
                when: "(\(keysDiffer)) AND \(exists(otherConflict))",
                noteCandidates(otherConflict)
            ),
            trigger("after_update", "AFTER UPDATE", afterUpdate),
            trigger("after_delete", "AFTER DELETE", afterDelete),
        ]
    }

    private func trigger(
        _ event: String,
        _ time: String,
        when condition: String? = nil,
        _ statements: [String]
    ) -> (name: String, sql: String) {
        let name = names.trigger(layout, event)
        let filter = condition.map { " WHEN \($0)" } ?? ""
        let body = statements.map { " \($0);" }.joined()
        return (
            name,
            "CREATE TRIGGER \(ObjectNames.quote(name)) \(time) ON \(quoted) FOR EACH ROW\(filter) "
                + "BEGIN\(body) END"
        )
    }

    // MARK: - What is noted

    private var afterInsert: [String] {
        let isNew = isSame(candidate: "NEW")
        return [
            // Rows in the way of another key were deleted.
            insert(
                .delete,
                "\(Self.alias).i, NULL, \(images(0))",
                from: "NOT (\(isNew)) AND \(isGone)",
                widths: 1
            ),
            // The row with the same key was replaced.
            insert(
                .update,
                "\(Self.alias).i, \(rowID("NEW")), \(images(0)), \(values("NEW"))",
                from: isNew,
                widths: 2
            ),
            "INSERT INTO \(log) (t, op, at, o, n\(columns(1))) SELECT \(layout), "
                + "\(Operation.create.rawValue), \(Self.now), NULL, \(rowID("NEW")), \(values("NEW")) "
                + "WHERE NOT EXISTS (SELECT 1 FROM \(replaced) AS \(Self.alias) WHERE \(Self.alias).t = \(layout) "
                + "AND \(isNew))",
            "DELETE FROM \(replaced) WHERE t = \(layout) AND (\(isSame(candidate: "NEW", of: replaced)) "
                + "OR \(isGone(of: replaced)))",
        ]
    }

    private var afterUpdate: [String] {
        [
            insert(
                .delete,
                "\(Self.alias).i, NULL, \(images(0))",
                from: "NOT (\(isSame(candidate: "OLD"))) "
                    + "AND (\(isSame(candidate: "NEW")) OR \(isGone))",
                widths: 1
            ),
            "INSERT INTO \(log) (t, op, at, o, n\(columns(2))) VALUES (\(layout), "
                + "\(Operation.update.rawValue), \(Self.now), \(rowID("OLD")), \(rowID("NEW")), "
                + "\(values("OLD")), \(values("NEW")))",
            "DELETE FROM \(replaced) WHERE t = \(layout) "
                + "AND (\(isSame(candidate: "OLD", of: replaced)) "
                + "OR \(isSame(candidate: "NEW", of: replaced)) OR \(isGone(of: replaced)))",
        ]
    }

    private var afterDelete: [String] {
        [
            "INSERT INTO \(log) (t, op, at, o, n\(columns(1))) VALUES (\(layout), "
                + "\(Operation.delete.rawValue), \(Self.now), \(rowID("OLD")), NULL, "
                + "\(values("OLD")))",
            "DELETE FROM \(replaced) WHERE t = \(layout) "
                + "AND \(isSame(candidate: "OLD", of: replaced))",
        ]
    }

    /// Notes a change for each candidate that meets a condition.
    private func insert(
        _ operation: Operation,
        _ values: String,
        from condition: String,
        widths: Int
    ) -> String {
        "INSERT INTO \(log) (t, op, at, o, n\(columns(widths))) SELECT \(layout), "
            + "\(operation.rawValue), \(Self.now), \(values) FROM \(replaced) AS \(Self.alias) "
            + "WHERE \(Self.alias).t = \(layout) AND \(condition) ORDER BY \(Self.alias).seq"
    }

    private func noteCandidates(_ condition: String) -> [String] {
        [
            "DELETE FROM \(replaced) WHERE seq <= (SELECT max(seq) FROM \(replaced)) "
                + "- \(Self.candidateLimit)",
            "DELETE FROM \(replaced) WHERE t = \(layout) AND EXISTS (SELECT 1 FROM \(quoted) "
                + "WHERE (\(condition)) AND \(isSame(row: quoted, candidate: replaced)))",
            "INSERT INTO \(replaced) (t, i\(columns(1))) SELECT \(layout), \(rowID(quoted)), "
                + "\(values(quoted)) FROM \(quoted) WHERE \(condition)",
        ]
    }

    // MARK: - Columns

    /// `, c0, c1` for so many rows.
    private func columns(_ rows: Int) -> String {
        (0..<rows * table.columns.count).map { ", c\($0)" }.joined()
    }

    /// The candidate's row.
    private func images(_ first: Int) -> String {
        table.columns.indices.map { "\(Self.alias).c\(first + $0)" }.joined(separator: ", ")
    }

    private func values(_ row: String) -> String {
        table.columns.map { "\(row).\(ObjectNames.quote($0.name))" }.joined(separator: ", ")
    }

    private func rowID(_ row: String) -> String {
        table.rowID.map { "\(row).\(ObjectNames.quote($0))" } ?? "NULL"
    }
}

// MARK: - Conditions

extension TriggerText {
    private var keyColumns: [(name: String, index: Int)] {
        table.columns.enumerated().filter { $1.keyPosition > 0 }.map { ($1.name, $0) }
    }

    /// Whether a row and a candidate are the same row.
    private func isSame(row: String, candidate: String) -> String {
        if table.rowID != nil { return "\(rowID(row)) = \(candidate).i" }
        // The row's column stands first, so that its collation and affinity count.
        return keyColumns.map { "\(row).\(ObjectNames.quote($0.name)) = \(candidate).c\($0.index)" }
            .joined(separator: " AND ")
    }

    private func isSame(candidate row: String, of candidates: String = Self.alias) -> String {
        isSame(row: row, candidate: candidates)
    }

    /// Whether the candidate's row is no longer there.
    private func isGone(of candidates: String) -> String {
        "NOT EXISTS (SELECT 1 FROM \(quoted) WHERE \(isSame(row: quoted, candidate: candidates)))"
    }

    private var isGone: String { isGone(of: Self.alias) }

    private func exists(_ condition: String) -> String {
        "EXISTS (SELECT 1 FROM \(quoted) WHERE \(condition))"
    }

    /// Rows that a new row is in conflict with.
    private var conflict: String {
        var rules = table.uniqueRules.map { "(\(conflict($0)))" }
        if table.rowID != nil { rules.insert("\(rowID(quoted)) = \(rowID("NEW"))", at: 0) }
        return rules.isEmpty ? "0" : rules.joined(separator: " OR ")
    }

    private func conflict(_ rule: TableDefinition.UniqueRule) -> String {
        var parts = rule.terms.map { term in
            if let column = term.column {
                let name = ObjectNames.quote(column)
                return
                    "\(quoted).\(name) = NEW.\(name) COLLATE \(ObjectNames.quote(term.collation))"
            }
            return "(\(term.expression)) = \(ofNewRow(term.expression)) "
                + "COLLATE \(ObjectNames.quote(term.collation))"
        }
        if let condition = rule.condition { parts += ["(\(condition))", ofNewRow(condition)] }
        return parts.joined(separator: " AND ")
    }

    /// An expression over columns, of the new row: names are looked up in the nearest query first.
    private func ofNewRow(_ expression: String) -> String {
        let columns = table.columns.map { column in
            let name = ObjectNames.quote(column.name)
            return "NEW.\(name) AS \(name)"
        }
        return
            "(SELECT \(expression) FROM (SELECT \(columns.joined(separator: ", "))) AS \(quoted))"
    }

    /// Other rows that a changed row is in conflict with.
    private var otherConflict: String {
        let isOld: String
        if table.rowID != nil {
            isOld = "\(rowID(quoted)) = \(rowID("OLD"))"
        } else {
            isOld = keyColumns.map {
                "\(quoted).\(ObjectNames.quote($0.name)) = OLD.\(ObjectNames.quote($0.name))"
            }.joined(separator: " AND ")
        }
        return "(\(conflict)) AND NOT (\(isOld))"
    }

    /// Whether a change can be in conflict with other rows at all.
    private var keysDiffer: String {
        var names = table.uniqueRules.flatMap { $0.terms.compactMap(\.column) }
        if let rowID = table.rowID { names.append(rowID) }
        if table.uniqueRules.contains(where: { rule in
            rule.condition != nil || rule.terms.contains { $0.column == nil }
        }) {
            names += table.columns.map(\.name)
        }
        var seen: Set<String> = []
        let differences = names.filter { seen.insert($0).inserted }.map { name in
            "NEW.\(ObjectNames.quote(name)) IS NOT OLD.\(ObjectNames.quote(name))"
        }
        return differences.isEmpty ? "0" : differences.joined(separator: " OR ")
    }
}
