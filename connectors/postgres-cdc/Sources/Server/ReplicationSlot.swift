internal import ConnectorSDK
internal import LogicalReplication
internal import PostgresClient

/// A replication slot as the server shows it.
internal struct ReplicationSlot: Equatable {
    internal var name: String
    internal var plugin: String
    internal var database: String
    internal var isTemporary = false
    /// The process that uses it.
    internal var activeProcess: Int?
    /// Everything before it was confirmed, and cannot be had again.
    internal var confirmed: LSN?
    /// `reserved`, `extended`, `unreserved` or `lost`; empty when the server does not say.
    internal var walStatus = ""
    internal var isTwoPhase = false

    /// Looks a slot up; `nil` when there is none.
    internal static func find(
        _ name: String,
        _ database: Database,
        _ server: ServerState
    ) throws(ConnectorError) -> ReplicationSlot? {
        let twoPhase = server.version >= 14_00_00 ? "two_phase" : "false"
        let result = try database.query(
            """
            SELECT plugin, database, temporary, active_pid, confirmed_flush_lsn, wal_status,
                   \(twoPhase)
            FROM pg_replication_slots WHERE slot_name = $1
            """,
            [.text(name)],
            "look for the slot `\(name)`"
        )
        guard result.rowCount == 1 else { return nil }
        var slot = ReplicationSlot(
            name: name,
            plugin: result.string(0, 0) ?? "",
            database: result.string(0, 1) ?? ""
        )
        slot.isTemporary = result.bool(0, 2) ?? false
        slot.activeProcess = result.int(0, 3).map { Int($0) }
        slot.confirmed = result.string(0, 4).flatMap { LSN($0) }
        slot.walStatus = result.string(0, 5) ?? ""
        slot.isTwoPhase = result.bool(0, 6) ?? false
        return slot
    }

    /// What makes the slot one that cannot be read, whatever its place; `nil` when nothing does.
    internal func defect(for database: String) -> ConnectorError? {
        let key = CDCKeys.slot.declaration.name
        if plugin != "pgoutput" {
            return CDCError.configuration(
                "slot_plugin",
                "The slot `\(name)` belongs to something else: its plugin is "
                    + "`\(plugin.isEmpty ? "none, it is physical" : plugin)`.",
                at: key,
                hint: "Choose another name; the slot is created."
            )
        }
        if self.database != database {
            return CDCError.configuration(
                "slot_database",
                "The slot `\(name)` belongs to the database `\(self.database)`.",
                at: key,
                hint: "Choose another name; the slot is created."
            )
        }
        if isTwoPhase {
            return CDCError.configuration(
                "slot_two_phase",
                "The slot `\(name)` tells prepared transactions before they are committed.",
                at: key,
                hint: "Choose another name, or drop the slot and let the connector create it."
            )
        }
        return nil
    }

    /// Drops a slot that nobody uses.
    internal static func drop(_ name: String, _ database: Database) throws(ConnectorError) {
        try database.query(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                + "WHERE slot_name = $1",
            [.text(name)],
            "drop the slot `\(name)`"
        )
    }
}

/// A slot that was just created, with the snapshot of its first moment.
internal struct NewSlot {
    /// Every transaction that committed before it is in the snapshot, no other is.
    internal let consistentPoint: LSN
    /// The name under which other sessions can use the snapshot, until the connection that created
    /// the slot does something else.
    internal let snapshot: String?

    /// Creates a slot; waits for all transactions that are open now.
    internal init(
        _ name: String,
        exportsSnapshot: Bool,
        on connection: PostgresConnection,
        _ server: ServerState
    ) throws(ConnectorError) {
        let choice = exportsSnapshot ? "export" : "nothing"
        let options =
            server.version >= 15_00_00
            ? "(SNAPSHOT '\(choice)')"
            : exportsSnapshot ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT"
        let result: PostgresResult
        do throws(PostgresFailure) {
            result = try connection.execute(
                "CREATE_REPLICATION_SLOT \(SQLText.identifier(name)) LOGICAL pgoutput \(options)"
            )
        } catch {
            throw Self.refusal(error, name, server)
        }
        guard let point = result.string(0, 1).flatMap({ LSN($0) }) else {
            throw CDCError.protocolError(ReplicationError("a new slot has no place"))
        }
        consistentPoint = point
        snapshot = result.string(0, 2)
    }

    internal static var noRoom: ConnectorError {
        CDCError.environment(
            "no_free_slot",
            "The server has no room for another replication slot.",
            hint: "Drop one that nobody needs, or raise `max_replication_slots` and restart it."
        )
    }

    private static func refusal(
        _ failure: PostgresFailure,
        _ name: String,
        _ server: ServerState
    ) -> ConnectorError {
        switch failure.state.rawValue {
        case "53400":
            return noRoom
        case "42501" where !server.mayReplicate: return CDCError.mayNotReplicate
        default: return CDCError.server(failure, "create the slot `\(name)`")
        }
    }
}
