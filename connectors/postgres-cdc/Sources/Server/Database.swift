internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords

/// The ordinary connection of a task, for what does not go through the replication stream.
///
/// It is opened when it is needed, and anew after it broke.
internal final class Database {
    internal let settings: PostgresSettings
    private var open: PostgresConnection?

    internal init(_ settings: PostgresSettings) { self.settings = settings }

    /// The connection.
    internal func connection() throws(ConnectorError) -> PostgresConnection {
        if let open, open.isAlive { return open }
        let connection = try connect()
        open = connection
        return connection
    }

    /// How intervals are read: as Debezium writes them.
    private static let intervalStyle = "SET IntervalStyle TO iso_8601"

    /// A connection of its own.
    internal func connect() throws(ConnectorError) -> PostgresConnection {
        try connect(settings)
    }

    private func connect(
        _ settings: PostgresSettings
    ) throws(ConnectorError) -> PostgresConnection {
        do throws(PostgresFailure) {
            let connection = try PostgresConnection(settings)
            try connection.execute(Self.intervalStyle)
            if connection.parameterStatus("server_encoding") == "SQL_ASCII" {
                // Its texts may be anything. The server would end the stream, for good, at the
                // first that is no UTF-8; as they are, the row is rejected and no other.
                try connection.execute("SET client_encoding TO 'SQL_ASCII'")
            }
            return connection
        } catch {
            throw .postgres(connecting: error, settings)
        }
    }

    /// A connection that can replicate.
    internal func connectForReplication(
        _ server: ServerState
    ) throws(ConnectorError) -> PostgresConnection {
        var settings = settings
        settings.isReplication = true
        // A statement on it may wait for transactions of others for as long as they take.
        settings.statementTimeout = nil
        settings.lockTimeout = nil
        do throws(ConnectorError) {
            return try connect(settings)
        } catch {
            // Otherwise the server was reached a moment ago, and nothing else is different.
            guard error.disposition == .failTask, !server.mayReplicate else { throw error }
            throw CDCError.mayNotReplicate
        }
    }

    /// Runs a statement; `action` completes "Cannot …" in an error.
    @discardableResult
    internal func query(
        _ sql: String,
        _ parameters: [PostgresParameter] = [],
        _ action: String
    ) throws(ConnectorError) -> PostgresResult {
        let connection = try connection()
        do throws(PostgresFailure) {
            return try connection.query(sql, parameters)
        } catch {
            throw CDCError.server(error, action)
        }
    }
}
