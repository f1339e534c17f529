import Glibc

extension CSVNumber {
    /// The nearest binary number to `-1.5e3`; `nil` when it is none or beyond the largest.
    static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        // Longer texts are no numbers that a person or program writes.
        guard text.count <= 400, isFloatingPoint(text) else { return nil }
        let value = withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) {
            copy in
            for (index, byte) in text.enumerated() {
                copy.initializeElement(at: index, to: CChar(bitPattern: byte))
            }
            copy.initializeElement(at: text.count, to: 0)
            return copy.baseAddress.map { strtod($0, nil) }
        }
        guard let value, value.isFinite else { return nil }
        return value
    }

    private static func isFloatingPoint(_ text: UnsafeRawBufferPointer) -> Bool {
        var rest = text[...]
        func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 <= 9 }
        if rest.first == 0x2D || rest.first == 0x2B { rest = rest.dropFirst() }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        var digits = whole.count
        if rest.first == 0x2E {
            let fraction = rest.dropFirst().prefix(while: isDigit)
            rest = rest.dropFirst(fraction.count + 1)
            digits += fraction.count
        }
        guard digits > 0 else { return false }
        guard let exponent = rest.first else { return true }
        guard exponent | 0x20 == 0x65 else { return false }
        rest = rest.dropFirst()
        if rest.first == 0x2D || rest.first == 0x2B { rest = rest.dropFirst() }
        return !rest.isEmpty && rest.allSatisfy(isDigit)
    }
}
