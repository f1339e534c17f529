internal import CPostgres

// MARK: - COPY … FROM STDIN

extension PostgresConnection {
    /// Starts a COPY into the server; its data follows by ``copyData(_:)``.
    ///
    /// - Returns: the format of each column that the server expects.
    @discardableResult
    public func startCopyIn(_ sql: String) throws(PostgresFailure) -> [PostgresFormat] {
        try start(sql, PGRES_COPY_IN)
    }

    /// Sends data of a COPY, in pieces of any size; blocks while the server is slower.
    ///
    /// What the server says of the data is known when ``endCopyIn()`` returns.
    public func copyData(_ data: UnsafeRawBufferPointer) throws(PostgresFailure) {
        var rest = data[...]
        while !rest.isEmpty {
            // A message's length is 32 bits; libpq also doubles its buffer for a large one.
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 20))
            let start = piece.baseAddress?.assumingMemoryBound(to: CChar.self)
            let code = PQputCopyData(handle.pointer, start, Int32(piece.count))
            guard code == 1 else { throw handle.failure() }
            rest = rest.dropFirst(piece.count)
        }
    }

    /// Ends the data of a COPY and waits until the server has taken all of it.
    ///
    /// - Returns: the rows copied.
    @discardableResult
    public func endCopyIn() throws(PostgresFailure) -> Int {
        guard PQputCopyEnd(handle.pointer, nil) == 1 else { throw handle.failure() }
        return try finish().affectedRows
    }

    /// Ends a COPY without effect: the server forgets its rows and fails the transaction.
    public func abortCopyIn() throws(PostgresFailure) {
        guard PQputCopyEnd(handle.pointer, "the client gave up") == 1 else {
            throw handle.failure()
        }
        do throws(PostgresFailure) {
            try finish()
        } catch  where error.state == .queryCancelled {
            // The answer that was asked for.
        }
    }
}

// MARK: - COPY … TO STDOUT

extension PostgresConnection {
    /// Starts a COPY out of the server; its rows are read by ``nextCopyRow()``.
    ///
    /// - Returns: the format of each column that the server sends.
    @discardableResult
    public func startCopyOut(_ sql: String) throws(PostgresFailure) -> [PostgresFormat] {
        try start(sql, PGRES_COPY_OUT)
    }

    /// Waits for the next row of a COPY: a line, or a row of the binary format, whose first also
    /// has the header and whose last is the trailer.
    ///
    /// - Returns: the row, valid until the next call; `nil` after the last one.
    public func nextCopyRow() throws(PostgresFailure) -> UnsafeRawBufferPointer? {
        var bytes: UnsafeMutablePointer<CChar>?
        let count = PQgetCopyData(handle.pointer, &bytes, 0)
        message.replace(by: bytes)
        if count > 0 { return UnsafeRawBufferPointer(start: bytes, count: Int(count)) }
        guard count == -1 else { throw handle.failure() }
        try finish()
        return nil
    }

    /// Ends a COPY out of the server before its last row.
    public func abandonCopyOut() throws(PostgresFailure) {
        try makeCanceller().cancel()
        do throws(PostgresFailure) {
            while try nextCopyRow() != nil {}
        } catch  where error.state == .queryCancelled {
            // The answer that was asked for.
        }
    }
}

extension PostgresConnection {
    /// Runs a statement that must start a COPY.
    internal func start(
        _ sql: String,
        _ expected: ExecStatusType
    ) throws(PostgresFailure) -> [PostgresFormat] {
        try sent(PQsendQuery(handle.pointer, sql))
        let result = try finish()
        guard result.handle.status == expected else {
            throw .client("The statement started no COPY in that direction.")
        }
        return result.columns.map(\.format)
    }
}
