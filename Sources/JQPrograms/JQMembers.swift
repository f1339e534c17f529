internal import CJQ
public import ConnectorSDK

/// The members of an object that a program gives, in order.
public struct JQMembers {
    internal let start: UnsafePointer<mr_jq_member>?
    /// How many there are.
    public let count: Int

    /// The name of a member, in UTF-8.
    public func name(_ index: Int) -> UnsafeRawBufferPointer {
        guard let start else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: start[index].name, count: start[index].name_count)
    }

    /// The value of a member: what its JSON text would be read as.
    ///
    /// Slices must not be read beyond their end. A `number` is text that may still fit a cell.
    public func cell(_ index: Int) -> Cell {
        guard let start else { return .missing }
        return unsafeBitCast(start[index].cell, to: Cell.self)
    }
}
