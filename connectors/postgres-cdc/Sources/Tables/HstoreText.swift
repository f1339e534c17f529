internal import ConnectorSDK
internal import JSONRecords

/// Values of the extension type hstore as the server writes them: `"a"=>"1", "b"=>NULL`.
internal enum HstoreText {
    /// The same as a JSON object; `nil` when the text is none.
    internal static func json(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        let output = OutputBuffer(capacity: text.count * 2 + 16)
        output.append(UInt8(ascii: "{"))
        var rest = text[...]
        var isFirst = true
        while !rest.isEmpty {
            if !isFirst {
                guard take(", ", &rest) else { return nil }
                output.append(UInt8(ascii: ","))
            }
            isFirst = false
            guard let key = quoted(&rest), take("=>", &rest) else { return nil }
            append(key, to: output)
            output.append(UInt8(ascii: ":"))
            if take("NULL", &rest) {
                output.append("null")
            } else if let value = quoted(&rest) {
                append(value, to: output)
            } else {
                return nil
            }
        }
        output.append(UInt8(ascii: "}"))
        return Array(output.bytes)
    }

    private static func append(_ text: [UInt8], to output: OutputBuffer) {
        text.withUnsafeBytes { JSONText.appendString($0, to: output) }
    }

    private static func take(
        _ word: StaticString,
        _ rest: inout Slice<UnsafeRawBufferPointer>
    ) -> Bool {
        let count = word.utf8CodeUnitCount
        let bytes = UnsafeBufferPointer(start: word.utf8Start, count: count)
        guard rest.prefix(count).elementsEqual(bytes) else { return false }
        rest = rest.dropFirst(count)
        return true
    }

    private static func quoted(_ rest: inout Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
        guard take("\"", &rest) else { return nil }
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return text
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                text.append(escaped)
            default: text.append(byte)
            }
        }
        return nil
    }
}
