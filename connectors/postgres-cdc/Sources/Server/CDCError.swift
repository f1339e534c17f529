internal import ConnectorSDK
internal import LogicalReplication
internal import PostgresClient
internal import PostgresRecords

/// The errors of the connector, in one place: what is wrong, with which object, and a way out.
internal enum CDCError {
    /// Makes an error that an operator has to do something about.
    static func environment(
        _ reason: String,
        _ message: String,
        at key: String? = nil,
        hint: String
    ) -> ConnectorError {
        ConnectorError(
            .init("postgres_cdc.\(reason)"),
            .failTask,
            message,
            kind: .environment,
            at: key,
            hint: hint
        )
    }

    /// Makes an error of a configuration that does not fit the database.
    static func configuration(
        _ reason: String,
        _ message: String,
        at key: String,
        hint: String
    ) -> ConnectorError {
        ConnectorError(
            .init("postgres_cdc.\(reason)"),
            .failTask,
            message,
            kind: .configuration,
            at: key,
            hint: hint
        )
    }

    // MARK: - Tables

    static func noTables(_ settings: CDCSettings) -> ConnectorError {
        configuration(
            "no_tables",
            "No table of the database `\(settings.connection["dbname"] ?? "")` is to be captured.",
            at: "table.include.list",
            hint: "Names are `schema.table`, such as `public.orders`. Does the table exist?"
        )
    }

    static func unreadable(_ table: CatalogTable) -> ConnectorError {
        environment(
            "privilege",
            "The role may not read the table `\(table.fullName)`.",
            hint: "GRANT SELECT ON \(table.sqlName) TO …, and USAGE on its schema; or leave it "
                + "out of `table.include.list`."
        )
    }

    /// The code of ``read(_:_:)`` when the table is not what it was.
    static let tableChanged = ConnectorError.Code("postgres_cdc.table_changed")

    /// What reading a table failed with.
    static func read(_ table: CatalogTable, _ failure: PostgresFailure) -> ConnectorError {
        switch failure.state.rawValue {
        case "42P01", "42703", "3F000":
            return environment(
                "table_changed",
                "The table `\(table.fullName)` was dropped or changed while it was read.",
                hint: "What is left of it is read as it is now."
            )
        case "42501":
            return unreadable(table)
        default: return server(failure, "read the table `\(table.fullName)`")
        }
    }

    // MARK: - The server

    static var mayNotReplicate: ConnectorError {
        environment(
            "privilege",
            "The role may not replicate, nor use replication slots.",
            at: "user",
            hint:
                "ALTER ROLE … REPLICATION; on managed servers a role such as `rds_replication` is "
                + "granted instead."
        )
    }

    /// What a statement or stream failed with; `action` completes "Cannot …".
    static func server(_ failure: PostgresFailure, _ action: String) -> ConnectorError {
        var error = ConnectorError.postgres(failure, action)
        if error.disposition == .rejectRecord {
            // There is no record to blame: it is a statement of the configuration.
            error.disposition = .failTask
        }
        if error.code.rawValue == "postgres.privilege" {
            error.hint = "The connector's README lists the privileges it needs."
        }
        return error
    }

    /// What starting the stream, or the stream, failed with.
    static func stream(_ failure: PostgresFailure, _ settings: CDCSettings) -> ConnectorError {
        guard failure.origin == .server else { return server(failure, "receive changes") }
        switch failure.state.rawValue {
        case "42704" where failure.message.contains("publication"):
            return Self.environment(
                "publication_missing",
                "The publication `\(settings.publication)` does not exist, or did not when the "
                    + "changes were made that are to be read next.",
                at: CDCKeys.publication.declaration.name,
                hint: "A publication that was dropped cannot be made anew for changes made before. "
                    + "Drop the slot too, and set `snapshot.mode: when_needed`."
            )
        case "42704":
            return Self.environment(
                "slot_missing",
                "The slot `\(settings.slot)` is gone.",
                at: CDCKeys.slot.declaration.name,
                hint: "`snapshot.mode: when_needed` makes a new one and reads all tables again."
            )
        case "55000" where failure.message.contains("replication slot"):
            return Self.environment(
                "slot_lost",
                "The slot `\(settings.slot)` cannot be read any more: the server has removed log "
                    + "that it needed.",
                at: CDCKeys.slot.declaration.name,
                hint: "The server's `max_slot_wal_keep_size` was exceeded. "
                    + "`snapshot.mode: when_needed` reads all tables again."
            )
        case "42501":
            return mayNotReplicate
        default: return server(failure, "receive changes")
        }
    }

    static func protocolError(_ error: ReplicationError) -> ConnectorError {
        ConnectorError(
            .init("postgres_cdc.protocol"),
            .failTask,
            "The server sent what is no message of its replication protocol: \(error)",
            hint: "Is there a proxy in between? Otherwise this is a bug; please report it.",
            underlying: error
        )
    }

    static func spill(_ error: SpillError) -> ConnectorError {
        ConnectorError(
            .init(error.isDiskFull ? "postgres_cdc.disk_full" : "postgres_cdc.spill"),
            .failTask,
            error.isDiskFull
                ? "The disk is full: a large transaction is kept in \(error.path) until it is "
                    + "complete."
                : "A large transaction cannot be kept in a file: \(error), \(error.path).",
            kind: .environment,
            hint: error.isDiskFull
                ? "Make room in the data directory and run again, nothing is lost; or let the "
                    + "server keep such transactions with `streaming: off`."
                : "Check the data directory; nothing is lost.",
            underlying: error
        )
    }
}
