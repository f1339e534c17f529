extension JSONDocument {
    /// Reads JSON text whose numbers are whole; `nil` when it is anything else, or nested deeper than
    /// what we write ever is.
    public init?(parsing text: String) { self.init(text, depth: 16, allNumbers: false) }

    /// Reads JSON text that others have written: numbers that are not whole stay as text, as
    /// ``raw(_:)``; `nil` when it is no JSON, or nested very deeply.
    public init?(parsingAny text: String) { self.init(text, depth: 256, allNumbers: true) }

    private init?(_ text: String, depth: Int, allNumbers: Bool) {
        var parser = DocumentParser(
            rest: Array(text.utf8)[...],
            // Deep nesting must not exhaust the stack. (D9)
            depthLimit: depth,
            takesAllNumbers: allNumbers
        )
        guard let value = parser.value(depth: 0) else { return nil }
        parser.skipSpace()
        guard parser.rest.isEmpty else { return nil }
        self = value
    }
}

private struct DocumentParser {
    var rest: ArraySlice<UInt8>
    let depthLimit: Int
    let takesAllNumbers: Bool

    mutating func skipSpace() {
        rest = rest.drop { [0x20, 0x09, 0x0a, 0x0d].contains($0) }
    }

    mutating func value(depth: Int) -> JSONDocument? {
        guard depth < depthLimit else { return nil }
        skipSpace()
        switch rest.first {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return array(depth)
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return take("null") ? .null : nil
        default:
            return number()
        }
    }

    private mutating func number() -> JSONDocument? {
        let digits = rest.prefix { $0 == 0x2d || (0x30...0x39).contains($0) }
        guard takesAllNumbers else {
            rest = rest.dropFirst(digits.count)
            return Int64(String(decoding: digits, as: UTF8.self)).map { .int($0) }
        }
        let all = rest.prefix { "+-.eE".utf8.contains($0) || (0x30...0x39).contains($0) }
        rest = rest.dropFirst(all.count)
        let text = String(decoding: all, as: UTF8.self)
        if all.count == digits.count, let number = Int64(text) { return .int(number) }
        let grammar = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/
        return text.wholeMatch(of: grammar) == nil ? nil : .raw(text)
    }

    private mutating func take(_ word: String) -> Bool {
        guard rest.starts(with: word.utf8) else { return false }
        rest = rest.dropFirst(word.utf8.count)
        return true
    }

    private mutating func object(_ depth: Int) -> JSONDocument? {
        rest = rest.dropFirst()
        var fields: [(String, JSONDocument)] = []
        skipSpace()
        if take("}") { return .object(fields) }
        while true {
            skipSpace()
            guard let name = string() else { return nil }
            skipSpace()
            guard take(":"), let value = value(depth: depth + 1) else { return nil }
            fields.append((name, value))
            skipSpace()
            if take("}") { return .object(fields) }
            guard take(",") else { return nil }
        }
    }

    private mutating func array(_ depth: Int) -> JSONDocument? {
        rest = rest.dropFirst()
        var items: [JSONDocument] = []
        skipSpace()
        if take("]") { return .array(items) }
        while true {
            guard let item = value(depth: depth + 1) else { return nil }
            items.append(item)
            skipSpace()
            if take("]") { return .array(items) }
            guard take(",") else { return nil }
        }
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                bytes += Array(String(scalar).utf8)
            case ..<0x20: return nil
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        switch rest.popFirst() {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "u"):
            guard let unit = hexadecimal() else { return nil }
            guard (0xd800...0xdbff).contains(unit) else { return Unicode.Scalar(unit) }
            guard take("\\u"), let low = hexadecimal(), (0xdc00...0xdfff).contains(low) else {
                return nil
            }
            return Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00))
        default: return nil
        }
    }

    private mutating func hexadecimal() -> UInt32? {
        guard rest.count >= 4 else { return nil }
        defer { rest = rest.dropFirst(4) }
        return UInt32(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16)
    }
}
