internal import ChangeCapture
internal import ConnectorSDK
internal import FileSystem
internal import LogicalReplication
internal import Logging
internal import PostgresClient

/// One attempt of the task that has the slot: from the positions to the end of the stream.
internal final class Capture {
    private let settings: CDCSettings
    private let context: ConnectorContext
    private let database: Database
    private let stream: ChangeStream
    private let tables: TableMap
    private let outlet: any RecordOutlet
    private let coordinator: SnapshotCoordinator
    private let shared: SharedSnapshot
    private var logger: Logger { context.logger }

    internal init(
        _ settings: CDCSettings,
        _ context: ConnectorContext,
        _ database: Database,
        _ stream: ChangeStream,
        _ tables: TableMap,
        _ outlet: any RecordOutlet,
        coordinator: SnapshotCoordinator,
        shared: SharedSnapshot
    ) {
        self.settings = settings
        self.context = context
        self.database = database
        self.stream = stream
        self.tables = tables
        self.outlet = outlet
        self.coordinator = coordinator
        self.shared = shared
    }

    /// Reads tables and changes; `use` is given what acknowledgements go to.
    internal func run(
        from positions: [String: String],
        _ use: (StreamProgress) -> Void
    ) async throws(ConnectorError) {
        try SignalInbox.prepare(context.stateDirectory)
        try await waitForOthers()
        let server = try ServerState(database)
        guard try await capture(server, positions, use) else { return }
        try await outlet.settle()
        // Only now is the connection closed that used it.
        if settings.dropsSlot { try await dropSlot(server) }
    }

    /// Reads as far as it goes; `false` when it did not come to the changes.
    private func capture(
        _ server: ServerState,
        _ positions: [String: String],
        _ use: (StreamProgress) -> Void
    ) async throws(ConnectorError) -> Bool {
        var publication = try Publication.find(settings.publication, database)
        let catalog = TableCatalog(database: database)
        var captured = try catalog.captured(settings, by: publication)
        guard !captured.isEmpty else { throw CDCError.noTables(settings) }
        var known = SnapshotPositions.read(positions)
        let plan = try await plan(server, positions, known, captured)
        if plan.snapshot != .none, let table = try catalog.unreadable(captured).first {
            // Before anything is made that somebody would have to remove.
            throw CDCError.unreadable(table)
        }
        if let warning = plan.warning {
            logger.warning("going on all the same", metadata: ["reason": "\(warning)"])
        }
        if plan.slot != .none {
            publication = try await publish(captured, known, plan)
            captured = try publication?.limit(captured, database) ?? captured
        }
        let replication = plan.slot == .none ? nil : try database.connectForReplication(server)
        let start = try await prepareSlot(plan, server, replication)
        if plan.snapshot == .exported {
            try await readShared(&captured, start, &known)
            guard !outlet.isStopping, settings.snapshotMode != .initialOnly else { return false }
        }
        coordinator.close()
        guard let replication else { return false }
        let session = StreamSession(
            settings,
            context,
            database,
            stream,
            tables,
            outlet,
            server: server,
            replication: replication
        )
        let beginning = StreamSession.Beginning(
            position: start.position,
            captured: captured,
            known: known,
            snapshot: plan.snapshot
        )
        try await session.run(from: beginning, use)
        return true
    }

    private func dropSlot(_ server: ServerState) async throws(ConnectorError) {
        // The server notices a moment later that the stream has ended.
        while try ReplicationSlot.find(settings.slot, database, server)?.activeProcess != nil {
            try await outlet.idle(for: .milliseconds(20))
        }
        try ReplicationSlot.drop(settings.slot, database)
    }

    /// Tasks that an earlier attempt of this one left reading come to their end first, since what
    /// they make durable meanwhile is not in the positions of this attempt.
    private func waitForOthers() async throws(ConnectorError) {
        guard coordinator.isBusy else { return }
        coordinator.close()
        while coordinator.isBusy, !outlet.isStopping {
            try await outlet.idle(for: .milliseconds(50))
        }
        throw Self.again("other tasks have read on")
    }

    private static func again(_ reason: String) -> ConnectorError {
        ConnectorError(
            .init("postgres_cdc.again"),
            .retry(after: .milliseconds(50)),
            "The positions are read again: \(reason).",
            kind: .environment
        )
    }

    // MARK: - Slot and publication

    private func plan(
        _ server: ServerState,
        _ positions: [String: String],
        _ known: [String: TableProgress],
        _ captured: [CatalogTable]
    ) async throws(ConnectorError) -> StartPlan {
        let slot = settings.snapshotMode == .initialOnly ? nil : try await freeSlot(server)
        let stored = positions[StreamPosition.partition]
        let position = stored.flatMap { StreamPosition($0) }
        if stored != nil, position == nil {
            throw CDCError.environment(
                "position",
                "The stored position of the stream cannot be read.",
                hint: "`millrace offsets show` shows it; `millrace offsets reset` begins anew."
            )
        }
        return try StartPlan.make(
            StartPlan.Situation(
                mode: settings.snapshotMode,
                mismatch: settings.mismatch,
                slotName: settings.slot,
                publication: settings.publication,
                slot: slot,
                position: position,
                dropsSlot: settings.dropsSlot,
                isSnapshotDone: captured.allSatisfy { known[$0.fullName]?.state == .done },
                system: server.system,
                end: server.end
            )
        )
    }

    /// The slot, once no other process uses it; `nil` when there is none.
    private func freeSlot(_ server: ServerState) async throws(ConnectorError) -> ReplicationSlot? {
        var attempts = 0
        while let slot = try ReplicationSlot.find(settings.slot, database, server) {
            if let defect = slot.defect(for: server.database) { throw defect }
            guard let process = slot.activeProcess else { return slot }
            guard attempts < settings.slotRetries else { throw try inUse(process) }
            attempts += 1
            // Most often it is the connection of a process that was killed a moment ago.
            let end = ContinuousClock.now + settings.slotDelay
            while ContinuousClock.now < end {
                if outlet.isStopping { throw ConnectorError(.cancelled, .failTask, "Stopped.") }
                try await outlet.idle(for: .milliseconds(50))
                let now = try ReplicationSlot.find(settings.slot, database, server)
                if now?.activeProcess == nil { break }
            }
        }
        return nil
    }

    private func inUse(_ process: Int) throws(ConnectorError) -> ConnectorError {
        let result = try database.query(
            "SELECT application_name, client_addr FROM pg_stat_activity WHERE pid = $1",
            [.int(Int64(process))],
            "look at who uses the slot"
        )
        let name = result.string(0, 0).map { " (`\($0)`)" } ?? ""
        let address = result.string(0, 1).map { " from \($0)" } ?? ""
        return CDCError.environment(
            "slot_in_use",
            "The slot `\(settings.slot)` is used by the server's process \(process)\(name)"
                + "\(address).",
            at: CDCKeys.slot.declaration.name,
            hint: "Every connector needs a slot of its own. If that one is dead: "
                + "SELECT pg_terminate_backend(\(process))."
        )
    }

    private func publish(
        _ captured: [CatalogTable],
        _ known: [String: TableProgress],
        _ plan: StartPlan
    ) async throws(ConnectorError) -> Publication {
        var published = captured
        if let name = settings.signalTable {
            let found = try TableCatalog(database: database).tables(viaRoot: false) { $0 == name }
            guard let table = found.first else {
                throw CDCError.configuration(
                    "signal_table",
                    "There is no table `\(name)`.",
                    at: CDCKeys.signalTable.declaration.name,
                    hint: "CREATE TABLE \(name) (id varchar(42) PRIMARY KEY, "
                        + "type varchar(32) NOT NULL, data varchar(2048))"
                )
            }
            published.append(table)
        }
        if plan.slot == .keep, settings.snapshotMode != .never {
            // Before a table is published, so that whoever is killed between knows it is to be read.
            for table in captured where known[table.fullName] == nil {
                var progress = TableProgress(.waiting)
                progress.isNew = true
                try await outlet.advance(to: SnapshotPositions.position(table.fullName, progress))
            }
            try await outlet.settle()
        }
        let wasThere = try Publication.find(settings.publication, database) != nil
        let publication = try Publication.ensure(settings, with: published, database).publication
        if !wasThere, plan.slot == .keep, plan.position == nil {
            // The server cannot decode for a publication what was written before it was made. All
            // of that is in the tables, which are read.
            try database.query(
                "SELECT pg_replication_slot_advance($1, pg_current_wal_insert_lsn())",
                [.text(settings.slot)],
                "move the slot `\(settings.slot)`"
            )
        }
        return publication
    }

    /// Where the stream begins, and for a new slot the snapshot of its first moment.
    internal struct Start {
        var position: StreamPosition
        var snapshot: String?
        /// Holds the snapshot of a capture that has no slot.
        var holder: PostgresConnection?
    }

    private func prepareSlot(
        _ plan: StartPlan,
        _ server: ServerState,
        _ replication: PostgresConnection?
    ) async throws(ConnectorError) -> Start {
        func position(_ lsn: LSN) -> StreamPosition {
            StreamPosition(lsn: lsn, system: server.system, slot: settings.slot)
        }
        switch plan.slot {
        case .keep:
            if let position = plan.position { return Start(position: position) }
            let slot = try ReplicationSlot.find(settings.slot, database, server)
            return Start(position: position(slot?.confirmed ?? server.end))
        case .create, .recreate:
            guard let replication else { break }
            if plan.slot == .recreate { try ReplicationSlot.drop(settings.slot, database) }
            let slot = try NewSlot(
                settings.slot,
                exportsSnapshot: plan.snapshot == .exported,
                on: replication,
                server
            )
            logger.info(
                "replication slot created",
                metadata: ["slot": "\(settings.slot)", "lsn": "\(slot.consistentPoint)"]
            )
            return Start(position: position(slot.consistentPoint), snapshot: slot.snapshot)
        case .none:
            guard plan.snapshot == .exported else { break }
            let holder = try database.connect()
            do throws(PostgresFailure) {
                try holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                let name = try holder.execute("SELECT pg_export_snapshot()").string(0, 0)
                return Start(position: position(server.end), snapshot: name, holder: holder)
            } catch {
                throw CDCError.server(error, "make a snapshot")
            }
        }
        return Start(position: position(server.end))
    }

    // MARK: - The snapshot before the changes

    private func readShared(
        _ captured: inout [CatalogTable],
        _ start: Start,
        _ known: inout [String: TableProgress]
    ) async throws(ConnectorError) {
        guard let snapshot = start.snapshot else { return }
        var runs: [UInt32: Int] = [:]
        for table in captured {
            // A snapshot that starts over does not count what an earlier one has read.
            let run = (known[table.fullName]?.run ?? 0) + 1
            runs[table.id] = run
            let progress = TableProgress(.reading, run: run)
            known[table.fullName] = progress
            try await outlet.advance(to: SnapshotPositions.position(table.fullName, progress))
        }
        if settings.snapshotMode != .initialOnly {
            // From here on a restart knows the slot, and reads what is left beside the changes.
            try await outlet.advance(to: start.position.sourcePosition)
        }
        try await outlet.settle()
        coordinator.open(captured, runs: runs, snapshot: snapshot, at: start.position.lsn)
        try await shared.work()
        while coordinator.isBusy, !outlet.isStopping {
            try await outlet.idle(for: .milliseconds(50))
        }
        if outlet.isStopping { return }
        if coordinator.hasAbandoned {
            try await outlet.settle()
            throw Self.again("another task failed while it read a table")
        }
        withExtendedLifetime(start.holder) {}
        try await leaveOutDropped(&captured, &known)
        for table in captured {
            known[table.fullName]?.state = .done
            guard let progress = known[table.fullName] else { continue }
            try await outlet.advance(to: SnapshotPositions.position(table.fullName, progress))
        }
        try await outlet.settle()
        logger.info("the tables were read", metadata: ["tables": "\(captured.count)"])
    }

    /// Goes on without tables that were dropped before they were read; those that were only changed
    /// are read as they are now, beside the changes.
    private func leaveOutDropped(
        _ captured: inout [CatalogTable],
        _ known: inout [String: TableProgress]
    ) async throws(ConnectorError) {
        let aside = captured.filter { coordinator.aside.contains($0.id) }
        guard !aside.isEmpty else { return }
        let catalog = TableCatalog(database: database)
        var changed: CatalogTable?
        for table in aside {
            guard try catalog.table(table.id) == nil else {
                changed = table
                continue
            }
            logger.warning(
                "a table was dropped before it was read; going on without it",
                metadata: ["table": "\(table.fullName)"]
            )
            captured.removeAll { $0.id == table.id }
            known[table.fullName] = nil
            // One that is made under its name later is another.
            try await outlet.forget(table.fullName)
        }
        guard let changed else { return }
        for table in captured where !coordinator.aside.contains(table.id) {
            known[table.fullName]?.state = .done
            guard let progress = known[table.fullName] else { continue }
            try await outlet.advance(to: SnapshotPositions.position(table.fullName, progress))
        }
        try await outlet.settle()
        throw Self.again("the table `\(changed.fullName)` changed while it was read")
    }
}
