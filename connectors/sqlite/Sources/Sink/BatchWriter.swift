internal import CSQLiteShim
internal import ConnectorSDK
internal import SQLiteClient

/// Writes batches to tables within a transaction that someone else begins and commits.
internal final class BatchWriter {
    /// Plans kept at a time; schemas that come and go must not pile up. (D7)
    private static let planLimit = 64

    private struct PlanKey: Hashable {
        var table: String
        var schema: ObjectIdentifier
        var keySchema: ObjectIdentifier?
    }

    private let settings: SinkSettings
    private let batches: BatchTableHandle
    private var tables: [String: TableDescription] = [:]
    private var plans: [PlanKey: WritePlan] = [:]
    private var planner = RunPlanner()

    internal init(_ settings: SinkSettings, _ batches: BatchTableHandle) {
        self.settings = settings
        self.batches = batches
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
        let hasTombstones = try checkTombstones(batch)
        let partition = batch[metadata: 0].partition
        let name = settings.tableName.name(topic: batch.topic, partition: partition)
        guard let plan = try plan(batch, table: name, hasTombstones, database) else { return }
        try checkKeys(batch, plan)
        try checkStrangers(batch, plan)
        let runs = planner.plan(batch, plan)
        try batches.show(batch) { () throws(ConnectorError) in
            try runs.order.withUnsafeBufferPointer { rows throws(ConnectorError) in
                let order = rows.isEmpty ? nil : rows.baseAddress
                for run in runs.runs { try write(run, order, plan, database) }
            }
        }
    }

    private func write(
        _ run: RunPlan.Run,
        _ order: UnsafePointer<UInt32>?,
        _ plan: WritePlan,
        _ database: borrowing SQLiteHandle
    ) throws(ConnectorError) {
        let statement: RunStatement
        do throws(SQLiteFailure) {
            statement = try plan.statement(for: run, batches, database)
        } catch {
            throw unusable(plan, error)
        }
        let outcome: BatchTableHandle.Outcome
        do throws(SQLiteFailure) {
            outcome = try batches.execute(statement, run, order: order)
        } catch {
            throw .sqlite(error, "write to table \(plan.table.name)", path: settings.path)
        }
        switch outcome {
        case .done: return
        case .nothingChanged:
            throw FieldMapping.reject(
                "no_row",
                "The table \(plan.table.name) has no row with the record's key.",
                hint: "insert.mode upsert adds rows that do not exist."
            )
        case .refused(let column):
            throw FieldMapping.reject(
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
            at: settings.insertMode == .upsert ? "pk.fields" : "table.name.format",
            hint: settings.insertMode == .upsert
                ? "An upsert needs a primary key or unique index of exactly the key's fields."
                : nil,
            underlying: failure
        )
    }
}

// MARK: - Checks of single records

extension BatchWriter {
    private func checkTombstones(_ batch: RecordBatch) throws(ConnectorError) -> Bool {
        let found = batch.indices.contains { batch.metadata($0).pointee.isTombstone }
        guard found, !settings.deletes else { return found }
        throw FieldMapping.reject(
            "tombstone",
            "The record is a tombstone: it has a key and no value.",
            hint: "Set delete.enabled to delete its row, or filter tombstones out."
        )
    }

    /// SQLite would take a null for a new row id, or for a key unlike any other.
    private func checkKeys(_ batch: RecordBatch, _ plan: WritePlan) throws(ConnectorError) {
        for column in plan.key {
            let cell = Int(column.binding.cell)
            let isNil: (Int) -> Bool
            switch Int(column.binding.source) {
            case MR_FROM_VALUE: isNil = { batch.row($0)[cell].isNil }
            case MR_FROM_KEY: isNil = { batch.keyRow($0).map { $0[cell].isNil } ?? true }
            default: continue
            }
            guard batch.indices.contains(where: isNil) else { continue }
            throw FieldMapping.reject(
                "null_key",
                "The record's key field \(column.name) is null or absent."
            )
        }
    }

    private func checkStrangers(_ batch: RecordBatch, _ plan: WritePlan) throws(ConnectorError) {
        for stranger in plan.strangers where Self.isUsed(stranger, batch) {
            if stranger.isGenerated {
                throw FieldMapping.reject(
                    "generated_column",
                    "The column \(plan.table.name).\(stranger.name) computes its value itself.",
                    hint: "Leave the field out with fields.include."
                )
            }
            throw FieldMapping.reject(
                "unknown_field",
                "The table \(plan.table.name) has no column for the field \(stranger.name).",
                hint: "Add the column, set auto.evolve, or choose fields with fields.include."
            )
        }
    }

    private static func isUsed(_ stranger: WritePlan.Stranger, _ batch: RecordBatch) -> Bool {
        batch.indices.contains { row in
            batch.row(row)[stranger.cell].tag != .missing
                && !batch.metadata(row).pointee.isTombstone
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
        let key = PlanKey(
            table: name,
            schema: ObjectIdentifier(batch.schema),
            keySchema: batch.keySchema.map(ObjectIdentifier.init)
        )
        if let known = plans[key], !needsColumns(known, batch) { return known }
        let fields = try FieldMapping(
            schema: batch.schema,
            keySchema: batch.keySchema,
            settings: settings
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
        var plan = try WritePlan(table: table, fields: fields, mode: settings.insertMode)
        if needsColumns(plan, batch) {
            let wider = try evolve(plan, batch, database)
            plan = try WritePlan(table: wider, fields: fields, mode: settings.insertMode)
        }
        if plans.count >= Self.planLimit { plans.removeAll() }
        plans[key] = plan
        return plan
    }

    private func needsColumns(_ plan: WritePlan, _ batch: RecordBatch) -> Bool {
        settings.addsColumns
            && plan.strangers.contains { !$0.isGenerated && Self.isUsed($0, batch) }
    }

    private func describe(
        _ name: String,
        _ database: borrowing SQLiteHandle
    ) throws(ConnectorError) -> TableDescription? {
        if let known = tables[name] { return known }
        do throws(SQLiteFailure) {
            let description = try TableDescription(name, in: database)
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
        guard settings.createsTables else {
            throw ConnectorError(
                .init("sqlite.no_table"),
                .failTask,
                "There is no table \(name) in \(settings.path).",
                at: "table.name.format",
                hint: "Create it, or set auto.create."
            )
        }
        let keys = fields.items.filter(\.isKey)
        let key = keys.map { item in
            let cells = item.cells(of: batch)
            let type =
                keys.count == 1
                ? TableDesign.singleKeyType(of: item.field, cells: cells)
                : TableDesign.type(of: item.field, cells: cells)
            return TableDesign.Column(name: item.name, type: type)
        }
        let columns = fields.items.filter { !$0.isKey }.map { item in
            let type = TableDesign.type(of: item.field, cells: item.cells(of: batch))
            return TableDesign.Column(name: item.name, type: type)
        }
        guard !key.isEmpty || !columns.isEmpty else {
            throw FieldMapping.reject(
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
        for stranger in plan.strangers where !stranger.isGenerated && Self.isUsed(stranger, batch) {
            let cells = batch.indices.filter { !batch[metadata: $0].isTombstone }
                .map { batch[$0, stranger.cell] }
            let type = TableDesign.type(of: stranger.field, cells: cells)
            let column = TableDesign.Column(name: stranger.name, type: type)
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
