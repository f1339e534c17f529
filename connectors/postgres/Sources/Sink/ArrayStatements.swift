internal import ConnectorSDK
internal import PostgresClient

/// The prepared statements that take rows as arrays.
internal struct ArrayStatements {
    private enum Work: Hashable {
        case merge(hasDistinctKeys: Bool)
        case change, find
    }

    private struct Key: Hashable {
        var shape: ObjectIdentifier
        var work: Work
    }

    private struct Statement {
        /// Kept so that no other takes its place.
        var shape: RunShape
        var name: String
        var rows = 0
        /// How many it takes until it is planned anew.
        var limit = ArrayStatements.firstPlanRows
    }

    /// So many stay prepared. (D7)
    private static let limit = 128
    /// The rows after which a statement is planned anew, and then after eight times as many.
    ///
    /// A plan is kept while a table grows, and may read all of a table that was small once.
    private static let firstPlanRows = 1 << 13

    private var prepared: [Key: Statement] = [:]
    private var serial = 0
    private let arrays = ColumnArrays()
    private var sent: [UnsafeRawBufferPointer] = []

    /// Sends rows to be inserted, changed or deleted as their shape says, and returns while the
    /// server works on them.
    internal mutating func start(
        _ piece: BatchWriter.Piece,
        _ data: UnsafeRawBufferPointer,
        on connection: PostgresConnection
    ) throws(PostgresFailure) {
        sent = fill(piece, data)
        try startAgain(piece, on: connection)
    }

    /// Sends the rows that were sent last once more, as ``start(_:_:on:)`` does.
    internal mutating func startAgain(
        _ piece: BatchWriter.Piece,
        on connection: PostgresConnection
    ) throws(PostgresFailure) {
        let work = Work.merge(hasDistinctKeys: piece.hasDistinctKeys)
        try connection.startPrepared(try statement(work, piece, on: connection), sent)
    }

    /// Sends rows to replace those which exist, and returns while the server works on them; it tells
    /// how many existed.
    internal mutating func startChange(
        _ piece: BatchWriter.Piece,
        _ data: UnsafeRawBufferPointer,
        on connection: PostgresConnection
    ) throws(PostgresFailure) {
        sent = fill(piece, data)
        try connection.startPrepared(try statement(.change, piece, on: connection), sent)
    }

    /// Asks how many rows exist.
    internal mutating func find(
        _ piece: BatchWriter.Piece,
        _ data: UnsafeRawBufferPointer,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> Int {
        let keys = fill(piece, data, wanted: piece.shape.keyPlaces)
        try connection.startPrepared(try statement(.find, piece, on: connection), keys)
        return Int(try connection.finishStatement().int(0, 0) ?? 0)
    }

    private func fill(
        _ piece: BatchWriter.Piece,
        _ data: UnsafeRawBufferPointer,
        wanted: [Int]? = nil
    ) -> [UnsafeRawBufferPointer] {
        arrays.fill(data, count: piece.rows, types: piece.shape.elementTypes, wanted: wanted)
    }

    private mutating func statement(
        _ work: Work,
        _ piece: BatchWriter.Piece,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> String {
        let key = Key(shape: ObjectIdentifier(piece.shape), work: work)
        if var known = prepared[key] {
            known.rows += piece.rows
            if known.rows > known.limit {
                known.rows = 0
                known.limit = min(known.limit * 8, Int.max / 16)
                try connection.execute("DEALLOCATE \(known.name)")
                try prepare(known, work, on: connection)
            }
            prepared[key] = known
            return known.name
        }
        serial += 1
        let statement = Statement(shape: piece.shape, name: "millrace_arrays_\(serial)")
        try prepare(statement, work, on: connection)
        prepared[key] = statement
        return statement.name
    }

    private func prepare(
        _ statement: Statement,
        _ work: Work,
        on connection: PostgresConnection
    ) throws(PostgresFailure) {
        let shape = statement.shape
        let (sql, types) =
            switch work {
            case .merge(let hasDistinctKeys): shape.arrayStatement(hasDistinctKeys: hasDistinctKeys)
            case .change: shape.changeStatement
            case .find: shape.findStatement
            }
        try connection.prepare(statement.name, sql, types: types)
    }

    /// The statement that lets go of prepared ones when there are too many; they are forgotten.
    internal mutating func takeSurplus() -> String? {
        guard prepared.count > Self.limit else { return nil }
        defer { prepared.removeAll() }
        return prepared.values.map { "DEALLOCATE \($0.name)" }.joined(separator: "; ")
    }
}
