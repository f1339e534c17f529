internal import ChangeCapture
internal import ConnectorSDK
internal import Glibc
internal import LogicalReplication
internal import Logging
internal import PostgresClient

/// Reads tables while changes are captured, and puts their rows where they belong among them.
///
/// A chunk of rows is read in a snapshot of its own, and kept until the stream has passed all that
/// the snapshot sees. Meanwhile a change by a transaction that the snapshot does not see takes its
/// row out of the chunk: what follows the row has been told, so the row must not be. Then the rest
/// of the chunk is appended. So for each key, what a reader of the topic sees never goes back.
///
/// A table without a key is read as a whole between two transactions. Until then none of its changes
/// is told, and afterwards none that the snapshot has seen.
internal final class SnapshotBeside: ChangeObserver {
    /// A chunk that waits for the stream.
    internal struct Window {
        let job: Job
        let relation: CapturedRelation
        let rows: ChunkRows
        let view: TransactionView
        /// The stream has passed all that the view sees when it has passed this.
        let end: LSN
        let isLast: Bool
        /// How often the server was asked how far it is.
        var reminders = 0
    }

    /// A table that is being read.
    internal final class Job {
        var table: CatalogTable
        var ranges: [SnapshotRange]
        /// The last key there was when reading began: later rows come as changes.
        var lastKey: [String]?
        /// What was going on when the table began to be published, and must be over first.
        var mustBeOver: TransactionView?
        /// Whether the table's columns were seen to change.
        var isChanged = false

        init(_ table: CatalogTable, _ ranges: [SnapshotRange], mustBeOver: TransactionView?) {
            self.table = table
            self.ranges = ranges
            self.mustBeOver = mustBeOver
        }
    }

    internal let environment: SnapshotEnvironment
    internal var stream: ChangeStream { environment.stream }
    internal var outlet: any RecordOutlet { environment.outlet }
    internal let applier: ChangeApplier
    /// What is known of each table, by name.
    internal var progress: [String: TableProgress]
    internal var jobs: [Job] = []
    private var window: Window?
    /// Whether nothing is read until somebody says so.
    internal var isPaused = false
    /// When to look again at a condition that somebody else has to fulfil.
    private var pause: ContinuousClock.Instant?

    internal init(
        _ environment: SnapshotEnvironment,
        _ applier: ChangeApplier,
        progress: [String: TableProgress]
    ) {
        self.environment = environment
        self.applier = applier
        self.progress = progress
    }

    /// Whether nothing is to be read.
    internal var isIdle: Bool { jobs.isEmpty && window == nil }

    /// Whether a table was read, or is going to be.
    internal func knows(_ table: String) -> Bool { progress[table] != nil }

    /// Waits until everything that was sent is durable.
    internal func settle() async throws(ConnectorError) { try await outlet.settle() }

    // MARK: - Beginning

    /// Has a table read, from where an earlier snapshot ended or, when it `startsOver`, as a whole.
    ///
    /// `isNew` says that it was published only now, `filter` which rows to read, in SQL.
    internal func add(
        _ table: CatalogTable,
        startsOver: Bool,
        isNew: Bool = false,
        filter: String? = nil
    ) async throws(ConnectorError) {
        defer { observe() }
        let name = table.fullName
        jobs.removeAll { $0.table.id == table.id }
        if window?.job.table.id == table.id { window = nil }
        var state = progress[name] ?? TableProgress(.waiting)
        if startsOver, state.state != .waiting || filter != nil {
            state = TableProgress(.waiting, run: state.run + 1)
            state.filter = filter
        }
        if state.state == .done { return }
        // Nobody knows which rows of a table without a key were read.
        if table.key.isEmpty { state.ranges = [:] }
        if state.ranges.isEmpty { state.state = .waiting }
        state.isNew = state.isNew || isNew
        progress[name] = state
        try await outlet.advance(to: SnapshotPositions.position(name, state))
        let mustBeOver = state.isNew ? try environment.currentView() : nil
        jobs.append(Job(table, state.openRanges, mustBeOver: mustBeOver))
        environment.logger.info(
            "reading a table while changes are captured",
            metadata: ["table": "\(name)"]
        )
    }

    /// Looks at changes only as long as they matter to a table.
    private func observe() {
        let hides = progress.values.contains { state in
            state.exclusionEnd.map { $0 > applier.position.lsn } ?? false
        }
        applier.observer = isIdle && !hides ? nil : self
    }

    /// Stops reading tables whose names `isMeant` says; what was read stays.
    internal func stop(_ isMeant: (String) -> Bool) async throws(ConnectorError) {
        defer { observe() }
        for job in jobs where isMeant(job.table.fullName) {
            let name = job.table.fullName
            var state = progress[name] ?? TableProgress(.waiting)
            state.state = .done
            progress[name] = state
            try await outlet.advance(to: SnapshotPositions.position(name, state))
        }
        if let window, isMeant(window.job.table.fullName) { self.window = nil }
        jobs.removeAll { isMeant($0.table.fullName) }
    }

    // MARK: - Steps

    /// How long until it is worth calling ``step()`` again, unless something arrives.
    internal var timeUntilStep: Duration {
        if isIdle || isPaused && window == nil { return .seconds(3_600) }
        if let pause { return max(.zero, pause - .now) }
        // Waiting for the stream, which will arrive by itself, or has to be reminded.
        return window == nil ? .zero : .milliseconds(5)
    }

    /// Does what can be done now, between two transactions.
    internal func step() async throws(ConnectorError) {
        if let pause, pause > .now { return }
        pause = nil
        if let open = window {
            guard applier.position.lsn >= open.end else { return try remind() }
            try await close(open)
        }
        guard !isPaused, window == nil, let job = jobs.first else { return }
        try await read(job)
    }

    /// The stream stands still when nobody writes: the server is asked how far it is and, as it
    /// may not have written to the disk what we have to see, something is written that makes it.
    private func remind() throws(ConnectorError) {
        let reminders = window?.reminders ?? 0
        window?.reminders += 1
        if reminders == 1 {
            try environment.flushLog()
        } else {
            environment.receiver.requestKeepalive()
        }
        wait(.milliseconds(5) * (1 << min(reminders, 8)))
    }

    private func wait(_ duration: Duration) { pause = .now + duration }

    private func read(_ job: Job) async throws(ConnectorError) {
        guard let range = job.ranges.first else { return try await finish(job) }
        if job.isChanged { try describe(job) }
        let connection = try environment.connection()
        do throws(ConnectorError) {
            try environment.begin(connection)
            let (view, end) = try environment.view(connection)
            if let open = job.mustBeOver {
                guard view.first >= open.next else {
                    try environment.rollBack(connection)
                    return wait(.milliseconds(100))
                }
                job.mustBeOver = nil
            }
            // What was told already must not be told again as it was before.
            guard applier.recent.areSeen(by: view) else {
                try environment.rollBack(connection)
                return wait(.milliseconds(1))
            }
            if job.table.key.isEmpty {
                try await readWhole(job, connection, view, end)
            } else {
                try readChunk(job, range, connection, view, end)
            }
            try environment.rollBack(connection)
        } catch {
            if progress[job.table.fullName]?.filter != nil, error.disposition == .failTask {
                return try await refuseCondition(job, error)
            }
            guard error.code == CDCError.tableChanged else { throw error }
            try await abandon(job, error)
        }
    }

    /// Looks at a table's columns again.
    private func describe(_ job: Job) throws(ConnectorError) {
        job.isChanged = false
        // Whether it is gone is found when it is read.
        if let table = try environment.table(job.table.id) { job.table = table }
    }

    /// A signal's condition that the server cannot use must not stop what works. (D9)
    private func refuseCondition(
        _ job: Job,
        _ error: ConnectorError
    ) async throws(ConnectorError) {
        environment.logger.warning(
            "a signal's condition cannot be used; the table is not read again",
            metadata: ["table": "\(job.table.fullName)", "error": "\(error.message)"]
        )
        environment.disconnect()
        try await stop { $0 == job.table.fullName }
    }

    /// A table that is gone has no rows to be read.
    private func abandon(_ job: Job, _ error: ConnectorError) async throws(ConnectorError) {
        environment.logger.warning(
            "a table could not be read to its end",
            metadata: ["table": "\(job.table.fullName)", "error": "\(error.message)"]
        )
        environment.disconnect()
        guard let now = try environment.table(job.table.id) else {
            return try await stop { $0 == job.table.fullName }
        }
        jobs.removeFirst()
        jobs.append(Job(now, job.ranges, mustBeOver: job.mustBeOver))
        wait(.milliseconds(100))
    }
}

// MARK: - Tables with a key

extension SnapshotBeside {
    /// The bytes of a chunk at most, whatever its rows: 8 MiB. (D7)
    private static let byteLimit = 8 << 20

    private func readChunk(
        _ job: Job,
        _ range: SnapshotRange,
        _ connection: PostgresConnection,
        _ view: TransactionView,
        _ end: LSN
    ) throws(ConnectorError) {
        let relation = try environment.tables.relation(for: job.table)
        let rows = ChunkRows(columns: relation.columnCount, key: relation.identity)
        let reader = TableRead(relation, of: job.table, on: connection)
        let limit = environment.settings.chunkRows
        let filter = progress[job.table.fullName]?.filter
        var part = range
        if part.to == nil {
            if job.lastKey == nil { job.lastKey = try reader.lastKey() }
            part.to = job.lastKey
        }
        // Without a last key the table is empty.
        try reader.begin(part, filter: filter, limit: part.to == nil ? 0 : limit)
        var isLast = true
        var count = 0
        while try reader.next() {
            if let problem = relation.problem {
                stream.reject(problem, value: [], of: relation.table)
            } else {
                rows.append(reader.cells, key: reader.key())
            }
            count += 1
            guard rows.bytes >= Self.byteLimit else { continue }
            try reader.abandon()
            isLast = false
            break
        }
        if count == limit { isLast = false }
        window = Window(
            job: job,
            relation: relation,
            rows: rows,
            view: view,
            end: end,
            isLast: isLast
        )
    }

    /// Appends what is left of a chunk, now that the stream has come as far.
    private func close(_ window: Window) async throws(ConnectorError) {
        let job = window.job
        guard var range = job.ranges.first else { return }
        // What was told before is durable before, with a position of its own.
        if !stream.isEmpty { try await environment.send(applier.position) }
        environment.beginRows(at: window.end)
        let place = window.end.rawValue
        for number in 0..<window.rows.count {
            guard let cells = window.rows.row(number) else { continue }
            stream.append(.read, to: window.relation.table, before: nil, after: cells, at: place)
            guard stream.isFull else { continue }
            range.after = window.rows.keys[number]
            try await send(job, range)
        }
        range.after = window.rows.keys.last ?? range.after
        range.isDone = window.isLast
        try await send(job, range)
        self.window = nil
        if window.isLast {
            job.ranges.removeFirst()
        } else {
            job.ranges[0] = range
        }
        if job.ranges.isEmpty { try await finish(job) }
    }

    private func send(_ job: Job, _ range: SnapshotRange) async throws(ConnectorError) {
        let name = job.table.fullName
        progress[name]?.ranges[range.number] = range
        // D3: the rows and how far they are become durable together.
        try await stream.send(
            position: SnapshotPositions.position(name, range, run: progress[name]?.run ?? 1)
        )
    }

    private func finish(_ job: Job) async throws(ConnectorError) {
        let name = job.table.fullName
        jobs.removeAll { $0 === job }
        defer { observe() }
        progress[name]?.state = .done
        progress[name]?.isNew = false
        guard let state = progress[name] else { return }
        try await outlet.advance(to: SnapshotPositions.position(name, state))
        environment.logger.info("a table was read", metadata: ["table": "\(name)"])
    }

    func willAppend(
        _ relation: CapturedRelation,
        _ before: UnsafePointer<Cell>?,
        _ after: UnsafePointer<Cell>?,
        _ transaction: UInt32
    ) {
        guard let window, window.relation.id == relation.id, !window.view.sees(transaction) else {
            return
        }
        guard relation.hasColumns(of: window.relation) else {
            // The rows are not as they were any more: they are read again.
            window.job.isChanged = true
            return self.window = nil
        }
        if let before { _ = window.rows.remove(like: before) }
        guard let after, let row = window.rows.remove(like: after) else { return }
        let isWhole = (0..<relation.columnCount).allSatisfy { after[$0].tag != .missing }
        guard !isWhole else { return }
        // The change lacks large values that did not change; only the row has them.
        environment.beginRows(at: window.end)
        stream.append(
            .read,
            to: relation.table,
            before: nil,
            after: row,
            at: window.end.rawValue
        )
    }

    func willTruncate(_ relation: CapturedRelation, _ transaction: UInt32) {
        guard let window, window.relation.id == relation.id, !window.view.sees(transaction) else {
            return
        }
        window.rows.removeAll()
    }
}
