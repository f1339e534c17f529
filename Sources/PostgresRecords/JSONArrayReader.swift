/// Walks over the arrays of a valid JSON text, without a stack: nested objects are elements.
internal struct JSONArrayReader {
    internal enum Token: Equatable {
        case open, close, null
        /// A number, `true` or `false`.
        case plain(UnsafeRawBufferPointer)
        /// The text of a string.
        case string([UInt8])
        /// An object, as it is written.
        case object(UnsafeRawBufferPointer)

        static func == (left: Token, right: Token) -> Bool {
            switch (left, right) {
            case (.open, .open), (.close, .close), (.null, .null): true
            case (.string(let a), .string(let b)): a == b
            case (.plain(let a), .plain(let b)), (.object(let a), .object(let b)):
                a.elementsEqual(b)
            default: false
            }
        }
    }

    private let json: UnsafeRawBufferPointer
    private var index = 0
    private var depth = 0

    init(_ json: UnsafeRawBufferPointer) { self.json = json }

    /// Whether everything was read.
    var isComplete: Bool {
        depth == 0 && json.dropFirst(index).allSatisfy(Self.isBetween)
    }

    /// The next token; `nil` at the end, and where the text is not what it should be.
    mutating func next() -> Token? {
        while index < json.count, Self.isBetween(json[index]) { index += 1 }
        guard index < json.count else { return nil }
        let start = index
        switch json[index] {
        case UInt8(ascii: "["):
            index += 1
            depth += 1
            return .open
        case UInt8(ascii: "]"):
            guard depth > 0 else { return nil }
            index += 1
            depth -= 1
            return .close
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "{"): return skipObject() ? .object(slice(from: start)) : nil
        case UInt8(ascii: "n"):
            index = min(index + 4, json.count)
            return .null
        default:
            while index < json.count, !Self.isBetween(json[index]), json[index] != 0x5D {
                index += 1
            }
            return .plain(slice(from: start))
        }
    }

    private func slice(from start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: json[start..<index])
    }

    /// White space and commas.
    private static func isBetween(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D || byte == UInt8(ascii: ",")
    }

    private mutating func skipObject() -> Bool {
        var depth = 0
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                index += 1
                while index < json.count, json[index] != UInt8(ascii: "\"") {
                    index += json[index] == UInt8(ascii: "\\") ? 2 : 1
                }
            default: break
            }
            index += 1
            if depth == 0, index <= json.count { return true }
        }
        index = json.count
        return false
    }

    /// Reads a string; `nil` for half a surrogate pair, which no text has.
    private mutating func string() -> [UInt8]? {
        var result: [UInt8] = []
        index += 1
        while index < json.count {
            let byte = json[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return result
            case UInt8(ascii: "\\"):
                guard index < json.count else { return nil }
                let escape = json[index]
                index += 1
                switch escape {
                case UInt8(ascii: "n"): result.append(0x0A)
                case UInt8(ascii: "t"): result.append(0x09)
                case UInt8(ascii: "r"): result.append(0x0D)
                case UInt8(ascii: "b"): result.append(0x08)
                case UInt8(ascii: "f"): result.append(0x0C)
                case UInt8(ascii: "u"):
                    guard let scalar = scalar() else { return nil }
                    result.append(contentsOf: Array(String(Character(scalar)).utf8))
                default: result.append(escape)
                }
            default: result.append(byte)
            }
        }
        return nil
    }

    /// The rest of an escape of the form `\u0041` or `\ud83d\ude00`.
    private mutating func scalar() -> Unicode.Scalar? {
        guard let high = unit() else { return nil }
        guard high & 0xFC00 == 0xD800 else { return Unicode.Scalar(high) }
        guard index + 1 < json.count, json[index] == UInt8(ascii: "\\"),
            json[index + 1] == UInt8(ascii: "u")
        else { return nil }
        index += 2
        guard let low = unit(), low & 0xFC00 == 0xDC00 else { return nil }
        return Unicode.Scalar(0x10000 + (high & 0x3FF) << 10 + (low & 0x3FF))
    }

    private mutating func unit() -> UInt32? {
        guard json.count - index >= 4 else { return nil }
        let digits = String(decoding: json[index..<index + 4], as: UTF8.self)
        index += 4
        return UInt32(digits, radix: 16)
    }
}
