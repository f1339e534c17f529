internal import ConnectorSDK
internal import SQLiteClient
internal import SQLiteTables
internal import TableMapping

/// Writes batches to tables within a transaction that someone else begins and commits.
internal final class BatchWriter {
    /// Plans and tables kept at a time; schemas and names that come and go must not pile up. (D7)
    private static let planLimit = 128
    private static let tableLimit = 1_024

    private struct PlanKey: Hashable {
        var table: String
        var schema: ObjectIdentifier
        var keySchema: ObjectIdentifier?

        init(_ table: String, _ batch: RecordBatch) {
            self.table = table
            schema = ObjectIdentifier(batch.schema)
            keySchema = batch.keySchema.map(ObjectIdentifier.init)
        }
    }

    private let settings: SinkSettings
    private let batches: BatchTableHandle
    private var router: TableRouter
    private var tables: [String: TableDescription] = [:]
    private var plans: [PlanKey: WritePlan] = [:]

    internal init(_ settings: SinkSettings, _ batches: BatchTableHandle) {
        self.settings = settings
        self.batches = batches
        router = TableRouter(settings.tables)
    }

    /// Forgets what is known of the tables, because it may have changed.
    internal func forgetTables() {
        tables.removeAll()
        plans.removeAll()
    }

    /// Writes a batch in order; after an error the caller undoes what was written of it.
    internal func write(
        _ batch: RecordBatch,
        to database: borrowing SQLiteHandle
    ) throws(ConnectorError) {
        guard batch.count > 0 else { return }
        let hasTombstones = try settings.tables.checkTombstones(batch)
        for part in try router.parts(of: batch) {
            try write(part, hasTombstones, database)
        }
    }

    /// Writes a batch of which nothing can be refused, so that nothing need be kept to undo it.
    ///
    /// - Returns: whether it was such a batch; otherwise nothing was done.
    /// - Throws: a rejection, when nothing was done; else an error after which the whole
    ///   transaction is to be undone.
    internal func writeCertain(
        _ batch: RecordBatch,
        to database: borrowing SQLiteHandle
    ) throws(ConnectorError) -> Bool {
        guard settings.tables.insertMode == .upsert, batch.count > 0 else { return false }
        _ = try settings.tables.checkTombstones(batch)
        let parts = try router.parts(of: batch)
        guard parts.count == 1, let plan = plans[PlanKey(parts[0].table, batch)], plan.isCertain,
            !needsColumns(plan, batch)
        else { return false }
        try plan.fields.checkKeys(batch)
        try checkStrangers(batch, plan)
        return try batches.show(batch) { () throws(ConnectorError) in
            guard batches.isCertain(batch, for: plan) else { return false }
            do throws(ConnectorError) {
                try writeRuns(of: batch, plan, isCertain: true, database)
                return true
            } catch {
                guard error.disposition == .rejectRecord else { throw error }
                // Part of the batch is written, so the whole transaction has to go; it comes
                // again in batches that can be undone alone.
                throw ConnectorError(
                    .refusedTogether,
                    .retry(after: nil),
                    "SQLite refused a row against expectation: \(error.message)",
                    underlying: error
                )
            }
        }
    }

    private func write(
        _ part: TableRouter.Part,
        _ hasTombstones: Bool,
        _ database: borrowing SQLiteHandle
    ) throws(ConnectorError) {
        let batch = part.batch
        guard let plan = try plan(batch, table: part.table, hasTombstones, database) else { return }
        try plan.fields.checkKeys(batch)
        try checkStrangers(batch, plan)
        try batches.show(batch) { () throws(ConnectorError) in
            try writeRuns(of: batch, plan, isCertain: false, database)
        }
    }

    private func writeRuns(
        of batch: RecordBatch,
        _ plan: WritePlan,
        isCertain: Bool,
        _ database: borrowing SQLiteHandle
    ) throws(ConnectorError) {
        plan.planner.plan(batch)
        try plan.planner.order.withUnsafeBufferPointer { rows throws(ConnectorError) in
            let order = rows.isEmpty ? nil : rows.baseAddress
            for run in plan.planner.runs {
                let statement = try statement(for: run, plan, isCertain: isCertain, database)
                try write(run, statement, order, plan)
            }
        }
    }

    private func statement(
        for run: BatchPlanner.Run,
        _ plan: WritePlan,
        isCertain: Bool,
        _ database: borrowing SQLiteHandle
    ) throws(ConnectorError) -> RunStatement {
        do throws(SQLiteFailure) {
            return try plan.statement(for: run, isCertain: isCertain, batches, database)
        } catch {
            throw unusable(plan, error)
        }
    }

    private func write(
        _ run: BatchPlanner.Run,
        _ statement: RunStatement,
        _ order: UnsafePointer<UInt32>?,
        _ plan: WritePlan
    ) throws(ConnectorError) {
        let outcome: BatchTableHandle.Outcome
        do throws(SQLiteFailure) {
            outcome = try batches.execute(statement, run, order: order)
        } catch {
            throw .sqlite(error, "write to table \(plan.table.name)", path: settings.path)
        }
        switch outcome {
        case .done: return
        case .nothingChanged:
            throw .unmapped(
                "no_row",
                "The table \(plan.table.name) has no row with the record's key.",
                hint: "insert.mode upsert adds rows that do not exist."
            )
        case .refused(let column):
            throw .unmapped(
                "inexact",
                "The column \(plan.table.name).\(statement.names[column]) would change the value.",
                hint: "SQLite rounds numbers to 15 to 17 digits in a column of a numeric type; "
                    + "declare it TEXT or without a type."
            )
        }
    }

    /// A statement that SQLite does not compile is a matter of configuration, not of data.
    private func unusable(_ plan: WritePlan, _ failure: SQLiteFailure) -> ConnectorError {
        guard failure.primaryCode == 1 else {
            return .sqlite(failure, "write to table \(plan.table.name)", path: settings.path)
        }
        return ConnectorError(
            .invalidConfiguration,
            .failTask,
            "The table \(plan.table.name) cannot be written to so: \(failure.message).",
            kind: .configuration,
            at: settings.tables.insertMode == .upsert ? "pk.fields" : "table.name.format",
            hint: settings.tables.insertMode == .upsert
                ? "An upsert needs a primary key or unique index of exactly the key's fields."
                : nil,
            underlying: failure
        )
    }
}

// MARK: - Checks of single records

extension BatchWriter {
    private func checkStrangers(_ batch: RecordBatch, _ plan: WritePlan) throws(ConnectorError) {
        for stranger in plan.strangers where stranger.item.isPresent(in: batch) {
            let name = stranger.item.name
            if stranger.isGenerated {
                guard settings.tables.evolution != .ignore else { continue }
                throw .unmapped(
                    "generated_column",
                    "The column \(plan.table.name).\(name) computes its value itself.",
                    hint: "Leave the field out with fields.exclude."
                )
            }
            let policy = settings.tables.evolution
            if let error = policy.answer(field: name, table: plan.table.name) { throw error }
        }
    }
}

// MARK: - Tables and plans

extension BatchWriter {
    /// The plan for a batch; `nil` when there is no table and nothing but rows to delete from it.
    private func plan(
        _ batch: RecordBatch,
        table name: String,
        _ hasTombstones: Bool,
        _ database: borrowing SQLiteHandle
    ) throws(ConnectorError) -> WritePlan? {
        let key = PlanKey(name, batch)
        if let known = plans[key], !needsColumns(known, batch) { return known }
        let fields = try FieldMapping(
            schema: batch.schema,
            keySchema: batch.keySchema,
            settings: settings.tables
        )
        var table = try describe(name, database)
        if table == nil {
            let isAllTombstones = batch.indices.allSatisfy {
                batch.metadata($0).pointee.isTombstone
            }
            if hasTombstones, isAllTombstones { return nil }
            table = try create(name, fields, batch, database)
        }
        guard let table else { return nil }
        var plan = try WritePlan(table: table, fields: fields, mode: settings.tables.insertMode)
        if needsColumns(plan, batch) {
            let wider = try evolve(plan, batch, database)
            plan = try WritePlan(table: wider, fields: fields, mode: settings.tables.insertMode)
        }
        if plans.count >= Self.planLimit { plans.removeAll() }
        plans[key] = plan
        return plan
    }

    private func needsColumns(_ plan: WritePlan, _ batch: RecordBatch) -> Bool {
        settings.tables.evolution.addsColumns
            && plan.strangers.contains { !$0.isGenerated && $0.item.isPresent(in: batch) }
    }

    private func describe(
        _ name: String,
        _ database: borrowing SQLiteHandle
    ) throws(ConnectorError) -> TableDescription? {
        if let known = tables[name] { return known }
        do throws(SQLiteFailure) {
            let description = try TableDescription(name, in: database)
            if tables.count >= Self.tableLimit { tables.removeAll() }
            tables[name] = description
            return description
        } catch {
            throw .sqlite(error, "look at table \(name)", path: settings.path)
        }
    }

    private func create(
        _ name: String,
        _ fields: FieldMapping,
        _ batch: RecordBatch,
        _ database: borrowing SQLiteHandle
    ) throws(ConnectorError) -> TableDescription? {
        guard settings.tables.createsTables else {
            throw ConnectorError(
                .init("table.no_table"),
                .failTask,
                "There is no table \(name) in \(settings.path).",
                at: "table.name.format",
                hint: "Create it, or set auto.create."
            )
        }
        let keys = fields.key
        let key = keys.map { item in
            let cells = item.cells(of: batch)
            return keys.count == 1
                ? TableDesign.onlyKeyColumn(for: item, cells: cells)
                : TableDesign.column(for: item, cells: cells)
        }
        let columns = fields.items.filter { !$0.isKey }
            .map { TableDesign.column(for: $0, cells: $0.cells(of: batch)) }
        guard !key.isEmpty || !columns.isEmpty else {
            throw .unmapped(
                "no_fields",
                "The record has no field that a table could be created from."
            )
        }
        try change(TableDesign.createTable(name, key: key, columns: columns), name, database)
        return try describe(name, database)
    }

    private func evolve(
        _ plan: WritePlan,
        _ batch: RecordBatch,
        _ database: borrowing SQLiteHandle
    ) throws(ConnectorError) -> TableDescription {
        let name = plan.table.name
        for stranger in plan.strangers
        where !stranger.isGenerated && stranger.item.isPresent(in: batch) {
            let item = stranger.item
            let column = TableDesign.column(for: item, cells: item.cells(of: batch))
            try change(TableDesign.addColumn(column, to: name), name, database)
        }
        return try describe(name, database) ?? plan.table
    }

    /// A refused record must leave nothing behind, so tables change inside the batch's savepoint.
    private func change(
        _ sql: String,
        _ table: String,
        _ database: borrowing SQLiteHandle
    ) throws(ConnectorError) {
        do throws(SQLiteFailure) {
            try database.execute(sql)
        } catch {
            throw .sqlite(error, "create or change table \(table)", path: settings.path)
        }
        forgetTables()
    }
}
