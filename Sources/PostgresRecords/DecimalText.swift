internal import ConnectorSDK
internal import JSONRecords

/// Numbers as text: their digits, whatever form they are written in.
internal enum DecimalText {
    /// Calls `body` with the number of a cell as text, valid during the call.
    static func with<Result>(
        _ cell: Cell,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        if cell.tag == .number { return body(cell.slice) }
        let output = OutputBuffer(capacity: 64)
        JSONText.appendCell(cell, to: output)
        return withExtendedLifetime(output) { body(output.bytes) }
    }

    /// How many digits behind the point a number needs; negative where it ends with zeros before it.
    static func scale(_ text: UnsafeRawBufferPointer) -> Int { Parts(text).scale }

    /// Whether two texts are the same number.
    static func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        let a = Parts(left), b = Parts(right)
        if a.digits.isEmpty || b.digits.isEmpty { return a.digits.isEmpty && b.digits.isEmpty }
        return a.isNegative == b.isNegative && a.scale == b.scale && a.digits == b.digits
    }

    /// Digits without zeros around them, and where the point is.
    private struct Parts {
        var isNegative = false
        var digits: [UInt8] = []
        /// The digits are to be divided by ten to this power.
        var scale = 0

        init(_ text: UnsafeRawBufferPointer) {
            var isFraction = false
            var index = 0
            scan: while index < text.count {
                switch text[index] {
                case UInt8(ascii: "-"): isNegative = true
                case UInt8(ascii: "."): isFraction = true
                case UInt8(ascii: "e"), UInt8(ascii: "E"):
                    let exponent = String(decoding: text[(index + 1)...], as: UTF8.self)
                    scale -=
                        Int(exponent.drop { $0 == "+" }).map { min(max($0, -1 << 20), 1 << 20) }
                        ?? 0
                    break scan
                case let byte where NumberText.isDigit(byte):
                    if !digits.isEmpty || byte != 0x30 { digits.append(byte) }
                    if isFraction { scale += 1 }
                default: break
                }
                index += 1
            }
            while digits.last == 0x30 {
                digits.removeLast()
                scale -= 1
            }
            if digits.isEmpty { scale = 0 }
        }
    }
}
