/// The JSON in which positions and checkpoints are kept: whatever is put in comes out again.
enum StateValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case string(String)
    case array([StateValue])
    case object([String: StateValue])

    var int: Int64? { if case .int(let value) = self { value } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var string: String? { if case .string(let value) = self { value } else { nil } }
    var array: [StateValue]? { if case .array(let value) = self { value } else { nil } }
    subscript(name: String) -> StateValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }
}

extension StateValue: CustomStringConvertible {
    /// JSON text; the members of an object are in the order of their names.
    var description: String {
        var text = ""
        write(to: &text)
        return text
    }

    fileprivate func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .string(let value): Self.quote(value, to: &text)
        case .array(let items):
            text += "["
            for (index, item) in items.enumerated() {
                if index > 0 { text += "," }
                item.write(to: &text)
            }
            text += "]"
        case .object(let members):
            var object = StateObjectText(behind: &text)
            for (name, value) in members.sorted(by: { $0.key < $1.key }) { object.add(name, value) }
            text = object.closed()
        }
    }

    fileprivate static func quote(_ value: String, to text: inout String) {
        text += "\""
        let isPlain = value.utf8.allSatisfy {
            $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isPlain { text += value } else { escape(value, to: &text) }
        text += "\""
    }

    private static func escape(_ value: String, to text: inout String) {
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{0}"..."\u{1f}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}

/// JSON text of an object whose members are in the order in which they are added.
struct StateObjectText {
    private var text: String
    private var isEmpty = true

    /// Begins a text.
    init() {
        text = ""
        // A position is written for every batch: room once for all, not piece by piece.
        text.reserveCapacity(256)
        text += "{"
    }

    /// Goes on behind `text`, which is empty until it gets what `closed` returns.
    init(behind text: inout String) {
        self.text = text
        text = ""
        self.text += "{"
    }

    /// The text with the object's end.
    mutating func closed() -> String {
        text += "}"
        return text
    }

    mutating func add(_ name: String, _ value: String) {
        begin(name)
        StateValue.quote(value, to: &text)
    }

    mutating func add(_ name: String, _ value: Int64) {
        begin(name)
        text += String(value)
    }

    mutating func add(_ name: String, _ value: Bool) {
        begin(name)
        text += value ? "true" : "false"
    }

    mutating func add(_ name: String, _ value: StateValue) {
        begin(name)
        value.write(to: &text)
    }

    private mutating func begin(_ name: String) {
        if !isEmpty { text += "," }
        isEmpty = false
        StateValue.quote(name, to: &text)
        text += ":"
    }
}

extension StateValue {
    /// Reads JSON text; `nil` when it is anything else, or nested deeper than positions ever are.
    init?(parsing text: String) {
        var parser = StateParser(rest: Array(text.utf8)[...])
        guard let value = parser.value(depth: 0) else { return nil }
        parser.skipSpace()
        guard parser.rest.isEmpty else { return nil }
        self = value
    }
}

/// Reads JSON whose numbers are whole.
private struct StateParser {
    // Deep nesting must not exhaust the stack. (D9)
    private static let depthLimit = 16

    var rest: ArraySlice<UInt8>

    mutating func skipSpace() {
        rest = rest.drop { [0x20, 0x09, 0x0a, 0x0d].contains($0) }
    }

    mutating func value(depth: Int) -> StateValue? {
        guard depth < Self.depthLimit else { return nil }
        skipSpace()
        switch rest.first {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return array(depth)
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return take("null") ? .null : nil
        default:
            let digits = rest.prefix { $0 == 0x2d || (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count)
            return Int64(String(decoding: digits, as: UTF8.self)).map { .int($0) }
        }
    }

    private mutating func take(_ word: String) -> Bool {
        guard rest.starts(with: word.utf8) else { return false }
        rest = rest.dropFirst(word.utf8.count)
        return true
    }

    private mutating func object(_ depth: Int) -> StateValue? {
        rest = rest.dropFirst()
        var members: [String: StateValue] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard let name = string() else { return nil }
            skipSpace()
            guard take(":"), let value = value(depth: depth + 1) else { return nil }
            members[name] = value
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { return nil }
        }
    }

    private mutating func array(_ depth: Int) -> StateValue? {
        rest = rest.dropFirst()
        var items: [StateValue] = []
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
