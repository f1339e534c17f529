import ConnectorSDK

/// The characters with a meaning, as bytes.
struct CSVDialect: Sendable {
    /// Stands for a character that a dialect does not have; no byte equals it.
    static let absent: UInt16 = 0x100

    var delimiter: UInt8 = 0x2C
    var quote: UInt16 = 0x22
    var escape: UInt16 = absent
    var comment: UInt16 = absent
    var trims = false

    /// RFC 4180 itself.
    init() {}

    init(_ configuration: Configuration) throws(ConnectorError) {
        delimiter = Self.byte(try configuration.get(CSVKeys.delimiter)) ?? delimiter
        let quoteText = try configuration.get(CSVKeys.quote)
        quote = quoteText == "none" ? Self.absent : Self.byte(quoteText).map(UInt16.init) ?? quote
        let escapeByte = try configuration.get(CSVKeys.escape).flatMap(Self.byte)
        if let escapeByte, UInt16(escapeByte) != quote { escape = UInt16(escapeByte) }
        comment =
            try configuration.get(CSVKeys.comment).flatMap(Self.byte).map(UInt16.init)
            ?? Self.absent
        trims = try configuration.get(CSVKeys.trim)

        let used: [(key: String, byte: UInt16)] = [
            ("quote", quote), ("escape", escape), ("comment", comment),
        ]
        for (index, item) in used.enumerated() where item.byte != Self.absent {
            let others = [UInt16(delimiter)] + used[..<index].map(\.byte)
            if others.contains(item.byte) {
                throw .invalid(item.key, "The character already has another meaning.")
            }
        }
    }

    /// Why `text` does not name a character, or `nil`.
    static func problem(ofCharacter text: String) -> String? {
        byte(text) == nil ? "must be one ASCII character, or `tab`" : nil
    }

    /// The character that `text` names, if it is one that can separate or enclose cells.
    static func byte(_ text: String) -> UInt8? {
        if text == "tab" || text == "\\t" { return 0x09 }
        guard text.utf8.count == 1, let byte = text.utf8.first else { return nil }
        return byte == 0x0A || byte == 0x0D || byte >= 0x80 ? nil : byte
    }

    /// Whether `byte` is dropped around cells when the dialect trims.
    @inline(__always)
    func isBlank(_ byte: UInt8) -> Bool {
        (byte == 0x20 || byte == 0x09) && byte != delimiter
    }

    /// Whether an escape takes the meaning from `byte`.
    func isEscapable(_ byte: UInt8) -> Bool {
        byte == delimiter || byte == 0x0A || byte == 0x0D || UInt16(byte) == quote
            || UInt16(byte) == escape
    }

    /// The text without the blanks at its end.
    func trimmed(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var text = text
        while let last = text.last, isBlank(last) {
            text = UnsafeRawBufferPointer(rebasing: text.dropLast())
        }
        return text
    }
}
