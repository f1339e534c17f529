internal import ConnectorSDK
internal import PostgresClient
internal import TableMapping

/// Rows that are sent as statements of their own, without waiting for each one's answer.
///
/// For the few rows of a captured transaction that go to one table before the next: a temporary
/// table and a COPY for each would cost more than the rows do.
internal struct RowQueue {
    /// Runs of more rows than this are written otherwise.
    internal static let rowLimit = 16
    /// So many answers may be due; more could fill the socket while nobody reads them.
    private static let answerLimit = 256
    /// So many statements stay prepared. (D7)
    private static let statementLimit = 256

    /// What the server said.
    internal struct Outcome {
        /// The first refusal, and the table that it is about.
        internal var failure: (PostgresFailure, TableName)?
        /// A table in which a record to be updated has no row.
        internal var missing: TableName?
    }

    private struct Answer {
        var table: TableName
        var countsMissing: Bool
    }

    private let connection: PostgresConnection
    private var due: [Answer] = []
    /// Statements by the shape of their rows, which are kept so that no other takes their place.
    private var prepared: [ObjectIdentifier: (shape: RunShape, name: String)] = [:]
    /// Prepared since the last answer.
    private var unconfirmed: [ObjectIdentifier] = []
    private var serial = 0

    internal init(_ connection: PostgresConnection) { self.connection = connection }

    /// Whether the server must be waited for before more rows are sent.
    internal var isFull: Bool { due.count >= Self.answerLimit }

    /// Whether a run is short enough.
    internal static func takes(_ piece: BatchWriter.Piece) -> Bool {
        piece.rows <= rowLimit && piece.form == .binary
    }

    /// Sends the rows of a run.
    internal mutating func send(
        _ piece: BatchWriter.Piece,
        _ data: UnsafeRawBufferPointer
    ) throws(PostgresFailure) {
        if due.isEmpty { try connection.beginRows() }
        let name = try statement(for: piece.shape)
        var rest = data
        for _ in 0..<piece.rows {
            let count = try connection.sendRow(rest, to: name)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            due.append(
                Answer(table: piece.shape.table.name, countsMissing: piece.shape.kind == .update)
            )
        }
    }

    private mutating func statement(for shape: RunShape) throws(PostgresFailure) -> String {
        let id = ObjectIdentifier(shape)
        if let known = prepared[id] { return known.name }
        serial += 1
        let name = "millrace_\(serial)"
        let statement = shape.rowStatement
        try connection.sendStatement(statement.sql, name: name, types: statement.types)
        due.append(Answer(table: shape.table.name, countsMissing: false))
        prepared[id] = (shape, name)
        unconfirmed.append(id)
        return name
    }

    /// Waits for all answers.
    internal mutating func finish() throws(PostgresFailure) -> Outcome {
        let answers = try connection.endRows(due.count)
        var outcome = Outcome()
        if let failure = answers.failure {
            outcome.failure = (failure, due[min(answers.results.count, due.count - 1)].table)
            for id in unconfirmed { prepared[id] = nil }
        }
        for (answer, result) in zip(due, answers.results)
        where answer.countsMissing && result.int(0, 0) ?? 0 > 0 {
            outcome.missing = answer.table
        }
        unconfirmed.removeAll()
        due.removeAll(keepingCapacity: true)
        return outcome
    }

    /// The statement that lets go of prepared ones when there are too many; they are forgotten.
    internal mutating func takeSurplus() -> String? {
        guard prepared.count > Self.statementLimit else { return nil }
        defer { prepared.removeAll() }
        return prepared.values.map { "DEALLOCATE \($0.name)" }.joined(separator: "; ")
    }
}
