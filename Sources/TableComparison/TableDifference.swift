public import ConnectorSDK

/// A key whose rows differ.
public struct TableDifference: Hashable, Sendable {
    /// How they differ.
    public enum Kind: String, Sendable {
        /// Only the source has the row.
        case missing
        /// Only the sink has the row.
        case extra
        /// Both have the row, with different values.
        case different
    }

    /// How they differ.
    public var kind: Kind
    /// The key as the source has it; of an extra row as the sink has it.
    public var key: [Value]
    /// The source's names of the columns whose values differ.
    public var columns: [String]

    /// Makes a difference.
    public init(_ kind: Kind, key: [Value], columns: [String] = []) {
        self.kind = kind
        self.key = key
        self.columns = columns
    }
}

/// What the comparison of two tables found.
public struct TableComparison: Sendable {
    /// The rows that were compared.
    public var sourceRows = 0
    /// The rows that were compared.
    public var sinkRows = 0
    /// How many rows differ, by kind.
    public var counts: [TableDifference.Kind: Int] = [:]
    /// The first of the differences, in the order of the key, up to the comparer's limit.
    public var differences: [TableDifference] = []
    /// Whether there are more than ``differences`` holds.
    public var isCut: Bool { counts.values.reduce(0, +) > differences.count }
    /// Whether every row is equal.
    public var isEqual: Bool { counts.values.allSatisfy { $0 == 0 } }

    /// Makes the comparison of two empty tables.
    public init() {}
}
