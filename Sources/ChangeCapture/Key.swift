internal import ConnectorSDK

/// The key of a row, and what is told when it changes.
internal enum Key {
    /// The headers by which Debezium connects the two records of a changed key.
    enum Header: String {
        case newKey = "__debezium.newkey"
        case oldKey = "__debezium.oldkey"
    }

    /// Whether two rows have other keys; what one of them does not know does not differ.
    @inline(__always)
    static func differs(
        _ columns: [Int],
        _ before: UnsafePointer<Cell>,
        _ after: UnsafePointer<Cell>
    ) -> Bool {
        for column in columns where !isSame(before[column], after[column]) { return true }
        return false
    }

    @inline(__always)
    private static func isSame(_ left: Cell, _ right: Cell) -> Bool {
        if left.tag == .missing || right.tag == .missing { return true }
        guard left.tag == right.tag else { return false }
        if left.isSlice {
            return left.length == right.length && left.slice.elementsEqual(right.slice)
        }
        return left.bits == right.bits && left.length == right.length && left.scale == right.scale
    }
}
