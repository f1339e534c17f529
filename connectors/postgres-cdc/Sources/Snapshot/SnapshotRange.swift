internal import LogicalReplication
internal import PostgresClient

/// A part of a table by its key: what is behind ``from`` and not behind ``to``.
///
/// Keys are texts as the server writes them, one for each column of the key; the server compares
/// them, since only it knows its collations.
internal struct SnapshotRange: Equatable {
    /// Its number in the table's snapshot, from 0.
    internal var number: Int
    /// The last key that does not belong to it; `nil` from the first row.
    internal var from: [String]?
    /// The last key that does; `nil` to the last row.
    internal var to: [String]?
    /// The last key that is in the topic.
    internal var after: [String]?
    /// Whether all of it is.
    internal var isDone = false

    /// The condition for what is still to be read, and the order to read it in; `nil` without a
    /// key.
    internal func clauses(_ key: [String]) -> (condition: String?, order: String)? {
        guard !key.isEmpty else { return nil }
        // With the table's alias: without it an output column of the same name would be meant.
        let columns = key.map { "\(CatalogTable.alias).\(SQLText.identifier($0))" }
            .joined(separator: ", ")
        var conditions: [String] = []
        if let start = after ?? from { conditions.append("(\(columns)) > (\(Self.list(start)))") }
        if let to { conditions.append("(\(columns)) <= (\(Self.list(to)))") }
        return (conditions.isEmpty ? nil : conditions.joined(separator: " AND "), columns)
    }

    private static func list(_ values: [String]) -> String {
        values.map(SQLText.literal).joined(separator: ", ")
    }
}

/// How far the snapshot of a table has come.
internal struct TableProgress: Equatable {
    /// Where it stands.
    internal enum State: String {
        /// It is to be read.
        case waiting
        /// Some of its ranges were begun.
        case reading
        /// All of it is in the topic.
        case done
    }

    internal var state: State
    /// Counts the snapshots of the table: ranges of an earlier one do not count.
    internal var run: Int
    /// An SQL condition that a signal asked for.
    internal var filter: String?
    /// Whether it is published only since a moment when changes were read already: transactions
    /// that were open then may have changed it without a trace, and must be over first.
    internal var isNew = false
    /// For a table without a key: which transactions are in the snapshot, until the stream has
    /// passed ``exclusionEnd``.
    internal var exclusion: TransactionView?
    internal var exclusionEnd: LSN?
    /// The ranges that were begun, by number.
    internal var ranges: [Int: SnapshotRange] = [:]

    internal init(_ state: State, run: Int = 1) {
        self.state = state
        self.run = run
    }

    /// The ranges that are still to be read, in order; the last of them has no end unless all of
    /// the table was divided before.
    ///
    /// A range whose task had sent nothing of it is not known. Its neighbours tell where it is.
    internal var openRanges: [SnapshotRange] {
        var open: [SnapshotRange] = []
        var next = 0
        var end: [String]?
        for range in ranges.values.sorted(by: { $0.number < $1.number }) {
            if range.number > next {
                open.append(SnapshotRange(number: next, from: end, to: range.from))
            }
            if !range.isDone { open.append(range) }
            next = range.number + 1
            end = range.to
        }
        if next == 0 || end != nil { open.append(SnapshotRange(number: next, from: end)) }
        return open
    }
}
