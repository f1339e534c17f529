internal import SQLiteClient

/// Brings triggers and layouts into line with the tables that there are.
///
/// Called within one write transaction, at start and whenever the schema has changed.
internal struct Reconciliation {
    /// What was found, for an operator.
    enum Finding: Equatable {
        /// The table is captured from now on.
        case installed(String)
        /// The table's columns, keys or triggers were changed while it was captured.
        case altered(String)
        /// The table was captured before, but changes may have been missed.
        case replaced(String)
        /// The table has another name.
        case renamed(from: String, to: String)
        /// The table is gone.
        case dropped(String)
        /// The table is no longer to be captured.
        case released(String)
        /// The table cannot be captured, and why.
        case refused(String, String)
    }

    private let registry: Registry
    private let database: CaptureDatabase
    private let settings: CDCSettings
    /// Changes after this one may have been noted while a table's columns were others already.
    private let checked: Int64

    init(
        _ database: CaptureDatabase,
        _ registry: Registry,
        _ settings: CDCSettings,
        checked: Int64
    ) {
        self.database = database
        self.registry = registry
        self.settings = settings
        self.checked = checked
    }

    /// Does what is to be done, and says what that was.
    func run() throws(SQLiteFailure) -> [Finding] {
        var findings: [Finding] = []
        let layouts = try registry.layouts
        let triggers = try registry.triggers
        var kept: Set<Int64> = []
        let names = try Self.tables(in: database)
        for name in names {
            guard settings.includes(name),
                let table = try TableDefinition(name, in: database.handle)
            else { continue }
            if let problem = Self.problem(table) {
                findings.append(.refused(name, problem))
                continue
            }
            let present = layouts.last { layout in
                layout.isLive && triggers[layout.id]?.contains { $0.table.isSame(as: name) } == true
            }
            if let present { kept.insert(present.id) }
            let (finding, retired) = try reconcile(table, present, layouts, triggers)
            if let finding { findings.append(finding) }
            if let retired { try registry.retire(retired, triggers: Self.names(triggers[retired])) }
        }
        for layout in layouts where layout.isLive && !kept.contains(layout.id) {
            let onTable = triggers[layout.id] ?? []
            try registry.retire(layout.id, triggers: onTable.map(\.name))
            let isThere = names.contains { $0.isSame(as: layout.name) }
            // A table made anew under the name was told above.
            if isThere, onTable.isEmpty { continue }
            if !isThere, onTable.isEmpty { try noteTruncation(layout.id) }
            findings.append(
                isThere || !onTable.isEmpty ? .released(layout.name) : .dropped(layout.name)
            )
        }
        return findings
    }

    /// Brings one table into line.
    private func reconcile(
        _ table: TableDefinition,
        _ present: CapturedLayout?,
        _ layouts: [CapturedLayout],
        _ triggers: [Int64: [Registry.Trigger]]
    ) throws(SQLiteFailure) -> (finding: Finding?, retired: Int64?) {
        let isKnown = layouts.contains { $0.name.isSame(as: table.name) }
        guard let present else {
            let layout = try registry.install(table, continuing: nil, isAgain: isKnown)
            if isKnown { try noteTruncation(layout.id) }
            return (isKnown ? .replaced(table.name) : .installed(table.name), nil)
        }
        let found = triggers[present.id] ?? []
        let isWhole =
            found.count == TriggerText(table, layout: present.id, registry.names).all.count
        if !present.name.isSame(as: table.name) {
            _ = try registry.install(table, continuing: nil, isAgain: isKnown)
            return (.renamed(from: present.name, to: table.name), present.id)
        }
        if !isWhole {
            // Changes went by while some of the triggers were missing.
            let layout = try registry.install(table, continuing: nil, isAgain: true)
            try noteTruncation(layout.id)
            return (.replaced(table.name), present.id)
        }
        if isUnchanged(table, present, found) { return (nil, nil) }
        let layout = try registry.install(
            table,
            continuing: present.origin,
            isAgain: present.isAgain
        )
        try noteRefreshes(table, old: present, new: layout)
        return (.altered(table.name), present.id)
    }

    private func isUnchanged(
        _ table: TableDefinition,
        _ layout: CapturedLayout,
        _ found: [Registry.Trigger]
    ) -> Bool {
        let expected = TriggerText(table, layout: layout.id, registry.names).all
        let texts = Dictionary(expected.map { ($0.name, $0.sql) }) { first, _ in first }
        return table.columns == layout.columns && table.rowID == layout.rowID
            && found.allSatisfy { texts[$0.name] == $0.sql }
    }

    /// The most columns that a table of SQLite's has, two rows of which are noted for an update.
    private static let columnLimit = 990

    /// Why a table cannot be captured; `nil` when it can.
    static func problem(_ table: TableDefinition) -> String? {
        if table.columns.count > Self.columnLimit {
            return "it has more than \(Self.columnLimit) columns"
        }
        if table.rowID == nil, table.columns.allSatisfy({ $0.keyPosition == 0 }) {
            return "its columns `rowid`, `_rowid_` and `oid` hide what tells its rows apart"
        }
        return nil
    }

    /// The names of all tables; those in which virtual tables keep what is theirs are none.
    static func tables(in database: CaptureDatabase) throws(SQLiteFailure) -> [String] {
        let statement = try database.handle.prepare(
            "SELECT name FROM pragma_table_list "
                + "WHERE schema = 'main' AND type = 'table' ORDER BY name"
        )
        var names: [String] = []
        while try statement.step() { names.append(statement.string(0)) }
        return names
    }

    private static func names(_ triggers: [Registry.Trigger]?) -> [String] {
        (triggers ?? []).map(\.name)
    }

    // MARK: - What is noted for readers

    private func noteTruncation(_ layout: Int64) throws(SQLiteFailure) {
        try database.handle.execute(
            "INSERT INTO \(ObjectNames.quote(registry.names.log)) (t, op, at) VALUES (\(layout), "
                + "\(TriggerText.Operation.truncate.rawValue), \(TriggerText.now))"
        )
    }

    /// Notes the rows again as they are that were changed while the old triggers no longer saw all
    /// of their columns.
    private func noteRefreshes(
        _ table: TableDefinition,
        old: CapturedLayout,
        new: CapturedLayout
    ) throws(SQLiteFailure) {
        let name = ObjectNames.quote(table.name)
        let log = ObjectNames.quote(registry.names.log)
        let rowID = table.rowID.map { "\(name).\(ObjectNames.quote($0))" }
        let condition: String
        if let rowID {
            condition = "\(rowID) IN (SELECT n FROM \(log) WHERE t = \(old.id) AND id > \(checked))"
        } else {
            // The key after an insertion or refresh stands in the first row, after an update in the
            // second.
            let width = old.columns.count
            let keys = zip(
                table.columns.filter { $0.keyPosition > 0 },
                old.columns.indices.filter {
                    old.columns[$0].keyPosition > 0
                }
            )
            func matches(_ first: Int) -> String {
                keys.map { "\(name).\(ObjectNames.quote($0.name)) = l.c\(first + $1)" }
                    .joined(separator: " AND ")
            }
            condition =
                "EXISTS (SELECT 1 FROM \(log) AS l WHERE l.t = \(old.id) AND l.id > \(checked) "
                + "AND ((l.op IN (1, 5) AND \(matches(0))) OR (l.op = 2 AND \(matches(width)))))"
        }
        let values = table.columns.map { "\(name).\(ObjectNames.quote($0.name))" }
        try database.handle.execute(
            "INSERT INTO \(log) (t, op, at, n\(values.indices.map { ", c\($0)" }.joined())) "
                + "SELECT \(new.id), \(TriggerText.Operation.refresh.rawValue), "
                + "\(TriggerText.now), \(rowID ?? "NULL"), \(values.joined(separator: ", ")) "
                + "FROM \(name) WHERE \(condition)"
        )
    }
}

extension String {
    /// Whether two names are one to SQLite.
    internal func isSame(as other: String) -> Bool {
        SQLiteName.fold(self) == SQLiteName.fold(other)
    }
}
