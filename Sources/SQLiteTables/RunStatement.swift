internal import CSQLiteShim
internal import SQLiteClient

/// A statement that writes or deletes rows which have the same fields.
@safe
public final class RunStatement {
    internal let statement: SQLiteStatement
    /// Whether one run of the statement takes all rows; otherwise each row is bound and run.
    internal let isSetBased: Bool
    /// Whether a row that changes nothing is at fault.
    internal let mustChange: Bool
    internal let columnCount: Int
    internal let columns: UnsafeMutablePointer<mr_column>
    /// For messages: the target columns' names.
    public let names: [String]

    internal init(
        _ statement: SQLiteStatement,
        columns: [WritePlan.Column],
        isSetBased: Bool,
        mustChange: Bool = false
    ) {
        self.statement = statement
        self.isSetBased = isSetBased
        self.mustChange = mustChange
        columnCount = columns.count
        names = columns.map(\.name)
        self.columns = .allocate(capacity: max(columns.count, 1))
        for (index, column) in columns.enumerated() {
            (self.columns + index).initialize(to: column.binding)
        }
    }

    deinit { columns.deallocate() }
}
