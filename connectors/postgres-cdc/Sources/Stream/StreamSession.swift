internal import ChangeCapture
internal import ConnectorSDK
internal import FileSystem
internal import LogicalReplication
internal import Logging
internal import PostgresClient

/// The stream of one attempt, with all that happens beside it.
internal final class StreamSession {
    private let settings: CDCSettings
    private let context: ConnectorContext
    private let database: Database
    private let stream: ChangeStream
    private let tables: TableMap
    private let outlet: any RecordOutlet
    private let server: ServerState
    private let replication: PostgresConnection

    internal init(
        _ settings: CDCSettings,
        _ context: ConnectorContext,
        _ database: Database,
        _ stream: ChangeStream,
        _ tables: TableMap,
        _ outlet: any RecordOutlet,
        server: ServerState,
        replication: PostgresConnection
    ) {
        self.settings = settings
        self.context = context
        self.database = database
        self.stream = stream
        self.tables = tables
        self.outlet = outlet
        self.server = server
        self.replication = replication
    }

    /// Where a stream begins, and what is to be read beside it.
    internal struct Beginning {
        var position: StreamPosition
        var captured: [CatalogTable]
        var known: [String: TableProgress]
        var snapshot: StartPlan.Snapshot
    }

    /// Reads the stream until the task stops; `use` is given what acknowledgements go to.
    internal func run(
        from start: Beginning,
        _ use: (StreamProgress) -> Void
    ) async throws(ConnectorError) {
        let progress = StreamProgress(from: start.position)
        use(progress)
        try startReplication(at: start.position.lsn)
        let receiver = try ReplicationReceiver(
            replication,
            confirmed: start.position.lsn,
            settings,
            wakeTask: outlet.makeWaker()
        )
        defer {
            progress.report(to: nil)
            receiver.stop()
        }
        progress.report(to: receiver)
        try await run(from: start, receiver, progress)
    }

    private func run(
        from start: Beginning,
        _ receiver: ReplicationReceiver,
        _ progress: StreamProgress
    ) async throws(ConnectorError) {
        let applier = ChangeApplier(
            from: start.position,
            into: stream,
            tables: tables,
            spill: try openSpill(),
            settings: settings
        )
        defer { applier.observer = nil }
        let environment = SnapshotEnvironment(
            settings,
            stream,
            outlet,
            tables,
            database,
            receiver,
            progress,
            isStandby: server.isStandby,
            logger: context.logger
        )
        let beside = SnapshotBeside(environment, applier, progress: start.known)
        if case .beside(let startsOver) = start.snapshot {
            for table in start.captured {
                try await beside.add(
                    table,
                    startsOver: startsOver,
                    isNew: start.known[table.fullName] == nil
                )
            }
        }
        let chores = chores(environment, applier, beside, start, progress)
        let loop = StreamLoop(
            applier,
            receiver,
            stream,
            outlet,
            progress: progress,
            chores: chores,
            until: context.untilEnd ? server.end : nil
        )
        try await loop.run()
    }

    private func chores(
        _ environment: SnapshotEnvironment,
        _ applier: ChangeApplier,
        _ beside: SnapshotBeside,
        _ start: Beginning,
        _ progress: StreamProgress
    ) -> StreamChores {
        StreamChores(
            environment,
            applier,
            beside,
            TableWatch(
                settings,
                database,
                tables,
                beside,
                known: start.captured,
                logger: context.logger
            ),
            SignalInbox(
                settings,
                beside,
                environment.catalog,
                stateDirectory: context.stateDirectory,
                logger: context.logger
            ),
            database,
            progress
        )
    }

    private func openSpill() throws(ConnectorError) -> SpillStore {
        do throws(SpillError) {
            return try SpillStore(directory: "\(context.stateDirectory)/spill")
        } catch {
            throw CDCError.spill(error)
        }
    }

    private func startReplication(at place: LSN) throws(ConnectorError) {
        var options = [
            "proto_version '\(server.protocolVersion)'",
            "publication_names \(SQLText.literal(SQLText.identifier(settings.publication)))",
        ]
        if server.version >= 14_00_00 {
            options.append("messages 'true'")
            if settings.streams { options.append("streaming 'on'") }
        }
        do throws(PostgresFailure) {
            try replication.startReplication(
                "START_REPLICATION SLOT \(SQLText.identifier(settings.slot)) LOGICAL \(place) "
                    + "(\(options.joined(separator: ", ")))"
            )
        } catch {
            throw CDCError.stream(error, settings)
        }
    }
}
