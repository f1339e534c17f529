internal import ChangeCapture
internal import ConnectorSDK
internal import Glibc
internal import SQLiteClient
internal import SQLiteTables
internal import TableMapping

/// Reads the rows of tables as they are, some at a time, in the order of their row ids or keys.
internal final class TableReader {
    /// How one table is read.
    private struct Plan {
        let layout: CapturedLayout
        let entry: TableMap.Entry
        let first: SQLiteStatement
        let next: SQLiteStatement
        /// `?1 <= ?2` for keys, as the table compares them; `nil` for row ids.
        let comparison: SQLiteStatement?
    }

    private let database: CaptureDatabase
    private let tables: TableMap
    private let stream: ChangeStream
    private let chunkRows: Int
    private let memory = RowMemory()
    private var plan: Plan?

    init(
        _ database: CaptureDatabase,
        _ tables: TableMap,
        _ stream: ChangeStream,
        chunkRows: Int
    ) {
        self.database = database
        self.tables = tables
        self.stream = stream
        self.chunkRows = chunkRows
    }

    /// Forgets what was worked out, because the schema has changed.
    func forget() { plan = nil }

    /// Tells the next rows of the table that is being read, or goes on to the next table.
    ///
    /// In the same read transaction all noted changes were told, so that rows and changes meet
    /// without gap or overlap.
    func read(_ position: inout CapturePosition) throws(ConnectorError) {
        if position.table == nil, !position.todo.isEmpty {
            position.table = position.todo.removeFirst()
            position.key = nil
        }
        guard let origin = position.table else { return }
        guard let plan = try plan(origin) else { return finish(&position) }
        stream.beginSnapshot(
            .initial,
            at: CapturedTransaction(
                sequence: UInt64(bitPattern: position.from),
                id: UInt64(bitPattern: position.from),
                microseconds: Self.now
            )
        )
        if try !readRows(plan, &position) { finish(&position) }
    }

    private func finish(_ position: inout CapturePosition) {
        position.table = nil
        position.key = nil
        if position.todo.isEmpty { position.isRescan = false }
    }

    /// Returns whether there may be more.
    private func readRows(
        _ plan: Plan,
        _ position: inout CapturePosition
    ) throws(ConnectorError) -> Bool {
        let keyCount = plan.comparison == nil ? 1 : plan.layout.keyColumns.count
        let statement = position.key == nil ? plan.first : plan.next
        defer { statement.reset() }
        let place = UInt64(bitPattern: position.from)
        var count = 0
        return try database.attempt("read \(plan.layout.name)") { () throws(SQLiteFailure) in
            if let key = position.key {
                for (index, value) in key.values.enumerated() {
                    try statement.bind(index + 1, value)
                }
            }
            while count < chunkRows, !stream.isFull {
                guard try statement.step() else { return false }
                memory.begin()
                let cells = plan.entry.after
                let bad = try plan.entry.reader.read(
                    statement,
                    from: keyCount,
                    into: cells,
                    memory: memory
                )
                if let bad {
                    // D6: it has no place in a record.
                    stream.reject(
                        .notUTF8("\(plan.layout.name).\(plan.layout.columns[bad].name)"),
                        value: statement.blob(keyCount + bad),
                        of: plan.entry.table
                    )
                } else {
                    stream.append(.read, to: plan.entry.table, before: nil, after: cells, at: place)
                }
                position.key = ScanKey((0..<keyCount).compactMap { statement.orderValue($0) })
                count += 1
            }
            return true
        }
    }

    // MARK: - Plans

    private func plan(_ origin: Int64) throws(ConnectorError) -> Plan? {
        guard let layout = tables.present(ofOrigin: origin) else { return nil }
        if let plan, plan.layout.id == layout.id { return plan }
        guard let entry = try tables.entry(layout) else { return nil }
        let made = try database.attempt("read \(layout.name)") { () throws(SQLiteFailure) in
            try makePlan(layout, entry)
        }
        plan = made
        return made
    }

    private func makePlan(
        _ layout: CapturedLayout,
        _ entry: TableMap.Entry
    ) throws(SQLiteFailure) -> Plan? {
        guard let table = try TableDefinition(layout.name, in: database.handle) else { return nil }
        let name = ObjectNames.quote(table.name)
        let values = layout.columns.map { ObjectNames.quote($0.name) }.joined(separator: ", ")
        let keys =
            layout.rowID.map { [ObjectNames.quote($0)] }
            ?? zip(layout.keyColumns, table.keyCollations).map { index, collation in
                "\(ObjectNames.quote(layout.columns[index].name)) "
                    + "COLLATE \(ObjectNames.quote(collation))"
            }
        let key = keys.joined(separator: ", ")
        let parameters = keys.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
        let select = "SELECT \(key), \(values) FROM \(name)"
        let next = "\(select) WHERE (\(key)) > (\(parameters)) ORDER BY \(key)"
        var comparison: SQLiteStatement?
        if layout.rowID == nil {
            let left = zip(keys.indices, table.keyCollations).map { index, collation in
                "?\(index + 1) COLLATE \(ObjectNames.quote(collation))"
            }
            let right = keys.indices.map { "?\(keys.count + $0 + 1)" }
            comparison = try database.handle.prepare(
                "SELECT (\(left.joined(separator: ", "))) <= (\(right.joined(separator: ", ")))"
            )
        }
        return Plan(
            layout: layout,
            entry: entry,
            first: try database.handle.prepare("\(select) ORDER BY \(key)"),
            next: try database.handle.prepare(next),
            comparison: comparison
        )
    }

    /// Whether a row was read already: its key comes before or is the last one that was read.
    ///
    /// For tables without row ids; the others compare those.
    func isBehind(
        _ row: SQLiteStatement,
        from first: Int,
        of layout: CapturedLayout,
        _ key: ScanKey
    ) throws(ConnectorError) -> Bool {
        // A table that is gone has been read as far as it ever will be.
        guard let comparison = try plan(layout.origin)?.comparison else { return true }
        defer { comparison.reset() }
        let values = layout.keyColumns.compactMap { row.orderValue(first + $0) }
        guard values.count == key.values.count else { return true }
        return try database.attempt("compare keys of \(layout.name)") { () throws(SQLiteFailure) in
            for (index, value) in (values + key.values).enumerated() {
                try comparison.bind(index + 1, value)
            }
            return try comparison.step() && comparison.int64(0) != 0
        }
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
