internal import ConnectorSDK
internal import JSONRecords
internal import PostgresClient

/// Arrays as the server writes them, to and from JSON arrays.
///
/// Numbers and truth values become JSON's own; all other elements are strings of the server's text
/// form, which for JSON elements is what tells a nested array from an element that is one. An array
/// whose bounds do not begin with 1 is one string of the whole text.
internal enum ArrayText {
    /// The JSON cell of an array's text.
    static func json(
        _ text: UnsafeRawBufferPointer,
        _ kind: ElementKind,
        delimiter: UInt8,
        _ arena: inout Arena
    ) -> Cell? {
        let output = OutputBuffer(capacity: text.count + 64)
        if PostgresArrayReader.hasBounds(text) {
            JSONText.appendString(text, to: output)
            return .slice(.json, arena.copy(output.bytes))
        }
        var reader = PostgresArrayReader(text, delimiter: delimiter)
        var isFirst = true
        while let token = reader.next() {
            if !isFirst, token != .close { output.append(UInt8(ascii: ",")) }
            isFirst = token == .open
            switch token {
            case .open: output.append(UInt8(ascii: "["))
            case .close: output.append(UInt8(ascii: "]"))
            case .null: output.append("null")
            case .element: reader.element.withUnsafeBytes { append($0, kind, to: output) }
            }
        }
        guard reader.isComplete else { return nil }
        return .slice(.json, arena.copy(output.bytes))
    }

    private static func append(
        _ element: UnsafeRawBufferPointer,
        _ kind: ElementKind,
        to output: OutputBuffer
    ) {
        switch kind {
        case .number where PlainNumber(element) != nil: output.append(element)
        case .number:
            // An exponent, or no number at all.
            if let cell = CellDecoder.number(element), cell.tag != .string {
                output.append(element)
            } else {
                JSONText.appendString(element, to: output)
            }
        case .bool where element.elementsEqual("t".utf8): output.append("true")
        case .bool where element.elementsEqual("f".utf8): output.append("false")
        case .bool, .text: JSONText.appendString(element, to: output)
        }
    }

    /// Appends the text of the array that a JSON value means.
    ///
    /// - Parameters:
    ///   - json: valid JSON.
    ///   - delimiter: what stands between elements in the text.
    ///   - output: gets the text; what was there before stays.
    /// - Returns: `false` when the value is no array of plain elements.
    static func append(
        json: UnsafeRawBufferPointer,
        delimiter: UInt8,
        to output: OutputBuffer
    ) -> Bool {
        var reader = JSONArrayReader(json)
        guard let first = reader.next() else { return false }
        if case .string(let text) = first {
            // An array with bounds of its own; the server reads it.
            text.withUnsafeBytes { output.append($0) }
            return reader.next() == nil && reader.isComplete
        }
        guard first == .open else { return false }
        output.append(UInt8(ascii: "{"))
        var isFirst = true
        while let token = reader.next() {
            if !isFirst, token != .close { output.append(delimiter) }
            isFirst = token == .open
            switch token {
            case .open: output.append(UInt8(ascii: "{"))
            case .close: output.append(UInt8(ascii: "}"))
            case .null: output.append("NULL")
            case .plain(let bytes), .object(let bytes): quote(bytes, to: output)
            case .string(let bytes): bytes.withUnsafeBytes { quote($0, to: output) }
            }
        }
        return reader.isComplete
    }

    /// Appends an element in quotes, in which the server takes everything but `"` and `\` as it is.
    private static func quote(_ bytes: UnsafeRawBufferPointer, to output: OutputBuffer) {
        output.append(UInt8(ascii: "\""))
        for byte in bytes {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                output.append(UInt8(ascii: "\\"))
            }
            output.append(byte)
        }
        output.append(UInt8(ascii: "\""))
    }
}
