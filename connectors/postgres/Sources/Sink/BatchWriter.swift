internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// Turns batches into the data of COPY commands: which table, which columns, which rows together.
internal final class BatchWriter {
    /// Rows of one table that are written together.
    internal struct Piece {
        internal var shape: RunShape
        internal var form: RowEncoder.Form
        internal var rows: Int
        /// Where the data is in ``BatchWriter/data``.
        internal var data: Range<Int>
        internal var hasDistinctKeys: Bool
    }

    /// Plans and tables kept at a time; schemas and names that come and go must not pile up. (D7)
    private static let planLimit = 128
    private static let tableLimit = 1_024

    private struct PlanKey: Hashable {
        var table: TableName
        var schema: ObjectIdentifier
        var keySchema: ObjectIdentifier?

        init(_ table: TableName, _ batch: RecordBatch) {
            self.table = table
            schema = ObjectIdentifier(batch.schema)
            keySchema = batch.keySchema.map(ObjectIdentifier.init)
        }
    }

    private let settings: SinkSettings
    private let connection: SinkConnection
    private let changes: TableChanges
    private var router: TableRouter
    /// For tables that know of each other.
    private var orderedRouter: TableRouter
    private var types = TypeMapper()
    private var tables: [TableName: TargetTable] = [:]
    private var plans: [PlanKey: WritePlan] = [:]
    /// The encoded rows of the batch at hand.
    internal let data = OutputBuffer(capacity: 1 << 20)
    /// What is to be written of the batch at hand, in this order.
    internal private(set) var pieces: [Piece] = []
    /// Whether tables were made or changed for the batch at hand.
    internal private(set) var hasChangedTables = false

    internal init(_ settings: SinkSettings, _ connection: SinkConnection) {
        self.settings = settings
        self.connection = connection
        changes = TableChanges(connection)
        router = TableRouter(settings.tables)
        orderedRouter = TableRouter(settings.tables, grouping: .inOrder)
    }

    /// Prepares a batch: fills ``data`` and ``pieces``, with the tables as they must be for it.
    ///
    /// - Throws: a rejection when a record cannot become a row; nothing was sent then, and if tables
    ///   were changed the batch is set apart.
    internal func prepare(_ batch: RecordBatch) throws(ConnectorError) {
        pieces.removeAll(keepingCapacity: true)
        data.count = 0
        hasChangedTables = false
        let hasTombstones = try settings.tables.checkTombstones(batch)
        for part in try parts(of: batch) {
            try prepare(part.batch, try name(of: part), hasTombstones)
        }
    }

    private func parts(of batch: RecordBatch) throws(ConnectorError) -> [TableRouter.Part] {
        let parts = try router.parts(of: batch)
        guard parts.count > 1 else { return parts }
        for part in parts {
            let table = try describe(try name(of: part))
            if let table, table.hasForeignKeys || table.hasTriggers {
                return try orderedRouter.parts(of: batch)
            }
        }
        return parts
    }

    private func name(of part: TableRouter.Part) throws(ConnectorError) -> TableName {
        let name = settings.table(part.table)
        guard let problem = name.problem else { return name }
        throw .unmapped("table_name", "The name of the record's table \(problem).")
    }

    private func prepare(
        _ batch: RecordBatch,
        _ name: TableName,
        _ hasTombstones: Bool
    ) throws(ConnectorError) {
        // Each round gives one column a wider type; there are few types, and each widens once.
        while let plan = try plan(batch, name, hasTombstones) {
            try plan.fields.checkKeys(batch)
            try checkStrangers(batch, plan)
            guard let refusal = try encode(batch, plan) else { return }
            let column = refusal.column
            guard settings.tables.evolution == .widen,
                let type = Widening.declaration(
                    for: column.type,
                    holding: refusal.cell,
                    refusal.problem
                )
            else { throw SinkErrors.refused(refusal.problem, column, name) }
            try changes.widen(column.name, of: name, to: type)
            forget(name)
        }
    }
}

// MARK: - Encoding

extension BatchWriter {
    private struct Refusal {
        var column: TargetTable.Column
        var cell: Cell
        var problem: EncodingProblem
    }

    /// Encodes a batch's rows; gives the first value that its column cannot have.
    private func encode(
        _ batch: RecordBatch,
        _ plan: WritePlan
    ) throws(ConnectorError) -> Refusal? {
        if settings.tables.evolution == .widen, let long = longValue(batch, plan) { return long }
        plan.planner.plan(batch)
        let (start, first) = (data.count, pieces.count)
        for run in plan.planner.runs {
            let shape = plan.shape(of: run)
            let before = data.count
            var form: RowEncoder.Form = shape.encoder.hasBinary ? .binary : .text
            do throws(RowEncoder.Refusal) {
                do throws(RowEncoder.Refusal) {
                    try append(batch, run, plan, shape, form)
                } catch  where error.problem == .needsServer && form == .binary {
                    // A text that only the server can read, such as `4 Nov 2026`.
                    form = .text
                    try append(batch, run, plan, shape, form)
                }
            } catch {
                data.count = start
                pieces.removeLast(pieces.count - first)
                return refusal(error, batch, plan, shape)
            }
            pieces.append(
                Piece(
                    shape: shape,
                    form: form,
                    rows: run.count,
                    data: before..<data.count,
                    hasDistinctKeys: plan.planner.hasDistinctKeys || run.count == 1
                )
            )
        }
        return nil
    }

    private func append(
        _ batch: RecordBatch,
        _ run: BatchPlanner.Run,
        _ plan: WritePlan,
        _ shape: RunShape,
        _ form: RowEncoder.Form
    ) throws(RowEncoder.Refusal) {
        try shape.encoder.append(batch, run, order: plan.planner.order, as: form, to: data)
    }

    private func refusal(
        _ error: RowEncoder.Refusal,
        _ batch: RecordBatch,
        _ plan: WritePlan,
        _ shape: RunShape
    ) -> Refusal? {
        let column = shape.encoder.columns[error.column]
        guard let target = plan.table.column(column.name) else { return nil }
        let cell: Cell =
            switch column.origin {
            case .value(let index): batch[error.row, index]
            case .key(let index): batch.keyRow(error.row)?[index] ?? .null
            case .topic, .partition, .offset: .int(0)
            }
        return Refusal(column: target, cell: cell, problem: error.problem)
    }

    /// A text or number that is longer than its column, which only the server would find.
    private func longValue(_ batch: RecordBatch, _ plan: WritePlan) -> Refusal? {
        for column in plan.columns {
            guard let limit = Widening.Limit(column.target.type) else { continue }
            for cell in column.item.cells(of: batch) where limit.isExceeded(by: cell) {
                return Refusal(column: column.target, cell: cell, problem: .outOfRange)
            }
        }
        return nil
    }

    private func checkStrangers(_ batch: RecordBatch, _ plan: WritePlan) throws(ConnectorError) {
        for stranger in plan.strangers where stranger.item.isPresent(in: batch) {
            let name = stranger.item.name
            let policy = settings.tables.evolution
            if stranger.isGenerated {
                guard policy != .ignore else { continue }
                throw .unmapped(
                    "generated_column",
                    "The column \(plan.table.name.text).\(name) computes its value itself.",
                    hint: "Leave the field out with fields.exclude."
                )
            }
            if let error = policy.answer(field: name, table: plan.table.name.text) { throw error }
        }
    }
}

// MARK: - Plans and tables

extension BatchWriter {
    /// The plan for a batch; `nil` when there is no table and nothing but rows to delete from it.
    private func plan(
        _ batch: RecordBatch,
        _ name: TableName,
        _ hasTombstones: Bool
    ) throws(ConnectorError) -> WritePlan? {
        let key = PlanKey(name, batch)
        if let known = plans[key], !needsColumns(known, batch) { return known }
        let fields = try FieldMapping(
            schema: batch.schema,
            keySchema: batch.keySchema,
            settings: settings.tables
        )
        try checkNames(fields)
        var table = try describe(name)
        if table == nil {
            let isAllTombstones = batch.indices.allSatisfy {
                batch.metadata($0).pointee.isTombstone
            }
            if hasTombstones, isAllTombstones { return nil }
            guard settings.tables.createsTables else { throw Self.noTable(name) }
            try changes.create(name, fields, batch)
            forget(name)
            table = try describe(name)
        }
        guard var table else { throw Self.noTable(name) }
        var plan = try WritePlan(table: table, fields: fields, mode: settings.tables.insertMode)
        if needsColumns(plan, batch) {
            for stranger in plan.strangers
            where !stranger.isGenerated && stranger.item.isPresent(in: batch) {
                try changes.add(stranger.item, to: name, batch)
            }
            forget(name)
            table = try describe(name) ?? table
            plan = try WritePlan(table: table, fields: fields, mode: settings.tables.insertMode)
        }
        if plans.count >= Self.planLimit { plans.removeAll() }
        plans[key] = plan
        return plan
    }

    private func needsColumns(_ plan: WritePlan, _ batch: RecordBatch) -> Bool {
        settings.tables.evolution.addsColumns
            && plan.strangers.contains { !$0.isGenerated && $0.item.isPresent(in: batch) }
    }

    private func checkNames(_ fields: FieldMapping) throws(ConnectorError) {
        for item in fields.items where item.name.utf8.count > TableName.nameLimit {
            throw .unmapped(
                "field_name",
                "The name of a field is longer than \(TableName.nameLimit) bytes.",
                hint: "Rename the field, or choose with fields.include."
            )
        }
    }

    private func describe(_ name: TableName) throws(ConnectorError) -> TargetTable? {
        if let known = tables[name] { return known }
        let description = try connection.ask(name) { connection throws(PostgresFailure) in
            try TargetTable.describe(name, &types, on: connection)
        }
        if tables.count >= Self.tableLimit { tables.removeAll() }
        tables[name] = description
        return description
    }

    private static func noTable(_ name: TableName) -> ConnectorError {
        ConnectorError(
            .init("table.no_table"),
            .failTask,
            "There is no table \(name.text).",
            kind: .configuration,
            at: "table.name.format",
            hint: "Create it, or set auto.create."
        )
    }

    /// Forgets a table that was changed just now.
    private func forget(_ name: TableName) {
        hasChangedTables = true
        tables[name] = nil
        plans = plans.filter { $0.key.table != name }
    }

    /// Forgets tables that others have changed.
    internal func forgetChangedTables() throws(ConnectorError) {
        guard !tables.isEmpty else { return }
        let states = try connection.ask(settings.offsets) { connection throws(PostgresFailure) in
            try TargetTable.states(of: Array(tables.keys), on: connection)
        }
        tables = tables.filter { states[$0.key] == $0.value.state }
        plans = plans.filter { tables[$0.key.table] != nil }
    }

    /// Forgets tables that were changed by what was taken back.
    internal func forgetTables() {
        tables.removeAll()
        plans.removeAll()
    }
}
