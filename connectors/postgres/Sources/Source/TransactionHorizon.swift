internal import PostgresClient

/// The transactions that were running when an upper bound of rows was taken, and might yet commit
/// rows below it.
///
/// A sequence hands out 5 to one transaction and 6 to another, the second commits first, and a
/// reader that goes on behind 6 never sees 5; timestamps taken at a transaction's start do the
/// same. Holding back rows by their transaction's number is not enough: a transaction that has
/// taken its value and not yet written anything has no number. So the source takes the greatest
/// value that it sees, *then* lists the transactions that run, waits until these have ended, and
/// reads up to the value: whoever took a smaller one before was in the list, or had ended and is
/// seen. Later ones get greater values. (D6)
internal struct TransactionHorizon {
    /// Virtual ids of transactions that processes run, such as `3/17`, and names of prepared ones.
    private var running: Set<String>
    /// Whether transactions that were prepared meanwhile, and so left their process, are in
    /// ``running``.
    private var knowsPrepared = false
    /// The first transaction number that was not given out yet.
    private let nextTransaction: UInt64
    private let kind: SourceSettings.Horizon
    private let table: UInt32?

    /// Lists the transactions that run now; `table` is the one to be read, if it is one.
    internal init(
        _ kind: SourceSettings.Horizon,
        table: UInt32?,
        on connection: PostgresConnection
    ) throws(PostgresFailure) {
        self.kind = kind
        self.table = table
        nextTransaction = try Self.number(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text",
            connection
        )
        running = try Self.processes(kind, table, connection)
    }

    /// Whether all of them have ended.
    internal mutating func isPassed(
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> Bool {
        switch kind {
        case .auto, .none: return true
        case .snapshot:
            let oldest = try Self.number(
                "SELECT pg_snapshot_xmin(pg_current_snapshot())::text",
                connection
            )
            return oldest >= nextTransaction
        case .transactions, .writers: break
        }
        if !running.isEmpty {
            let now =
                try knowsPrepared
                ? Self.prepared(connection) : Self.processes(kind, table, connection)
            running.formIntersection(now)
        }
        if running.isEmpty, !knowsPrepared {
            knowsPrepared = true
            running = try Self.prepared(connection)
        }
        return running.isEmpty
    }

    private static func number(
        _ sql: String,
        _ connection: PostgresConnection
    ) throws(PostgresFailure) -> UInt64 {
        UInt64(try connection.query(sql).string(0, 0) ?? "") ?? 0
    }

    private static func prepared(
        _ connection: PostgresConnection
    ) throws(PostgresFailure) -> Set<String> {
        let result = try connection.query(
            "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"
        )
        return Set((0..<result.rowCount).compactMap { result.string($0, 0) })
    }

    /// Who is waited for, for an operator: processes and since when.
    internal func blockers(on connection: PostgresConnection) throws(PostgresFailure) -> String {
        let result = try connection.query(
            """
            SELECT string_agg(format('process %s (%s, %s) since %s', pid, usename,
                coalesce(nullif(application_name, ''), 'no name'), xact_start), '; ')
            FROM (SELECT a.* FROM pg_stat_activity a
                WHERE a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid()
                    AND a.datname = current_database()
                ORDER BY a.xact_start LIMIT 3) AS oldest
            """
        )
        return result.string(0, 0) ?? "a prepared transaction, see pg_prepared_xacts"
    }

    private static func processes(
        _ kind: SourceSettings.Horizon,
        _ table: UInt32?,
        _ connection: PostgresConnection
    ) throws(PostgresFailure) -> Set<String> {
        let sql: String
        switch kind {
        case .auto, .none, .snapshot: return []
        case .transactions:
            // Processes that serve replication, or the server itself, write no rows.
            sql = """
                SELECT l.virtualtransaction FROM pg_locks l
                    LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'virtualxid' AND l.granted AND l.pid <> pg_backend_pid()
                    AND (a.pid IS NULL OR (a.datname = current_database()
                        AND a.backend_type IN ('client backend', 'background worker',
                            'logical replication worker', 'parallel worker')))
                """
        case .writers:
            sql = """
                WITH RECURSIVE parts(oid) AS (
                    SELECT \(table ?? 0)::oid
                    UNION SELECT i.inhrelid FROM pg_inherits i JOIN parts p ON i.inhparent = p.oid)
                SELECT DISTINCT l.virtualtransaction FROM pg_locks l
                WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
                    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                        'AccessExclusiveLock')
                    AND (l.relation IN (SELECT oid FROM parts) OR l.relation IN (
                        SELECT d.objid FROM pg_depend d JOIN parts p ON d.refobjid = p.oid
                        WHERE d.classid = 'pg_class'::regclass
                            AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
                    OR l.relation IN (
                        SELECT s.refobjid FROM pg_attrdef f
                            JOIN parts p ON f.adrelid = p.oid
                            JOIN pg_depend s ON s.objid = f.oid
                        WHERE s.classid = 'pg_attrdef'::regclass
                            AND s.refclassid = 'pg_class'::regclass AND s.refobjid <> f.adrelid))
                """
        }
        let result = try connection.query(sql)
        return Set((0..<result.rowCount).compactMap { result.string($0, 0) })
    }
}
