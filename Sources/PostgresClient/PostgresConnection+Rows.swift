internal import CPostgres

/// What became of rows that were sent one by one.
public struct PostgresRowAnswers: ~Copyable {
    /// What each statement gave, in order; of a failure those before it.
    public let results: [PostgresResult]
    /// The first failure; what was sent behind it has no effect.
    public let failure: PostgresFailure?
}

// MARK: - Rows without waiting

extension PostgresConnection {
    /// Begins to send rows, each as the parameters of a prepared statement.
    ///
    /// Nothing else may be asked of the connection before ``endRows(_:)``.
    public func beginRows() throws(PostgresFailure) {
        try sent(PQenterPipelineMode(handle.pointer))
    }

    /// Sends a statement to be prepared; its answer counts among those of the rows.
    public func sendStatement(
        _ sql: String,
        name: String,
        types: [UInt32]
    ) throws(PostgresFailure) {
        try sent(PQsendPrepare(handle.pointer, name, sql, Int32(types.count), types))
    }

    /// Sends the row that `data` begins with, in COPY's binary form, to a prepared statement.
    ///
    /// - Returns: the bytes of the row.
    /// - Throws: what the connection said.
    public func sendRow(
        _ data: UnsafeRawBufferPointer,
        to name: String
    ) throws(PostgresFailure) -> Int {
        guard let row = BinaryRow(data) else { throw .client("A row has no binary form.") }
        let code = row.withArguments { values, lengths, formats in
            PQsendQueryPrepared(
                handle.pointer,
                name,
                Int32(lengths.count),
                values,
                lengths,
                formats,
                PostgresFormat.text.rawValue
            )
        }
        try sent(code)
        return row.count
    }

    /// Waits for the answers to `count` statements that were sent since ``beginRows()``.
    public func endRows(_ count: Int) throws(PostgresFailure) -> PostgresRowAnswers {
        try sent(PQpipelineSync(handle.pointer))
        var results: [PostgresResult] = []
        var failure: PostgresFailure?
        for _ in 0..<count {
            while let result = nextResult() {
                if result.handle.isError, failure == nil { failure = result.handle.failure() }
                if failure == nil { results.append(result) }
            }
        }
        guard let sync = nextResult(), sync.handle.status == PGRES_PIPELINE_SYNC,
            PQexitPipelineMode(handle.pointer) == 1
        else { throw failure ?? handle.failure() }
        return PostgresRowAnswers(results: results, failure: failure)
    }
}

/// The fields of a row in COPY's binary form, as C wants parameters.
private struct BinaryRow {
    private var values: [UnsafePointer<CChar>?] = []
    private var lengths: [Int32] = []
    let count: Int

    /// Reads the row that bytes begin with; `nil` when it is not whole.
    init?(_ data: UnsafeRawBufferPointer) {
        guard data.count >= 2, let base = data.baseAddress else { return nil }
        let fields = Int(Int16(bigEndian: data.loadUnaligned(as: Int16.self)))
        var place = 2
        for _ in 0..<max(fields, 0) {
            guard data.count - place >= 4 else { return nil }
            let length = Int32(bigEndian: data.loadUnaligned(fromByteOffset: place, as: Int32.self))
            place += 4
            guard length >= 0 else {
                values.append(nil)
                lengths.append(0)
                continue
            }
            guard data.count - place >= Int(length) else { return nil }
            values.append((base + place).assumingMemoryBound(to: CChar.self))
            lengths.append(length)
            place += Int(length)
        }
        count = place
    }

    func withArguments<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, [Int32], [Int32]) -> Result
    ) -> Result {
        let formats = [Int32](repeating: PostgresFormat.binary.rawValue, count: values.count)
        return values.withUnsafeBufferPointer { body($0.baseAddress, lengths, formats) }
    }
}
