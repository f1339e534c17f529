internal import ConnectorSDK
internal import PostgresClient

/// The prepared statements that take rows as arrays.
internal struct ArrayStatements {
    private struct Key: Hashable {
        var shape: ObjectIdentifier
        var hasDistinctKeys: Bool
    }

    /// So many stay prepared. (D7)
    private static let limit = 128

    /// By the shape of their rows, which is kept so that no other takes its place.
    private var prepared: [Key: (shape: RunShape, name: String)] = [:]
    private var serial = 0
    private let arrays = ColumnArrays()

    /// Sends rows, and returns while the server works on them.
    internal mutating func start(
        _ piece: BatchWriter.Piece,
        _ data: UnsafeRawBufferPointer,
        on connection: PostgresConnection
    ) throws(PostgresFailure) {
        let name = try statement(for: piece, on: connection)
        try connection.startPrepared(
            name,
            arrays.fill(data, count: piece.rows, types: piece.shape.elementTypes)
        )
    }

    private mutating func statement(
        for piece: BatchWriter.Piece,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> String {
        let key = Key(
            shape: ObjectIdentifier(piece.shape),
            hasDistinctKeys: piece.hasDistinctKeys
        )
        if let known = prepared[key] { return known.name }
        serial += 1
        let name = "millrace_arrays_\(serial)"
        let statement = piece.shape.arrayStatement(hasDistinctKeys: piece.hasDistinctKeys)
        try connection.prepare(name, statement.sql, types: statement.types)
        prepared[key] = (piece.shape, name)
        return name
    }

    /// The statement that lets go of prepared ones when there are too many; they are forgotten.
    internal mutating func takeSurplus() -> String? {
        guard prepared.count > Self.limit else { return nil }
        defer { prepared.removeAll() }
        return prepared.values.map { "DEALLOCATE \($0.name)" }.joined(separator: "; ")
    }
}
