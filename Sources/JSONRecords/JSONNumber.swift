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
        PlainNumber(start, count: end - start)?.cell
            ?? .slice(.number, UnsafeRawBufferPointer(start: start, count: end - start))
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
