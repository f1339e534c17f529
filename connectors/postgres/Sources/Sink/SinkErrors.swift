internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// What the sink says when records cannot be written.
internal enum SinkErrors {
    /// A failure of the server while it wrote to a table.
    internal static func server(_ failure: PostgresFailure, _ table: TableName) -> ConnectorError {
        var error = ConnectorError.postgres(failure, "write to table \(table.text)")
        let isAboutObjects = [.noSuchTable, .noSuchColumn, .noSuchIndex].contains(failure.state)
        if isAboutObjects, let function = failure.context, !function.isEmpty {
            // The statement itself has no context: it is what a trigger or a default runs.
            error.hint =
                "A trigger or function that the table runs needs it. Mend that, or disable it with "
                + "ALTER TABLE \(table.text) DISABLE TRIGGER USER."
        } else if isAboutObjects || failure.state == .invalidBinary {
            // The table changed since it was looked at: look again.
            error.disposition = .retry(after: nil)
            error.code = .init("postgres.table_changed")
        }
        if failure.state == .insufficientPrivilege {
            error.hint =
                "Grant the user INSERT, and for upserts, updates and deletions SELECT, UPDATE and "
                + "DELETE on the table and TEMPORARY on the database."
        }
        return error
    }

    /// A refusal that may be about any of several batches.
    internal static func together(_ cause: ConnectorError) -> ConnectorError {
        ConnectorError(
            .refusedTogether,
            .retry(after: .zero),
            "One of several batches was refused; they are written again, each by itself.",
            underlying: cause
        )
    }

    /// A refusal that the server finds only when the transaction is to end.
    internal static func atCommit(_ cause: ConnectorError) -> ConnectorError {
        ConnectorError(
            cause.code,
            .failTask,
            cause.message,
            hint: "Rows of several records break a constraint together. Rows that need each other "
                + "must be in one transaction: see transaction.topic.",
            underlying: cause.underlying
        )
    }

    /// A table that is not what rows were encoded for.
    internal static let tableChanged = ConnectorError(
        .init("postgres.table_changed"),
        .retry(after: .zero),
        "A table changed while it was written to; the rows are written again."
    )

    /// A value that its column cannot have.
    internal static func refused(
        _ problem: EncodingProblem,
        _ column: TargetTable.Column,
        _ table: TableName
    ) -> ConnectorError {
        let place = "The column \(table.text).\(column.name) of type \(column.type.declaration)"
        switch problem {
        case .mismatch, .needsServer:
            return reject("type_mismatch", "\(place) cannot hold a value of the record's type.")
        case .inexact:
            return reject(
                "inexact",
                "\(place) would change the value.",
                hint: "Give the column a wider type, or set auto.evolve to widen."
            )
        case .outOfRange:
            return reject(
                "out_of_range",
                "\(place) has no room for the value.",
                hint: "Give the column a wider type, or set auto.evolve to widen."
            )
        }
    }

    /// An update that found no row.
    internal static func noRow(_ table: TableName) -> ConnectorError {
        .unmapped(
            "no_row",
            "The table \(table.text) has no row with the record's key.",
            hint: "insert.mode upsert adds rows that do not exist."
        )
    }

    /// Someone else wrote a partition.
    internal static func fenced(_ partition: TopicPartition) -> ConnectorError {
        ConnectorError(
            .init("postgres.fenced"),
            .retry(after: nil),
            "Someone else wrote the partition \(partition) for this connector meanwhile.",
            hint: "Run a connector only once, or give each its own name."
        )
    }

    private static func reject(
        _ reason: String,
        _ message: String,
        hint: String? = nil
    ) -> ConnectorError {
        ConnectorError(.init("postgres." + reason), .rejectRecord, message, hint: hint)
    }
}

extension ColumnType {
    /// The type as a person knows it.
    internal var declaration: String {
        if let nativeType { return String(nativeType.dropFirst(Self.nativePrefix.count)) }
        return ColumnDesign.declaration(of: fieldType) ?? "unknown"
    }
}
