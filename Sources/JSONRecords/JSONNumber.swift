public import ConnectorSDK

/// Decides what a number in JSON text becomes.
public enum JSONNumber {
    /// The cell of a number that follows JSON's grammar: an integer that fits 64 bits, a decimal
    /// without exponent of at most 18 digits with its trailing zeros, or else the text itself.
    ///
    /// `-0` and `-0.0` stay text: neither integers nor decimals have a negative zero.
    internal static func cell(
        _ start: UnsafePointer<UInt8>,
        to end: UnsafePointer<UInt8>
    ) -> Cell {
        let text = Cell.slice(.number, UnsafeRawBufferPointer(start: start, count: end - start))
        let isNegative = start[0] == UInt8(ascii: "-")
        var digits = 0
        var scale: Int?
        var value: Int64 = 0
        for at in (isNegative ? 1 : 0)..<(end - start) {
            if start[at] == UInt8(ascii: ".") {
                scale = 0
                continue
            }
            let digit = start[at] &- 0x30
            guard digit <= 9, digits < 19 else { return text }
            let (tens, tooBig) = value.multipliedReportingOverflow(by: 10)
            let signed = isNegative ? -Int64(digit) : Int64(digit)
            let (sum, overflow) = tens.addingReportingOverflow(signed)
            guard !tooBig, !overflow else { return text }
            value = sum
            digits += 1
            if let places = scale { scale = places + 1 }
        }
        if isNegative, value == 0 { return text }
        guard let scale else { return .int(value) }
        return digits <= 18 ? .decimal(value, scale: UInt8(scale)) : text
    }

    /// Reads a whole text as a number in JSON's grammar; `nil` when it is none.
    ///
    /// The text has ``Chunk/padding`` readable bytes behind it.
    public static func cell(_ text: UnsafeRawBufferPointer) -> Cell? {
        guard let start = text.bindMemory(to: UInt8.self).baseAddress else { return nil }
        var scanner = JSONScanner(from: start, to: start + text.count)
        guard scanner.number(), scanner.at == scanner.end else { return nil }
        return cell(start, to: scanner.at)
    }
}
