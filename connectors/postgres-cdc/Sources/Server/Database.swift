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

    /// A connection of its own.
    internal func connect() throws(ConnectorError) -> PostgresConnection {
        do throws(PostgresFailure) {
            return try PostgresConnection(settings)
        } catch {
            throw .postgres(connecting: error, settings)
        }
    }

    /// A connection that can replicate.
    internal func connectForReplication() throws(ConnectorError) -> PostgresConnection {
        var settings = settings
        settings.isReplication = true
        // A statement on it may wait for transactions of others for as long as they take.
        settings.statementTimeout = nil
        settings.lockTimeout = nil
        do throws(PostgresFailure) {
            return try PostgresConnection(settings)
        } catch {
            throw .postgres(connecting: error, settings)
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
