internal import SQLiteClient

/// What the connector keeps in the database: which capture it is, and the layouts of tables.
///
/// All methods are called within a transaction of the database.
internal struct Registry {
    /// Which capture this is.
    struct State: Equatable {
        /// Different each time that triggers are installed anew.
        var capture: String
        /// The connector's name.
        var owner: String
        /// Changes up to this one may be gone from the log.
        var pruned: Int64
        /// Whether a position was ever durable, so that something may have been told.
        var isTold: Bool
    }

    /// The format of the tables.
    ///
    /// A newer program may read this one; older ones refuse a newer one.
    static let format: Int64 = 1

    private let database: CaptureDatabase
    let names: ObjectNames

    init(_ database: CaptureDatabase, _ names: ObjectNames) {
        self.database = database
        self.names = names
    }

    private func quoted(_ name: String) -> String { ObjectNames.quote(name) }

    // MARK: - State

    var exists: Bool {
        get throws(SQLiteFailure) {
            let statement = try database.handle.prepare(
                "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1"
            )
            try statement.bind(1, names.state)
            return try statement.step() && statement.int64(0) > 0
        }
    }

    /// The format in the database, before anything else is read.
    var storedFormat: Int64 {
        get throws(SQLiteFailure) {
            try database.number("SELECT format FROM \(quoted(names.state))") ?? 0
        }
    }

    var state: State? {
        get throws(SQLiteFailure) {
            let statement = try database.handle.prepare(
                "SELECT capture, owner, pruned, is_told FROM \(quoted(names.state))"
            )
            guard try statement.step() else { return nil }
            return State(
                capture: statement.string(0),
                owner: statement.string(1),
                pruned: statement.int64(2),
                isTold: statement.int64(3) != 0
            )
        }
    }

    /// Makes the tables, and a capture of this owner's.
    func create(owner: String) throws(SQLiteFailure) -> State {
        for sql in [
            "\(quoted(names.state)) (format INTEGER, capture TEXT, owner TEXT, pruned INTEGER, "
                + "is_told INTEGER)",
            "\(quoted(names.tables)) (id INTEGER PRIMARY KEY, origin INTEGER, name TEXT, "
                + "row_id TEXT, is_stable INTEGER, is_again INTEGER, is_live INTEGER)",
            "\(quoted(names.columns)) (layout INTEGER, position INTEGER, name TEXT, type TEXT, "
                + "is_not_null INTEGER, key_position INTEGER, PRIMARY KEY (layout, position))",
            "\(quoted(names.log)) (id INTEGER PRIMARY KEY, t INTEGER, op INTEGER, at INTEGER, "
                + "o INTEGER, n INTEGER, c0)",
            "\(quoted(names.replaced)) (seq INTEGER PRIMARY KEY, t INTEGER, i INTEGER, c0)",
        ] {
            try database.handle.execute("CREATE TABLE \(sql)")
        }
        try database.handle.execute(
            "INSERT INTO \(quoted(names.state)) VALUES (\(Self.format), '', '', 0, 0)"
        )
        return try begin(owner: owner)
    }

    /// Makes a new capture of what is installed, so that whoever used it before notices.
    func begin(owner: String) throws(SQLiteFailure) -> State {
        let statement = try database.handle.prepare(
            "UPDATE \(quoted(names.state)) SET capture = lower(hex(randomblob(8))), owner = ?1, "
                + "pruned = \(try lastChange)"
        )
        try statement.bind(1, owner)
        try statement.run()
        guard let state = try state else {
            throw SQLiteFailure(code: 11, message: "\(names.state) has no row")
        }
        return state
    }

    func notePruned(through id: Int64) throws(SQLiteFailure) {
        try database.handle.execute(
            "UPDATE \(quoted(names.state)) SET pruned = max(pruned, \(id))"
        )
    }

    /// Notes that a position is durable.
    func noteTold() throws(SQLiteFailure) {
        try database.handle.execute("UPDATE \(quoted(names.state)) SET is_told = 1")
    }

    /// The newest change; 0 for none.
    var lastChange: Int64 {
        get throws(SQLiteFailure) {
            try database.number("SELECT max(id) FROM \(quoted(names.log))") ?? 0
        }
    }

    /// When a change was made; `nil` when it is not in the log.
    func time(ofChange id: Int64) throws(SQLiteFailure) -> Int64? {
        try database.number("SELECT at FROM \(quoted(names.log)) WHERE id = \(id)")
    }

    /// The changes in the log behind one.
    func count(after id: Int64) throws(SQLiteFailure) -> Int64 {
        try database.number("SELECT count(*) FROM \(quoted(names.log)) WHERE id > \(id)") ?? 0
    }

    // MARK: - Layouts

    var layouts: [CapturedLayout] {
        get throws(SQLiteFailure) {
            let statement = try database.handle.prepare(
                "SELECT id, origin, name, row_id, is_stable, is_again, is_live "
                    + "FROM \(quoted(names.tables)) ORDER BY id"
            )
            let columns = try database.handle.prepare(
                "SELECT name, type, is_not_null, key_position FROM \(quoted(names.columns)) "
                    + "WHERE layout = ?1 ORDER BY position"
            )
            var layouts: [CapturedLayout] = []
            while try statement.step() {
                let id = statement.int64(0)
                layouts.append(
                    CapturedLayout(
                        id: id,
                        origin: statement.int64(1),
                        name: statement.string(2),
                        columns: try read(columns, of: id),
                        rowID: statement.optionalString(3),
                        rowIDIsStable: statement.int64(4) != 0,
                        isAgain: statement.int64(5) != 0,
                        isLive: statement.int64(6) != 0
                    )
                )
            }
            return layouts
        }
    }

    private func read(
        _ statement: SQLiteStatement,
        of layout: Int64
    ) throws(SQLiteFailure) -> [CapturedLayout.Column] {
        defer { statement.reset() }
        try statement.bind(1, layout)
        var columns: [CapturedLayout.Column] = []
        while try statement.step() {
            columns.append(
                CapturedLayout.Column(
                    name: statement.string(0),
                    type: statement.string(1),
                    isNotNull: statement.int64(2) != 0,
                    keyPosition: Int(clamping: statement.int64(3))
                )
            )
        }
        return columns
    }

    /// Notes a layout of a table, makes room for it in the log, and puts triggers on the table.
    ///
    /// - Parameters:
    ///   - table: the table.
    ///   - origin: the first layout of the same table; `nil` when this is it.
    ///   - isAgain: whether a table of this name was captured before.
    /// - Returns: the layout, with its number.
    /// - Throws: what SQLite says, with nothing done once the transaction is rolled back.
    func install(
        _ table: TableDefinition,
        continuing origin: Int64?,
        isAgain: Bool
    ) throws(SQLiteFailure) -> CapturedLayout {
        let next = try database.number("SELECT max(id) FROM \(quoted(names.tables))") ?? 0
        let id = next + 1
        let layout = CapturedLayout(
            id: id,
            origin: origin ?? id,
            name: table.name,
            columns: table.columns,
            rowID: table.rowID,
            rowIDIsStable: table.rowIDIsStable,
            isAgain: isAgain,
            isLive: true
        )
        try insert(layout)
        try widen(names.log, to: 2 * table.columns.count)
        try widen(names.replaced, to: table.columns.count)
        for trigger in TriggerText(table, layout: id, names).all {
            try database.handle.execute(trigger.sql)
        }
        return layout
    }

    private func insert(_ layout: CapturedLayout) throws(SQLiteFailure) {
        let statement = try database.handle.prepare(
            "INSERT INTO \(quoted(names.tables)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)"
        )
        try statement.bind(1, layout.id)
        try statement.bind(2, layout.origin)
        try statement.bind(3, layout.name)
        if let rowID = layout.rowID { try statement.bind(4, rowID) }
        try statement.bind(5, Int64(layout.rowIDIsStable ? 1 : 0))
        try statement.bind(6, Int64(layout.isAgain ? 1 : 0))
        try statement.run()
        let columns = try database.handle.prepare(
            "INSERT INTO \(quoted(names.columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        )
        for (position, column) in layout.columns.enumerated() {
            try columns.bind(1, layout.id)
            try columns.bind(2, Int64(position))
            try columns.bind(3, column.name)
            try columns.bind(4, column.type)
            try columns.bind(5, Int64(column.isNotNull ? 1 : 0))
            try columns.bind(6, Int64(column.keyPosition))
            try columns.run()
        }
    }

    /// The columns for values that a table of the log has.
    func width(of table: String) throws(SQLiteFailure) -> Int {
        let statement = try database.handle.prepare(
            "SELECT count(*) FROM pragma_table_info(?1) WHERE name GLOB 'c[0-9]*'"
        )
        try statement.bind(1, table)
        return try statement.step() ? Int(statement.int64(0)) : 0
    }

    private func widen(_ table: String, to width: Int) throws(SQLiteFailure) {
        for column in try self.width(of: table)..<max(width, try self.width(of: table)) {
            try database.handle.execute("ALTER TABLE \(quoted(table)) ADD COLUMN c\(column)")
        }
    }

    /// Notes that a layout's triggers are no longer on a table, and drops those that are.
    func retire(_ layout: Int64, triggers: [String]) throws(SQLiteFailure) {
        for trigger in triggers {
            try database.handle.execute("DROP TRIGGER \(quoted(trigger))")
        }
        try database.handle.execute(
            "UPDATE \(quoted(names.tables)) SET is_live = 0 WHERE id = \(layout)"
        )
        try database.handle.execute("DELETE FROM \(quoted(names.replaced)) WHERE t = \(layout)")
    }

    // MARK: - Triggers

    /// One of the connector's triggers as it is in the database.
    struct Trigger: Equatable {
        var name: String
        var table: String
        var sql: String
    }

    /// The triggers in the database, by layout.
    var triggers: [Int64: [Trigger]] {
        get throws(SQLiteFailure) {
            let statement = try database.handle.prepare(
                "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name"
            )
            var triggers: [Int64: [Trigger]] = [:]
            while try statement.step() {
                let name = statement.string(0)
                guard let layout = names.layout(ofTrigger: name) else { continue }
                triggers[layout, default: []].append(
                    Trigger(name: name, table: statement.string(1), sql: statement.string(2))
                )
            }
            return triggers
        }
    }

    /// Takes everything out of the database that the connector has put there.
    ///
    /// - Returns: how many changes were in the log.
    func remove() throws(SQLiteFailure) -> Int64 {
        let changes = try database.number("SELECT count(*) FROM \(quoted(names.log))") ?? 0
        for trigger in try triggers.values.joined() {
            try database.handle.execute("DROP TRIGGER \(quoted(trigger.name))")
        }
        for table in names.all {
            try database.handle.execute("DROP TABLE IF EXISTS \(quoted(table))")
        }
        return changes
    }
}
