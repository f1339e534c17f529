internal import ConnectorSDK
internal import LogicalReplication
internal import PostgresClient

/// What has to be known of a server before anything is done to it.
internal struct ServerState {
    /// Such as 150018 for 15.18.
    internal let version: Int
    /// Tells one cluster from another, and from a copy made by `initdb`.
    internal let system: String
    /// The end of the log now.
    internal let end: LSN
    internal let database: String
    internal let isStandby: Bool

    /// The least version that is supported: later ones have `publish_via_partition_root`.
    internal static let oldestVersion = 13_00_00

    /// Looks at the server, and throws what keeps it from being captured.
    internal init(_ database: Database) throws(ConnectorError) {
        let version = try database.connection().serverVersion
        guard version >= Self.oldestVersion else {
            throw CDCError.environment(
                "server_version",
                "The server is PostgreSQL \(version / 10_000); 13 or later is needed.",
                at: "url",
                hint: "Upgrade the server."
            )
        }
        let row = try database.query(
            """
            SELECT current_setting('wal_level'), pg_is_in_recovery(),
                   r.rolreplication OR r.rolsuper,
                   (SELECT system_identifier FROM pg_control_system()),
                   CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                        ELSE pg_current_wal_insert_lsn() END,
                   current_database()
            FROM pg_roles r WHERE r.rolname = current_user
            """,
            [],
            "look at the server's settings"
        )
        self.version = version
        isStandby = row.bool(0, 1) ?? false
        system = row.string(0, 3) ?? ""
        end = row.string(0, 4).flatMap { LSN($0) } ?? .zero
        self.database = row.string(0, 5) ?? ""
        try Self.check(walLevel: row.string(0, 0) ?? "")
        if isStandby, version < 16_00_00 {
            throw CDCError.environment(
                "standby",
                "The server is a standby, and PostgreSQL \(version / 10_000) cannot decode its "
                    + "log there.",
                at: "url",
                hint: "Connect to the primary, or use PostgreSQL 16 or later."
            )
        }
        // Managed servers give the right by other means, so its lack is only told with a refusal.
        mayReplicate = row.bool(0, 2) ?? false
    }

    /// Whether the role has the attribute REPLICATION, or is a superuser.
    internal let mayReplicate: Bool

    private static func check(walLevel: String) throws(ConnectorError) {
        guard walLevel != "logical" else { return }
        throw CDCError.environment(
            "wal_level",
            "The server's `wal_level` is `\(walLevel)`; changes can be captured with `logical` only.",
            hint: "ALTER SYSTEM SET wal_level = logical, and restart the server."
        )
    }

    /// The newest version of pgoutput's protocol that the server speaks and this connector needs.
    ///
    /// 2 streams large transactions. 3 adds two-phase commits and 4 parallel streaming, which are
    /// of no use to somebody who writes transactions in commit order.
    internal var protocolVersion: Int { version >= 14_00_00 ? 2 : 1 }
}
