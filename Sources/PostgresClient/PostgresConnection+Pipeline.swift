internal import CPostgres

/// The requests of a pipeline, sent together and answered in order.
///
/// All of them are one implicit transaction; after an error the rest has no effect.
public struct PostgresPipeline: ~Copyable {
    private let connection: PostgresConnection
    private var count = 0

    internal init(_ connection: PostgresConnection) { self.connection = connection }

    /// Adds a statement with parameters.
    public mutating func query(
        _ sql: String,
        _ parameters: [PostgresParameter] = [],
        format: PostgresFormat = .text
    ) throws(PostgresFailure) {
        try connection.send(sql, parameters, format: format)
        count += 1
    }

    /// Adds a prepared statement.
    public mutating func queryPrepared(
        _ name: String,
        _ parameters: [PostgresParameter] = [],
        format: PostgresFormat = .text
    ) throws(PostgresFailure) {
        try connection.sendPrepared(name, parameters, format: format)
        count += 1
    }

    /// Sends what was added and waits for every answer.
    fileprivate mutating func finish() throws(PostgresFailure) -> [PostgresResult] {
        try connection.sent(PQpipelineSync(connection.handle.pointer))
        var results: [PostgresResult] = []
        var failure: PostgresFailure?
        for _ in 0..<count {
            while let result = connection.nextResult() {
                if result.handle.isError, failure == nil { failure = result.handle.failure() }
                results.append(result)
            }
        }
        guard let sync = connection.nextResult(), sync.handle.status == PGRES_PIPELINE_SYNC else {
            throw failure ?? connection.handle.failure()
        }
        if let failure { throw failure }
        return results
    }
}

extension PostgresConnection {
    /// Runs the statements that `body` adds without waiting for each one's answer.
    ///
    /// Answers are kept in memory until the last one is there.
    ///
    /// - Returns: their results, in order.
    @discardableResult
    public func pipeline(
        _ body: (inout PostgresPipeline) throws(PostgresFailure) -> Void
    ) throws(PostgresFailure) -> [PostgresResult] {
        try sent(PQenterPipelineMode(handle.pointer))
        var pipeline = PostgresPipeline(self)
        var results: [PostgresResult] = []
        var failure: PostgresFailure?
        do throws(PostgresFailure) { try body(&pipeline) } catch { failure = error }
        do throws(PostgresFailure) { results = try pipeline.finish() } catch {
            if failure == nil { failure = error }
        }
        let hasLeft = PQexitPipelineMode(handle.pointer) == 1
        if let failure { throw failure }
        guard hasLeft else { throw handle.failure() }
        return results
    }
}
