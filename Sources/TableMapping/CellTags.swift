public import ConnectorSDK

/// A set of tags of cells.
public struct CellTags: OptionSet, Hashable, Sendable {
    /// A bit for each tag.
    public let rawValue: UInt16

    /// Makes a set of bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Makes a set of tags.
    public init(_ tags: Cell.Tag...) {
        rawValue = tags.reduce(0) { $0 | 1 << UInt16($1.rawValue) }
    }

    /// Whether a tag is in the set.
    public func contains(_ tag: Cell.Tag) -> Bool { rawValue & (1 << UInt16(tag.rawValue)) != 0 }
}
