internal import ConnectorSDK
internal import Expressions

/// Whether two databases mean the same value, each in its own form of it.
///
/// A database without a type keeps its values in another: truth as 0 or 1, a decimal of many
/// digits, a UUID or a time as text, JSON with other spaces. These are equal; 1.0 and 1.00 are,
/// because they are one number. Everything else differs: null from absent it does not.
internal enum CellComparison {
    static func areEqual(_ left: Cell, _ right: Cell) -> Bool {
        if left.isNil || right.isNil { return left.isNil && right.isNil }
        if left.tag == .json || right.tag == .json { return equalJSON(left, right) }
        let left = comparable(left, to: right)
        let right = comparable(right, to: left)
        guard CellOrder.compare(left, right) == 0 else { return false }
        // Bytes and text order alike and are not the same.
        return (left.tag == .bytes) == (right.tag == .bytes)
    }

    /// Less than, equal to or greater than 0, as the key `left` is to `right`.
    static func order(_ left: Cell, _ right: Cell) -> Int {
        let left = comparable(left, to: right)
        return CellOrder.compare(left, comparable(right, to: left))
    }

    /// A value in the form that another has, where its own database has no such type.
    private static func comparable(_ cell: Cell, to other: Cell) -> Cell {
        switch cell.tag {
        case .bool: other.tag == .bool ? cell : .int(Int64(cell.bits))
        case .string where isNumber(other): NumberText.parse(cell.slice) ?? cell
        default: cell
        }
    }

    private static func isNumber(_ cell: Cell) -> Bool {
        switch cell.tag {
        case .int, .double, .decimal, .number: true
        default: false
        }
    }

    private static func equalJSON(_ left: Cell, _ right: Cell) -> Bool {
        guard left.isSlice, right.isSlice else { return CellOrder.compare(left, right) == 0 }
        var left = SignificantBytes(left.slice), right = SignificantBytes(right.slice)
        while true {
            let byte = left.next()
            guard byte == right.next() else { return false }
            if byte == nil { return true }
        }
    }

    /// The bytes of a JSON text without the space between its parts.
    private struct SignificantBytes: IteratorProtocol {
        private let text: UnsafeRawBufferPointer
        private var index = 0
        private var isInString = false
        private var isEscaped = false

        init(_ text: UnsafeRawBufferPointer) { self.text = text }

        mutating func next() -> UInt8? {
            while index < text.count {
                let byte = text[index]
                index += 1
                if isInString {
                    let ends = byte == UInt8(ascii: "\"") && !isEscaped
                    isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
                    isInString = !ends
                    return byte
                }
                isInString = byte == UInt8(ascii: "\"")
                if byte > 0x20 { return byte }
            }
            return nil
        }
    }
}
