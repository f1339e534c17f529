/// Walks through valid JSON text, value by value.
///
/// Cells promise that their JSON is valid; text that is not ends the walk early and never leaves
/// its bounds.
struct XMLJSONCursor {
    enum Kind {
        case object
        case array
        case null
        case scalar
    }

    private let text: UnsafeRawBufferPointer
    private var at = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    private var current: UInt8 { at < text.count ? text[at] : 0 }

    private mutating func skipSpace() {
        while at < text.count, text[at] <= 0x20 { at += 1 }
    }

    /// What stands next.
    var kind: Kind {
        mutating get {
            skipSpace()
            switch current {
            case 0x7B: return .object
            case 0x5B: return .array
            case 0x6E: return .null
            default: return .scalar
            }
        }
    }

    /// Goes into the object or array that stands next.
    mutating func enter() {
        skipSpace()
        at += 1
    }

    /// Whether another element follows; leaves the object or array if not.
    mutating func hasElement() -> Bool {
        skipSpace()
        if current == 0x2C {
            at += 1
            skipSpace()
        }
        guard at < text.count else { return false }
        guard current != 0x7D, current != 0x5D else {
            at += 1
            return false
        }
        return true
    }

    /// The name of the object's next member, whose value then stands next.
    mutating func key() -> [UInt8] {
        skipSpace()
        let name = string()
        skipSpace()
        if current == 0x3A { at += 1 }
        return name
    }

    /// The text of the next value, which is a string, a number or a truth value.
    mutating func scalar() -> [UInt8] {
        skipSpace()
        if current == 0x22 { return string() }
        let start = at
        while at < text.count, !isEnd(text[at]) { at += 1 }
        if at == start { at += 1 }
        return Array(text[min(start, text.count)..<min(at, text.count)])
    }

    /// Passes over the next value.
    mutating func skipValue() {
        var depth = 0
        repeat {
            skipSpace()
            guard at < text.count else { return }
            switch text[at] {
            case 0x7B, 0x5B:
                depth += 1
                at += 1
            case 0x7D, 0x5D:
                depth -= 1
                at += 1
            case 0x22: skipString()
            case 0x2C, 0x3A: at += 1
            default: while at < text.count, !isEnd(text[at]) { at += 1 }
            }
        } while depth > 0
    }

    private func isEnd(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == 0x2C || byte == 0x3A || byte == 0x7D || byte == 0x5D
    }

    private mutating func skipString() {
        at += 1
        while at < text.count, text[at] != 0x22 { at += text[at] == 0x5C ? 2 : 1 }
        at = min(at + 1, text.count)
    }

    private mutating func string() -> [UInt8] {
        let start = min(at + 1, text.count)
        skipString()
        let end = max(start, at - 1)
        let body = text[start..<min(end, text.count)]
        return body.contains(0x5C) ? Self.unescaped(body) : Array(body)
    }

    private static func unescaped(_ text: Slice<UnsafeRawBufferPointer>) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == 0x5C, let escape = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch escape {
            case 0x62: result.append(0x08)
            case 0x66: result.append(0x0C)
            case 0x6E: result.append(0x0A)
            case 0x72: result.append(0x0D)
            case 0x74: result.append(0x09)
            case 0x75: result += Array(String(scalar(&rest)).utf8)
            default: result.append(escape)
            }
        }
        return result
    }

    /// The character of `\u`, with the low half of a surrogate pair.
    private static func scalar(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Character {
        var code = hexadecimal(&rest)
        if code >> 10 == 0x36, rest.prefix(2).elementsEqual([0x5C, 0x75]) {
            rest = rest.dropFirst(2)
            code = 0x1_0000 + (code & 0x3FF) << 10 + (hexadecimal(&rest) & 0x3FF)
        }
        return Character(Unicode.Scalar(code) ?? "\u{FFFD}")
    }

    private static func hexadecimal(_ rest: inout Slice<UnsafeRawBufferPointer>) -> UInt32 {
        let digits = String(decoding: rest.prefix(4), as: UTF8.self)
        rest = rest.dropFirst(4)
        return UInt32(digits, radix: 16) ?? 0xFFFD
    }
}
