/// Checks that a cell holds a JSON object or array.
///
/// Remembers open levels itself instead of calling itself, so depth costs no stack.
struct CSVNestedText {
    /// Deeper nesting is refused, as it is by the JSON reader.
    private static let maxDepth = 512

    private let text: UnsafeRawBufferPointer
    private var at = 0
    /// For each level whether it is an object.
    private var isObject: [Bool] = []

    private init(_ text: UnsafeRawBufferPointer) { self.text = text }

    /// Whether `text` is one object or array and nothing else but white space.
    static func isValid(_ text: UnsafeRawBufferPointer) -> Bool {
        var walker = Self(text)
        return walker.walk()
    }

    private mutating func walk() -> Bool {
        skipSpace()
        guard current == 0x7B || current == 0x5B else { return false }
        repeat {
            guard value() else { return false }
            guard closeLevels() else { return false }
        } while !isObject.isEmpty
        return at == text.count
    }

    private var current: UInt8? { at < text.count ? text[at] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || (0x09...0x0D).contains(byte),
            byte != 0x0B, byte != 0x0C
        { at += 1 }
    }

    /// Reads a scalar, or opens levels until there is one or an empty level.
    private mutating func value() -> Bool {
        while true {
            skipSpace()
            guard let byte = current else { return false }
            switch byte {
            case 0x7B, 0x5B:
                guard isObject.count < Self.maxDepth else { return false }
                isObject.append(byte == 0x7B)
                at += 1
                skipSpace()
                if current == (byte == 0x7B ? 0x7D : 0x5D) { return true }
                if byte == 0x7B, !name() { return false }
            case 0x22: return string()
            case 0x74: return word("true")
            case 0x66: return word("false")
            case 0x6E: return word("null")
            default: return number()
            }
        }
    }

    /// Closes as many levels as end here; stands before the next value, or at the end.
    private mutating func closeLevels() -> Bool {
        while let object = isObject.last {
            skipSpace()
            guard let byte = current else { return false }
            at += 1
            if byte == 0x2C { return object ? name() : true }
            guard byte == (object ? 0x7D : 0x5D) else { return false }
            isObject.removeLast()
        }
        skipSpace()
        return true
    }

    private mutating func name() -> Bool {
        skipSpace()
        guard current == 0x22, string() else { return false }
        skipSpace()
        guard current == 0x3A else { return false }
        at += 1
        return true
    }

    private mutating func string() -> Bool {
        at += 1
        while let byte = current {
            at += 1
            if byte == 0x22 { return true }
            if byte < 0x20 { return false }
            guard byte == 0x5C else { continue }
            guard let escape = current else { return false }
            at += 1
            if escape == 0x75 {
                guard hexadecimal() else { return false }
            } else if !"\"\\/bfnrt".utf8.contains(escape) {
                return false
            }
        }
        return false
    }

    private mutating func hexadecimal() -> Bool {
        for _ in 0..<4 {
            guard let byte = current else { return false }
            let isLetter = (0x61...0x66).contains(byte | 0x20)
            guard byte &- 0x30 <= 9 || isLetter else { return false }
            at += 1
        }
        return true
    }

    private mutating func word(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard text.count - at >= count else { return false }
        for index in 0..<count where text[at + index] != word.utf8Start[index] { return false }
        at += count
        return true
    }

    private mutating func number() -> Bool {
        if current == 0x2D { at += 1 }
        let isZero = current == 0x30
        let whole = digits()
        guard whole > 0, !isZero || whole == 1 else { return false }
        if current == 0x2E {
            at += 1
            guard digits() > 0 else { return false }
        }
        guard let byte = current, byte | 0x20 == 0x65 else { return true }
        at += 1
        if current == 0x2B || current == 0x2D { at += 1 }
        return digits() > 0
    }

    private mutating func digits() -> Int {
        let start = at
        while let byte = current, byte &- 0x30 <= 9 { at += 1 }
        return at - start
    }
}
