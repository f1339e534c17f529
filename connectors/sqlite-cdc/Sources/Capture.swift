internal import ChangeCapture
internal import ConnectorSDK
internal import Logging
internal import SQLiteClient
internal import SQLiteTables

/// One capture at work: what is in the database, and how far it was read.
internal final class Capture {
    private let settings: CDCSettings
    private let context: ConnectorContext
    private let database: CaptureDatabase
    private let registry: Registry
    private let stream: ChangeStream
    private let tables: TableMap
    private let rows: TableReader
    private let log: LogReader
    private var schemaVersion: Int64 = 0
    private var dataVersion: Int64 = 0
    private(set) var position: CapturePosition
    /// The last change that an earlier run sent, in the middle of a group.
    private var resumed: Int64 = -1
    private var isInGroup = false
    /// The last change that there was at the start.
    private var end: Int64 = 0
    /// Whether the database knows that a position is durable.
    private(set) var isConfirmed = false
    /// Changes through this one are durable, and those of their groups with them.
    private var durable: Int64 = 0
    private var pruned: Int64 = 0
    private var pruneFailures = 0

    init(
        _ settings: CDCSettings,
        _ context: ConnectorContext,
        _ database: CaptureDatabase,
        _ stream: ChangeStream
    ) {
        self.settings = settings
        self.context = context
        self.database = database
        self.stream = stream
        registry = Registry(database, settings.names)
        tables = TableMap(stream, settings)
        rows = TableReader(database, tables, stream, chunkRows: settings.chunkRows)
        log = LogReader(database, settings.names, tables, rows, stream)
        position = CapturePosition(capture: "", from: 0, time: 0)
    }

    // MARK: - Start

    /// Installs what is missing and finds the place to go on.
    func open(_ stored: CapturePosition?) throws(ConnectorError) {
        try database.writing { () throws(ConnectorError) in
            var startsOver = stored == nil
            if let stored, let reason = try lostBecause(stored) {
                guard settings.snapshotMode == .whenNeeded else {
                    throw .logLost(database.path, reason)
                }
                context.logger.warning(
                    "The tables are read again, since changes are missing",
                    metadata: ["reason": .string(reason)]
                )
                startsOver = true
            }
            if startsOver { position = try begin() } else if let stored { position = stored }
            try reconcile(startingOver: startsOver)
            isConfirmed = try database.attempt("look at what is installed") {
                () throws(SQLiteFailure) in try registry.state?.isTold == true
            }
            end = try database.attempt("look at the change log") { () throws(SQLiteFailure) in
                try registry.lastChange
            }
        }
        durable = position.from
        if position.isWithinGroup {
            resumed = position.change
            position.change = position.from
            openGroup(resumingAfter: .max)
        }
    }

    /// Notes that a position of this capture is durable: who begins anew from now on has to reckon
    /// with readers that know rows already.
    func confirm() throws(ConnectorError) {
        try database.writing { () throws(ConnectorError) in
            try database.attempt("note the beginning") { () throws(SQLiteFailure) in
                try registry.noteTold()
            }
        }
        isConfirmed = true
    }

    /// Why the log does not hold what follows a position; `nil` when it does.
    private func lostBecause(_ stored: CapturePosition) throws(ConnectorError) -> String? {
        let action = "look at what is installed"
        guard try database.attempt(action, { () throws(SQLiteFailure) in try registry.exists })
        else { return "no triggers are installed" }
        try checkFormat()
        return try database.attempt(action) { () throws(SQLiteFailure) in
            guard let state = try registry.state, state.capture == stored.capture else {
                return "the triggers were installed anew"
            }
            if stored.from < state.pruned { return "they were deleted, through \(state.pruned)" }
            if stored.change == 0 { return nil }
            let last = try registry.lastChange
            if last < stored.change { return "the log ends at change \(last)" }
            // The last change that was sent stays in the log, to be compared.
            guard let time = try registry.time(ofChange: stored.change) else {
                return "change \(stored.change) was taken out"
            }
            if time != stored.time {
                return "change \(stored.change) is another one, as in an older copy"
            }
            // Otherwise it is noticed when it is read, which needs no look at all of them.
            guard settings.snapshotMode == .whenNeeded else { return nil }
            let count = try registry.count(after: stored.change)
            return count < last - stored.change ? "changes were taken out" : nil
        }
    }

    private func checkFormat() throws(ConnectorError) {
        let format = try database.attempt("look at what is installed") {
            () throws(SQLiteFailure) in try registry.storedFormat
        }
        guard format <= Registry.format else { throw .newerFormat(database.path, format) }
    }

    /// Starts a capture whose tables are all to be read, or none.
    private func begin() throws(ConnectorError) -> CapturePosition {
        let action = "install triggers"
        let exists = try database.attempt(action) { () throws(SQLiteFailure) in
            try registry.exists
        }
        guard exists else {
            let state = try database.attempt(action) { () throws(SQLiteFailure) in
                try registry.create(owner: context.name)
            }
            return CapturePosition(capture: state.capture, from: 0, time: 0)
        }
        try checkFormat()
        let state = try database.attempt(action) { () throws(SQLiteFailure) in try registry.state }
        if let state, state.owner != context.name {
            throw .belongs(to: state.owner, database.path)
        }
        return try database.attempt(action) { () throws(SQLiteFailure) in
            let state = try registry.begin(owner: context.name)
            // What was noted before is in the tables, too.
            let last = try registry.lastChange
            let time = try registry.time(ofChange: last) ?? 0
            var position = CapturePosition(capture: state.capture, from: last, time: time)
            position.isRescan = state.isTold
            return position
        }
    }

    /// Brings triggers into line with the tables, within a write transaction.
    private func reconcile(startingOver: Bool) throws(ConnectorError) {
        let findings = try database.attempt("install triggers") { () throws(SQLiteFailure) in
            let findings = try Reconciliation(
                database,
                registry,
                settings,
                checked: position.group
            ).run()
            tables.update(try registry.layouts)
            try log.prepare(width: try registry.width(of: settings.names.log))
            schemaVersion = try database.readSchemaVersion()
            return findings
        }
        rows.forget()
        for finding in findings { tell(finding) }
        guard settings.snapshotMode != .never else {
            position.isRescan = false
            position.seen = tables.layouts.last?.id ?? 0
            return
        }
        if startingOver {
            position.todo = Array(Set(tables.layouts.filter(\.isLive).map(\.origin))).sorted()
        } else {
            position.todo += tables.layouts.filter { layout in
                layout.id > position.seen && layout.isOrigin && layout.isLive
            }.map(\.id)
        }
        position.seen = max(position.seen, tables.layouts.last?.id ?? 0)
        if position.todo.isEmpty, position.table == nil { position.isRescan = false }
    }

    /// Whether the tables were read, and all changes told that there were at the start.
    var isAtEnd: Bool { !position.isReadingTables && !isInGroup && position.from >= end }

    // MARK: - Work

    /// What a step came to.
    enum Step: Equatable {
        /// There may be more.
        case worked
        /// There is nothing to be told at present.
        case idle
    }

    /// Tells noted changes, and rows of tables that are still to be read, as many as one commit
    /// should have.
    func step() throws(ConnectorError) -> Step {
        let before = position
        try database.checkFile()
        let isCurrent = try database.reading { () throws(ConnectorError) in
            let schema = try database.attempt("read the schema") { () throws(SQLiteFailure) in
                dataVersion = try database.readDataVersion()
                return try database.readSchemaVersion()
            }
            // Layouts and rows must belong together, so nothing is read before they do.
            guard schema == schemaVersion else { return false }
            let last = try database.attempt("read the change log") { () throws(SQLiteFailure) in
                try registry.lastChange
            }
            if !isInGroup, last > position.group {
                position.group = last
                resumed = -1
                openGroup(resumingAfter: 0)
            }
            if isInGroup { try log.read(&position, resumed: resumed) }
            closeGroup()
            // D3: a group from an earlier step may end before what rows show by now.
            if !isInGroup, position.group >= last, !stream.isFull { try rows.read(&position) }
            return true
        }
        guard isCurrent else {
            try followSchema()
            return .worked
        }
        return position == before && stream.isEmpty ? .idle : .worked
    }

    private func openGroup(resumingAfter changes: UInt64) {
        isInGroup = true
        let number = UInt64(bitPattern: position.group)
        stream.begin(
            CapturedTransaction(sequence: number, id: number, microseconds: 0),
            resumingAfter: changes
        )
    }

    private func closeGroup() {
        guard isInGroup, !position.isWithinGroup else { return }
        stream.end()
        isInGroup = false
    }

    private func followSchema() throws(ConnectorError) {
        try database.writing { () throws(ConnectorError) in
            // A restored backup changes the schema, too; so does who removes the capture.
            if let reason = try lostBecause(position) {
                throw .changedBeneath(database.path, reason)
            }
            try reconcile(startingOver: false)
        }
        // VACUUM gives rows other ids where they are no column's, and tells nobody.
        if let table = position.table, position.key?.rowID != nil,
            let layout = tables.present(ofOrigin: table), layout.rowID != nil,
            !layout.rowIDIsStable
        {
            context.logger.notice(
                "The table is read again from its first row, since its row ids may have changed",
                metadata: ["table": .string(layout.name)]
            )
            position.key = nil
            position.isRescan = true
        }
    }

    /// Whether somebody has committed something since the last step.
    func hasNews() throws(ConnectorError) -> Bool {
        try database.checkFile()
        return try database.attempt("look for changes") { () throws(SQLiteFailure) in
            try database.readDataVersion() != dataVersion
        }
    }

    private func tell(_ finding: Reconciliation.Finding) {
        let logger = context.logger
        switch finding {
        case .installed(let table):
            logger.info("Changes are captured", metadata: ["table": .string(table)])
        case .altered(let table):
            logger.notice("The table was altered", metadata: ["table": .string(table)])
        case .replaced(let table):
            logger.warning(
                """
                The table was made anew, or its triggers were dropped; it is read again, and rows \
                deleted meanwhile are not told
                """,
                metadata: ["table": .string(table)]
            )
        case .renamed(let old, let new):
            logger.notice(
                "The table was renamed",
                metadata: ["from": .string(old), "to": .string(new)]
            )
        case .dropped(let table):
            logger.notice("The table was dropped", metadata: ["table": .string(table)])
        case .released(let table):
            logger.notice("Changes are no longer captured", metadata: ["table": .string(table)])
        case .refused(let table, let reason):
            logger.warning(
                "The table cannot be captured",
                metadata: ["table": .string(table), "reason": .string(reason)]
            )
        }
    }

    // MARK: - Letting go

    /// Notes that everything through a position is durable. (D1)
    func acknowledge(_ position: CapturePosition) {
        guard position.capture == self.position.capture else { return }
        durable = max(durable, position.from)
    }

    /// Changes deleted in one transaction, which keeps other writers waiting.
    private static let pruneRows: Int64 = 5_000
    /// Transactions of that kind before changes are read again.
    private static let pruneRounds = 20
    /// How long to wait for a writer that is in the way; the next call does the rest.
    private static let pruneWait = Duration.milliseconds(20)
    /// After so many calls that were in vain, one waits as long as it takes: a log that only ever
    /// grows is worse than a late change.
    private static let patientCall = 30

    /// Deletes what is durable from the log, except the last change, which tells the log from that
    /// of another copy.
    func prune() throws(ConnectorError) {
        guard durable - 1 > pruned else { return }
        let isPatient = pruneFailures >= Self.patientCall
        database.handle.setBusyTimeout(isPatient ? settings.busyTimeout : Self.pruneWait)
        database.waitsForDisk = false
        defer {
            database.waitsForDisk = true
            database.handle.setBusyTimeout(settings.busyTimeout)
        }
        for _ in 0..<Self.pruneRounds where pruned < durable - 1 {
            do throws(ConnectorError) {
                try database.writing { () throws(ConnectorError) in try pruneSome() }
                pruneFailures = 0
            } catch {
                guard error.code.rawValue == "sqlite.busy" else { throw error }
                pruneFailures += 1
                return
            }
        }
    }

    private func pruneSome() throws(ConnectorError) {
        let action = "delete changes that were read"
        let name = ObjectNames.quote(settings.names.log)
        let end = try database.attempt(action) { () throws(SQLiteFailure) -> Int64? in
            // Who has begun anew needs what this one has read.
            guard try registry.exists, try registry.state?.capture == position.capture else {
                return nil
            }
            let first = try database.number("SELECT min(id) FROM \(name)") ?? durable
            // D1: only what is durable in the topics.
            let end = min(durable - 1, first + Self.pruneRows)
            try database.handle.execute("DELETE FROM \(name) WHERE id <= \(end)")
            try database.handle.execute(
                "DELETE FROM \(ObjectNames.quote(settings.names.replaced))"
            )
            try registry.notePruned(through: end)
            return end
        }
        guard let end else {
            throw .changedBeneath(database.path, "the capture was removed, or begun by another")
        }
        pruned = end
    }

    /// Takes everything out of the database again.
    func remove() throws(ConnectorError) {
        let changes = try database.writing { () throws(ConnectorError) in
            try database.attempt("remove triggers") { () throws(SQLiteFailure) -> Int64? in
                guard try registry.exists else { return nil }
                let last = try registry.lastChange
                _ = try registry.remove()
                return max(0, last - max(durable, position.from))
            }
        }
        context.logger.notice(
            changes == nil ? "No triggers were installed" : "Triggers and change log were removed",
            metadata: ["unread changes": .stringConvertible(changes ?? 0)]
        )
    }
}
