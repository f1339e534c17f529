/// Walks over the text of an array, such as `{1,NULL,"a \"b\""}` or `{{1,2},{3,4}}`.
public struct PostgresArrayReader {
    /// A piece of the text.
    public enum Token {
        /// An array begins.
        case open
        /// An array ends.
        case close
        /// An element that is null.
        case null
        /// An element; read it with ``PostgresArrayReader/element``.
        case element
    }

    private let text: UnsafeRawBufferPointer
    private let delimiter: UInt8
    private var index: Int
    private var depth = 0
    private var isAfterItem = false
    /// The bytes of the last element, without quotes and escapes; valid until the next token.
    public private(set) var element: [UInt8] = []

    /// Starts before the first token.
    ///
    /// - Parameters:
    ///   - text: the array as the server writes it.
    ///   - delimiter: what stands between elements: a comma, for all types but `box`.
    public init(_ text: UnsafeRawBufferPointer, delimiter: UInt8 = UInt8(ascii: ",")) {
        self.text = text
        self.delimiter = delimiter
        index = 0
    }

    /// Whether the text gives other bounds than 1, as `[0:1]={a,b}` does.
    public static func hasBounds(_ text: UnsafeRawBufferPointer) -> Bool {
        text.first == UInt8(ascii: "[")
    }

    /// The next token; `nil` behind the last one, and for a text that is no array.
    ///
    /// ``isComplete`` tells which.
    public mutating func next() -> Token? {
        if isAfterItem, depth > 0, index < text.count, text[index] == delimiter {
            index += 1
            isAfterItem = false
        }
        guard index < text.count else { return nil }
        switch text[index] {
        case UInt8(ascii: "{"):
            guard !isAfterItem, depth > 0 || index == 0 else { return nil }
            index += 1
            depth += 1
            return .open
        case UInt8(ascii: "}"):
            guard depth > 0 else { return nil }
            index += 1
            depth -= 1
            isAfterItem = true
            return .close
        case UInt8(ascii: "\""):
            guard depth > 0, !isAfterItem, readQuoted() else { return nil }
            isAfterItem = true
            return .element
        default:
            guard depth > 0, !isAfterItem, readPlain() else { return nil }
            isAfterItem = true
            return element.elementsEqual("NULL".utf8) ? .null : .element
        }
    }

    /// Whether the whole text was read as one array.
    public var isComplete: Bool { index == text.count && depth == 0 && index > 0 }

    private mutating func readQuoted() -> Bool {
        element.removeAll(keepingCapacity: true)
        index += 1
        while index < text.count {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte == UInt8(ascii: "\\") {
                guard index < text.count else { return false }
                element.append(text[index])
                index += 1
            } else {
                element.append(byte)
            }
        }
        return false
    }

    private mutating func readPlain() -> Bool {
        element.removeAll(keepingCapacity: true)
        while index < text.count {
            let byte = text[index]
            if byte == delimiter || byte == UInt8(ascii: "}") { break }
            guard byte != UInt8(ascii: "{"), byte != UInt8(ascii: "\"") else { return false }
            if byte == UInt8(ascii: "\\") {
                index += 1
                guard index < text.count else { return false }
            }
            element.append(text[index])
            index += 1
        }
        return !element.isEmpty
    }
}
