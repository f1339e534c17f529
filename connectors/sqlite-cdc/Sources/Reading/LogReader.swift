internal import ChangeCapture
internal import ConnectorSDK
internal import SQLiteClient
internal import SQLiteTables

/// Reads noted changes and tells them.
internal final class LogReader {
    /// Columns of the query before the values.
    private static let firstValue = 6
    /// Changes are read in short transactions, also where none of them is told.
    private static let limit = 20_000

    private let database: CaptureDatabase
    private let names: ObjectNames
    private let tables: TableMap
    private let rows: TableReader
    private let stream: ChangeStream
    private let memory = RowMemory()
    private var query: (width: Int, statement: SQLiteStatement)?

    init(
        _ database: CaptureDatabase,
        _ names: ObjectNames,
        _ tables: TableMap,
        _ rows: TableReader,
        _ stream: ChangeStream
    ) {
        self.database = database
        self.names = names
        self.tables = tables
        self.rows = rows
        self.stream = stream
    }

    /// Makes ready for a log that has so many columns for values.
    func prepare(width: Int) throws(SQLiteFailure) {
        if query?.width == width { return }
        let values = (0..<width).map { ", c\($0)" }.joined()
        let statement = try database.handle.prepare(
            "SELECT id, t, op, at, o, n\(values) FROM \(ObjectNames.quote(names.log)) "
                + "WHERE id > ?1 AND id <= ?2 ORDER BY id"
        )
        query = (width, statement)
    }

    /// Tells changes until the group is at its end or the stream is full.
    ///
    /// - Parameters:
    ///   - position: where to go on; moved on.
    ///   - resumed: the last change that was sent before a restart; those up to it are counted only.
    /// - Throws: when a change is missing or cannot be read.
    func read(_ position: inout CapturePosition, resumed: Int64) throws(ConnectorError) {
        guard let statement = query?.statement else { return }
        defer { statement.reset() }
        try database.attempt("read the change log") { () throws(SQLiteFailure) in
            try statement.bind(1, position.change)
            try statement.bind(2, position.group)
        }
        var count = 0
        while position.isWithinGroup, !stream.isFull,
            count < Self.limit || position.change < resumed
        {
            count += 1
            let isRow = try database.attempt("read the change log") { () throws(SQLiteFailure) in
                try statement.step()
            }
            // The log has no gaps of its own, so what is missing was taken out by somebody.
            guard isRow, statement.int64(0) == position.change + 1 else {
                throw .logLost(database.path, "change \(position.change + 1) is missing")
            }
            if position.change == resumed { stream.resume() }
            try tell(statement, position)
            position.change += 1
            position.time = statement.int64(3)
        }
        if !position.isWithinGroup { position.from = position.group }
    }

    private func tell(
        _ statement: SQLiteStatement,
        _ position: CapturePosition
    ) throws(ConnectorError) {
        let id = statement.int64(0)
        guard let layout = tables.layout(statement.int64(1)),
            let operation = TriggerText.Operation(rawValue: statement.int64(2))
        else { throw .damagedLog(database.path, id) }
        guard let entry = try tables.entry(layout) else { return }
        stream.setTime(statement.int64(3) &* 1_000)
        let place = UInt64(bitPattern: id)
        if operation == .truncate { return stream.appendTruncation(of: entry.table, at: place) }
        guard let (before, after) = try images(statement, operation, entry) else { return }
        var knowsBefore = false
        var knowsAfter = false
        if before != nil {
            knowsBefore = try isKnown(statement, 0, statement.int64(4), layout, position)
        }
        if after != nil {
            let second = before == nil ? 0 : layout.columns.count
            knowsAfter = try isKnown(statement, second, statement.int64(5), layout, position)
        }
        // A row that moves across the place up to which the table was read is new or gone.
        switch (knowsBefore, knowsAfter) {
        case (false, false): return
        case (true, false):
            stream.append(.delete, to: entry.table, before: before, after: nil, at: place)
        case (true, true):
            stream.append(.update, to: entry.table, before: before, after: after, at: place)
        case (false, true):
            let change: ChangeOperation = operation == .refresh ? .update : .create
            stream.append(change, to: entry.table, before: nil, after: after, at: place)
        }
    }

    /// Whether readers know of a row, or ought to.
    ///
    /// While a table is read as it is, changes of rows that were not read yet are left out: they
    /// will be read as they are then.
    private func isKnown(
        _ statement: SQLiteStatement,
        _ first: Int,
        _ rowID: Int64,
        _ layout: CapturedLayout,
        _ position: CapturePosition
    ) throws(ConnectorError) -> Bool {
        guard position.isReadingTables, !position.isRescan, !layout.isAgain else { return true }
        if position.todo.contains(layout.origin) { return false }
        guard position.table == layout.origin else { return true }
        guard let key = position.key else { return false }
        if layout.rowID != nil, let last = key.rowID { return rowID <= last }
        return try rows.isBehind(statement, from: Self.firstValue + first, of: layout, key)
    }

    // MARK: - Rows

    /// The rows before and after; `nil` when one cannot be told, and was rejected.
    private func images(
        _ statement: SQLiteStatement,
        _ operation: TriggerText.Operation,
        _ entry: TableMap.Entry
    ) throws(ConnectorError)
        -> (before: UnsafeMutablePointer<Cell>?, after: UnsafeMutablePointer<Cell>?)?
    {
        memory.begin()
        let hasBefore = operation == .update || operation == .delete
        let hasAfter = operation != .delete
        if hasBefore, try !read(statement, Self.firstValue, entry.before, entry) { return nil }
        let second = Self.firstValue + (hasBefore ? entry.layout.columns.count : 0)
        if hasAfter, try !read(statement, second, entry.after, entry) { return nil }
        return (hasBefore ? entry.before : nil, hasAfter ? entry.after : nil)
    }

    /// Reads a row; one with a text that is not UTF-8 is rejected, and so is its change.
    private func read(
        _ statement: SQLiteStatement,
        _ first: Int,
        _ cells: UnsafeMutablePointer<Cell>,
        _ entry: TableMap.Entry
    ) throws(ConnectorError) -> Bool {
        let bad = try database.attempt("read the change log") { () throws(SQLiteFailure) in
            try entry.reader.read(statement, from: first, into: cells, memory: memory)
        }
        guard let bad else { return true }
        // D6: it has no place in a record.
        stream.reject(
            .notUTF8("\(entry.layout.name).\(entry.layout.columns[bad].name)"),
            value: statement.blob(first + bad),
            of: entry.table
        )
        return false
    }
}
