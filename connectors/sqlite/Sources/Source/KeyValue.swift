internal import ConnectorSDK
internal import Glibc
internal import SQLiteClient

/// A value that rows are ordered by, exactly as SQLite holds it.
internal enum KeyValue {
    case integer(Int64)
    case real(Double)
    /// A text, which SQLite does not promise to be UTF-8.
    case text(Chunk)
    case blob(Chunk)

    /// Copies the value of a cell; `nil` for null.
    internal init?(_ cell: Cell) {
        switch cell.tag {
        case .int: self = .integer(cell.int64)
        case .double: self = .real(Double(bitPattern: cell.bits))
        case .string: self = .text(Chunk(copying: cell.slice))
        case .bytes: self = .blob(Chunk(copying: cell.slice))
        default: return nil
        }
    }

    /// Whether a cell holds the same value.
    internal func isValue(of cell: Cell) -> Bool {
        switch self {
        case .integer(let value): cell.tag == .int && cell.int64 == value
        case .real(let value): cell.tag == .double && Double(bitPattern: cell.bits) == value
        case .text(let bytes): cell.tag == .string && cell.slice.elementsEqual(bytes.bytes)
        case .blob(let bytes): cell.tag == .bytes && cell.slice.elementsEqual(bytes.bytes)
        }
    }

    /// Binds the value, which must live as long as the binding.
    internal func bind(_ parameter: Int, of statement: SQLiteStatement) throws(SQLiteFailure) {
        switch self {
        case .integer(let value): try statement.bind(parameter, value)
        case .real(let value): try statement.bind(parameter, value)
        case .text(let bytes):
            try statement.bindText(parameter, UnsafeRawBufferPointer(bytes.bytes))
        case .blob(let bytes):
            try statement.bindBlob(parameter, UnsafeRawBufferPointer(bytes.bytes))
        }
    }
}

// MARK: - As JSON

extension KeyValue {
    /// The value as JSON: integers and texts as such, what JSON has no form for as an object.
    internal var json: String {
        switch self {
        case .integer(let value): String(value)
        case .real(let value): "{\"real\":\"\(value)\"}"
        case .blob(let bytes): "{\"blob\":\"\(Self.hexadecimal(bytes))\"}"
        case .text(let bytes):
            if let text = String(validating: bytes.bytes, as: UTF8.self), SQLText.isName(text) {
                Self.quote(text)
            } else {
                "{\"text\":\"\(Self.hexadecimal(bytes))\"}"
            }
        }
    }

    /// Reads one of ``json``'s objects.
    internal init?(form: String, _ text: String) {
        switch form {
        case "real":
            guard let value = Double(text) else { return nil }
            self = .real(value)
        case "text", "blob":
            guard let bytes = Self.bytes(text) else { return nil }
            self = form == "text" ? .text(Chunk(copying: bytes)) : .blob(Chunk(copying: bytes))
        default: return nil
        }
    }

    /// A text as a JSON string.
    internal static func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func hexadecimal(_ bytes: Chunk) -> String {
        bytes.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[index...index + 1], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
