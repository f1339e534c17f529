public import ConnectorSDK
internal import PostgresClient

extension PostgresCDCSource {
    /// Looks whether the server lets its log be read, and the tables; makes nothing.
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try CDCSettings(configuration)
        let database = Database(settings.connection)
        do throws(ConnectorError) {
            let version = try database.connection().parameterStatus("server_version") ?? ""
            let first = PreflightCheck(
                "connection",
                .passed,
                "PostgreSQL \(version) answers.",
                at: "url"
            )
            return [first] + Preflight(settings, database).checks()
        } catch {
            return [PreflightCheck("connection", failed: error)]
        }
    }
}

/// What is looked at in a server that answers.
private struct Preflight {
    let settings: CDCSettings
    let database: Database

    init(_ settings: CDCSettings, _ database: Database) {
        self.settings = settings
        self.database = database
    }

    func checks() -> [PreflightCheck] {
        var checks: [PreflightCheck] = []
        do throws(ConnectorError) {
            let server = try ServerState(database)
            checks.append(PreflightCheck("wal_level", .passed, "The server's log tells rows."))
            checks.append(replication(server))
            checks.append(try slot(server))
        } catch {
            checks.append(PreflightCheck("server", failed: error))
        }
        do throws(ConnectorError) {
            checks += try tables()
        } catch {
            checks.append(PreflightCheck("tables", failed: error))
        }
        return checks
    }

    private func replication(_ server: ServerState) -> PreflightCheck {
        server.mayReplicate
            ? PreflightCheck("replication", .passed, "The role may replicate.", at: "user")
            : PreflightCheck(
                "replication",
                .warning,
                "The role has no attribute REPLICATION.",
                at: "user",
                hint: "ALTER ROLE … REPLICATION; on managed servers a role such as "
                    + "`rds_replication` is granted instead, which cannot be seen."
            )
    }

    private func slot(_ server: ServerState) throws(ConnectorError) -> PreflightCheck {
        let key = CDCKeys.slot.declaration.name
        guard let slot = try ReplicationSlot.find(settings.slot, database, server) else {
            let free = try database.query(
                "SELECT current_setting('max_replication_slots')::int - count(*) "
                    + "FROM pg_replication_slots",
                [],
                "count the slots"
            ).int(0, 0)
            return (free ?? 1) > 0
                ? PreflightCheck("slot", .passed, "`\(settings.slot)` can be made.", at: key)
                : PreflightCheck("slot", failed: NewSlot.noRoom)
        }
        if let defect = slot.defect(for: server.database) {
            return PreflightCheck("slot", failed: defect)
        }
        if slot.walStatus == "lost" {
            return PreflightCheck(
                "slot",
                .failed,
                "`\(slot.name)` is lost: the server has removed log that it needed.",
                at: key,
                hint: "`snapshot.mode: when_needed` makes it anew and reads the tables again."
            )
        }
        guard let process = slot.activeProcess else {
            return PreflightCheck("slot", .passed, "`\(slot.name)` is there and free.", at: key)
        }
        return PreflightCheck(
            "slot",
            .warning,
            "`\(slot.name)` is used by the server's process \(process).",
            at: key,
            hint: "That is well if this connector is running. Another needs a slot of its own."
        )
    }

    private func tables() throws(ConnectorError) -> [PreflightCheck] {
        let publication = try Publication.find(settings.publication, database)
        var checks: [PreflightCheck] = []
        let captured = try TableCatalog(database: database).captured(settings, by: publication)
        guard !captured.isEmpty else {
            return [PreflightCheck("tables", failed: CDCError.noTables(settings))]
        }
        do throws(ConnectorError) {
            try Publication.check(settings, publication, for: captured)
            checks.append(
                PreflightCheck(
                    "publication",
                    .passed,
                    publication == nil
                        ? "`\(settings.publication)` can be made."
                        : "`\(settings.publication)` is there.",
                    at: CDCKeys.publication.declaration.name
                )
            )
        } catch {
            checks.append(PreflightCheck("publication", failed: error))
        }
        let unreadable = try TableCatalog(database: database).unreadable(captured)
        for table in unreadable.prefix(10) {
            checks.append(PreflightCheck("read access", failed: CDCError.unreadable(table)))
        }
        let count = captured.count - unreadable.count
        checks.append(
            PreflightCheck(
                "tables",
                count > 0 ? .passed : .warning,
                "\(count) table(s) can be read.",
                at: "table.include.list"
            )
        )
        return checks
    }
}
