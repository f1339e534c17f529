internal import CPostgres

extension PostgresConnection {
    /// Sends one or more statements and returns while the server still works on them.
    ///
    /// Nothing else may be asked of the connection before ``finishStatement()``.
    public func startStatement(_ sql: String) throws(PostgresFailure) {
        try sent(PQsendQuery(handle.pointer, sql))
    }

    /// Sends the parameters of a prepared statement, each in its type's binary form, and returns
    /// while the server still works on it; ``finishStatement()`` waits for its answer.
    public func startPrepared(
        _ name: String,
        _ parameters: [UnsafeRawBufferPointer]
    ) throws(PostgresFailure) {
        let values = parameters.map { $0.baseAddress?.assumingMemoryBound(to: CChar.self) }
        let formats = [Int32](repeating: PostgresFormat.binary.rawValue, count: values.count)
        let code = PQsendQueryPrepared(
            handle.pointer,
            name,
            Int32(values.count),
            values,
            parameters.map { Int32($0.count) },
            formats,
            PostgresFormat.text.rawValue
        )
        try sent(code)
    }

    /// Waits for what ``startStatement(_:)`` started, and returns what the last statement gave.
    @discardableResult
    public func finishStatement() throws(PostgresFailure) -> PostgresResult { try finish() }

    /// Ends the data of a COPY and returns while the server still takes it in; ``finishStatement()``
    /// waits for its answer.
    public func finishCopyData() throws(PostgresFailure) {
        guard PQputCopyEnd(handle.pointer, nil) == 1 else { throw handle.failure() }
    }
}
