internal import ConnectorSDK

/// JSON values of a column that are no object and no array.
///
/// In a record, JSON's null would be the column's null, which is something else. So it travels as
/// the text "null", and each text that is "null" in quotes, however many, in another pair of them.
internal enum JSONScalar {
    private static let null = Array("null".utf8)
    private static let quotedNull = Array("\"null\"".utf8)

    /// The cell of a value as the server writes it.
    static func cell(_ json: UnsafeRawBufferPointer, _ arena: inout Arena) -> Cell {
        guard json.count >= 4, isAmbiguous(json) else { return .slice(.json, json) }
        if trimmed(json).elementsEqual(null) {
            return .slice(.json, quotedNull.withUnsafeBytes { arena.copy($0) })
        }
        let text = trimmed(json).dropFirst().dropLast()
        var wrapped = Array("\"\\\"".utf8)
        wrapped += text
        wrapped += Array("\\\"\"".utf8)
        return .slice(.json, wrapped.withUnsafeBytes { arena.copy($0) })
    }

    /// The value as the server is to read it, of a cell that ``cell(_:_:)`` has made.
    ///
    /// - Returns: `nil` when the cell's own text is the value.
    static func restored(_ json: UnsafeRawBufferPointer) -> [UInt8]? {
        guard json.first == UInt8(ascii: "\""), isAmbiguous(json) else { return nil }
        let text = Array(json.dropFirst().dropLast())
        if text == null { return text }
        // Without a pair of escaped quotes.
        return [UInt8(ascii: "\"")] + text.dropFirst(2).dropLast(2) + [UInt8(ascii: "\"")]
    }

    /// Whether a value is null, or a string whose text is `null` in any number of quotes.
    private static func isAmbiguous(_ json: UnsafeRawBufferPointer) -> Bool {
        let value = trimmed(json)
        if value.elementsEqual(null) { return true }
        guard value.count >= 6, value.first == UInt8(ascii: "\""),
            value.last == UInt8(ascii: "\"")
        else { return false }
        var text = value.dropFirst().dropLast()
        while text.count > 4, text.starts(with: "\\\"".utf8),
            text.suffix(2).elementsEqual("\\\"".utf8)
        {
            text = text.dropFirst(2).dropLast(2)
        }
        return text.elementsEqual(null)
    }

    private static func trimmed(_ json: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer> {
        var slice = json[...]
        while let first = slice.first, isSpace(first) { slice = slice.dropFirst() }
        while let last = slice.last, isSpace(last) { slice = slice.dropLast() }
        return slice
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}
