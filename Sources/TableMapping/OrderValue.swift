public import ConnectorSDK
internal import JSONDocuments

/// A value that rows are ordered by, exactly as the database gave it.
public enum OrderValue: Sendable {
    /// A whole number.
    case integer(Int64)
    /// A floating-point number.
    case real(Double)
    /// A text, in bytes that nobody promises to be UTF-8.
    case text(Bytes)
    /// Bytes.
    case blob(Bytes)

    /// Bytes at an address that stays the same while the value lives.
    ///
    /// SAFETY: the chunk is filled before it is handed over and never written to after that.
    public struct Bytes: @unchecked Sendable {
        // SAFETY: see the type.
        private let chunk: Chunk

        /// Copies bytes.
        public init(_ bytes: some Collection<UInt8>) { chunk = Chunk(copying: bytes) }

        /// The bytes.
        public var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(chunk.bytes) }
    }

    /// Makes a text.
    public static func text(_ text: some StringProtocol) -> Self { .text(Bytes(text.utf8)) }

    /// Copies the value of a cell; `nil` for null and for what rows are not ordered by.
    public init?(_ cell: Cell) {
        switch cell.tag {
        case .int: self = .integer(cell.int64)
        case .double: self = .real(Double(bitPattern: cell.bits))
        case .string, .number: self = .text(Bytes(cell.slice))
        case .bytes: self = .blob(Bytes(cell.slice))
        default: return nil
        }
    }

    /// Whether a cell holds the same value.
    public func isValue(of cell: Cell) -> Bool {
        switch self {
        case .integer(let value): cell.tag == .int && cell.int64 == value
        case .real(let value): cell.tag == .double && Double(bitPattern: cell.bits) == value
        case .text(let bytes):
            (cell.tag == .string || cell.tag == .number) && cell.slice.elementsEqual(bytes.raw)
        case .blob(let bytes): cell.tag == .bytes && cell.slice.elementsEqual(bytes.raw)
        }
    }
}

// MARK: - As JSON

extension OrderValue {
    /// The value as JSON: integers and texts as such, what JSON has no form for as an object.
    internal var document: JSONDocument {
        switch self {
        case .integer(let value): return .int(value)
        case .real(let value): return ["real": .string("\(value)")]
        case .blob(let bytes): return ["blob": .string(Self.hexadecimal(bytes.raw))]
        case .text(let bytes):
            guard let text = String(validating: bytes.raw, as: UTF8.self), !text.utf8.contains(0)
            else { return ["text": .string(Self.hexadecimal(bytes.raw))] }
            return .string(text)
        }
    }

    internal init?(_ document: JSONDocument) {
        switch document {
        case .int(let number): self = .integer(number)
        case .string(let text): self = .text(text)
        case .object(let fields):
            guard fields.count == 1, case .string(let text) = fields[0].1 else { return nil }
            self.init(form: fields[0].0, text)
        default: return nil
        }
    }

    private init?(form: String, _ text: String) {
        switch form {
        case "real":
            guard let value = Double(text) else { return nil }
            self = .real(value)
        case "text", "blob":
            guard let bytes = Self.bytes(text) else { return nil }
            self = form == "text" ? .text(Bytes(bytes)) : .blob(Bytes(bytes))
        default: return nil
        }
    }

    private static func hexadecimal(_ bytes: UnsafeRawBufferPointer) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
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
