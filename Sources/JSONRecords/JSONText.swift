public import ConnectorSDK

/// Writes single values as JSON text, and checks texts.
public enum JSONText {
    /// What is wrong with a text as one JSON value, with white space around it or not; `nil` when
    /// it is valid.
    ///
    /// The text has ``Chunk/padding`` readable bytes behind it.
    public static func error(in text: UnsafeRawBufferPointer) -> JSONSyntaxError? {
        guard let start = text.bindMemory(to: UInt8.self).baseAddress else {
            return JSONSyntaxError(.unexpectedEnd, at: 0)
        }
        if let offset = UTF8Check.firstInvalid(text) {
            return JSONSyntaxError(.invalidUTF8, at: offset)
        }
        var scanner = JSONScanner(from: start, to: start + text.count)
        scanner.skipSpace()
        guard scanner.value(depth: 0) else { return scanner.error }
        scanner.skipSpace()
        guard scanner.at < scanner.end else { return nil }
        _ = scanner.fail(.trailingCharacters)
        return scanner.error
    }

    /// Writes what a text without its quotes means, whose escapes are those of JSON's strings.
    ///
    /// `target` has room for as many bytes as the text. The result is the number of bytes written,
    /// or `nil` when an escape is none.
    public static func decodeEscapes(
        of text: UnsafeRawBufferPointer,
        to target: UnsafeMutablePointer<UInt8>
    ) -> Int? {
        guard let start = text.bindMemory(to: UInt8.self).baseAddress else { return 0 }
        var scanner = JSONScanner(from: start, to: start + text.count)
        while scanner.at < scanner.end {
            if scanner.at[0] != UInt8(ascii: "\\") {
                scanner.at += 1
            } else if !scanner.escape() {
                return nil
            }
        }
        return EscapedText.decode(start, to: scanner.end, into: target)
    }

    /// Appends a JSON string of valid UTF-8, in quotes.
    ///
    /// Reads nothing behind the text.
    public static func appendString(_ utf8: UnsafeRawBufferPointer, to output: OutputBuffer) {
        var cursor = OutputCursor(output)
        cursor.ensure(2)
        cursor.put(UInt8(ascii: "\""))
        cursor.escaped(utf8.baseAddress ?? UnsafeRawPointer(cursor.next), count: utf8.count)
        cursor.commit()
    }

    /// Appends a JSON string.
    public static func appendString(_ text: String, to output: OutputBuffer) {
        var text = text
        text.withUTF8 { appendString(UnsafeRawBufferPointer($0), to: output) }
    }

    /// Appends a value as ``JSONRecordWriter`` writes it; a missing one as `null`.
    ///
    /// - Returns: `false` when JSON cannot express the value, such as an infinity: `null` is then
    ///   appended, for displays. Who moves records rejects the record instead.
    @discardableResult
    public static func appendCell(_ cell: Cell, to output: OutputBuffer) -> Bool {
        let start = output.count
        var cursor = OutputCursor(output)
        cursor.ensure(OutputCursor.inlineBytes)
        let isExpressible = cursor.cell(cell)
        cursor.commit()
        guard !isExpressible else { return true }
        output.count = start
        output.append("null")
        return false
    }
}
