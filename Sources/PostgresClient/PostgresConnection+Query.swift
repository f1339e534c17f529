internal import CPostgres
internal import Glibc

extension PostgresConnection {
    /// Runs one or more statements, separated by semicolons, and returns what the last one gave.
    ///
    /// Several statements are one transaction, unless they say otherwise.
    @discardableResult
    public func execute(_ sql: String) throws(PostgresFailure) -> PostgresResult {
        try sent(PQsendQuery(handle.pointer, sql))
        return try finish()
    }

    /// Runs one statement with parameters `$1`, `$2` and so on.
    ///
    /// - Parameters:
    ///   - sql: one statement.
    ///   - parameters: the values, in order.
    ///   - format: how the server writes the columns of the result.
    /// - Returns: the rows, or how many rows were changed.
    /// - Throws: what the server or the connection said.
    @discardableResult
    public func query(
        _ sql: String,
        _ parameters: [PostgresParameter] = [],
        format: PostgresFormat = .text
    ) throws(PostgresFailure) -> PostgresResult {
        try send(sql, parameters, format: format)
        return try finish()
    }

    /// Makes the server parse and plan a statement under a name, for this session.
    public func prepare(
        _ name: String,
        _ sql: String,
        types: [UInt32] = []
    ) throws(PostgresFailure) {
        try sent(PQsendPrepare(handle.pointer, name, sql, Int32(types.count), types))
        try finish()
    }

    /// Runs a prepared statement.
    @discardableResult
    public func queryPrepared(
        _ name: String,
        _ parameters: [PostgresParameter] = [],
        format: PostgresFormat = .text
    ) throws(PostgresFailure) -> PostgresResult {
        try sendPrepared(name, parameters, format: format)
        return try finish()
    }

    /// Sends a statement with parameters, without waiting for its result.
    internal func send(
        _ sql: String,
        _ parameters: [PostgresParameter],
        format: PostgresFormat
    ) throws(PostgresFailure) {
        let arguments = ParameterArguments(parameters)
        let code = arguments.withArguments { values, lengths, formats in
            PQsendQueryParams(
                handle.pointer,
                sql,
                Int32(parameters.count),
                arguments.types,
                values,
                lengths,
                formats,
                format.rawValue
            )
        }
        try sent(code)
    }

    internal func sendPrepared(
        _ name: String,
        _ parameters: [PostgresParameter],
        format: PostgresFormat
    ) throws(PostgresFailure) {
        let arguments = ParameterArguments(parameters)
        let code = arguments.withArguments { values, lengths, formats in
            PQsendQueryPrepared(
                handle.pointer,
                name,
                Int32(parameters.count),
                values,
                lengths,
                formats,
                format.rawValue
            )
        }
        try sent(code)
    }

    internal func sent(_ code: Int32) throws(PostgresFailure) {
        guard code == 1 else { throw handle.failure() }
    }

    /// Waits for the next result; `nil` when there is none.
    internal func nextResult() -> PostgresResult? {
        PQgetResult(handle.pointer).map { PostgresResult(ResultHandle($0)) }
    }

    /// Waits for all results of a statement, and gives the last one or throws the first error.
    @discardableResult
    internal func finish() throws(PostgresFailure) -> PostgresResult {
        var last: PostgresResult?
        var failure: PostgresFailure?
        while let result = nextResult() {
            if result.handle.isError, failure == nil { failure = result.handle.failure() }
            let status = result.handle.status
            last = result
            // A COPY goes on until somebody reads or writes it, which nobody asked for here.
            guard status != PGRES_COPY_IN, status != PGRES_COPY_OUT, status != PGRES_COPY_BOTH
            else { break }
        }
        if let failure { throw failure }
        guard let last else { throw handle.failure() }
        return last
    }
}
