public import ConnectorSDK

/// What a sink does with a field that the table has no place for.
public enum EvolutionPolicy: String, CaseIterable, Sendable {
    /// Leaves the field out.
    case ignore
    /// Adds a column.
    case add
    /// Adds a column, and gives a column a wider type where values do not fit.
    case widen
    /// Stops the task.
    case fail
    /// Rejects the record.
    case reject

    /// Whether columns are added.
    public var addsColumns: Bool { self == .add || self == .widen }

    /// What a record comes to whose field has no column, and gets none.
    ///
    /// - Returns: the error to throw, or `nil` when the field is to be left out.
    public func answer(field: String, table: String) -> ConnectorError? {
        switch self {
        case .ignore: nil
        case .fail:
            ConnectorError(
                .init("table.unknown_field"),
                .failTask,
                "The table \(table) has no column for the field \(field).",
                at: "auto.evolve",
                hint: "Add the column, or choose fields with fields.include."
            )
        case .add, .widen, .reject:
            .unmapped(
                "unknown_field",
                "The table \(table) has no column for the field \(field).",
                hint: "Add the column, set auto.evolve, or choose fields with fields.include."
            )
        }
    }
}
