internal import ConnectorSDK

/// A piece of a condition, and where it begins.
internal struct ConditionToken {
    enum Kind: Hashable {
        case field(String)
        case number(String)
        case string(String)
        case comparison(Comparison)
        case and, or, not
        case `true`, `false`, null
        case open, close
        case end
    }

    var kind: Kind
    /// The first character's number, from 1.
    var position: Int
}

/// How two values are to stand to each other, as the bits of the outcomes that are right.
internal struct Comparison: OptionSet, Hashable {
    let rawValue: UInt8

    static let less = Self(rawValue: 1)
    static let equal = Self(rawValue: 2)
    static let greater = Self(rawValue: 4)

    /// The comparison that holds when the sides are swapped.
    var mirrored: Self {
        var result = intersection(.equal)
        if contains(.less) { result.insert(.greater) }
        if contains(.greater) { result.insert(.less) }
        return result
    }

    /// Whether it holds for an order below, equal to or above 0.
    @inline(__always)
    func holds(_ order: Int) -> Bool {
        rawValue & (order < 0 ? 1 : order == 0 ? 2 : 4) != 0
    }
}

/// Why a text is no condition, and where.
internal struct ConditionSyntaxError: Error {
    var message: String
    /// The character's number, from 1.
    var position: Int

    var description: String { "\(message) at character \(position)" }
}

/// Cuts a condition into tokens.
internal struct ConditionLexer {
    private let text: [Unicode.Scalar]
    private var index = 0

    init(_ text: String) { self.text = Array(text.unicodeScalars) }

    mutating func next() throws(ConditionSyntaxError) -> ConditionToken {
        while let scalar = peek, " \t\r\n".unicodeScalars.contains(scalar) { index += 1 }
        let position = index + 1
        return ConditionToken(kind: try kind(), position: position)
    }

    private var peek: Unicode.Scalar? { index < text.count ? text[index] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        index += 1
        return true
    }

    private mutating func kind() throws(ConditionSyntaxError) -> ConditionToken.Kind {
        guard let first = peek else { return .end }
        switch first {
        case "(", ")":
            index += 1
            return first == "(" ? .open : .close
        case ".": return .field(try field())
        case "\"": return .string(try string())
        case "=", "!", "<", ">": return .comparison(try comparison())
        case "-", "0"..."9": return .number(try number())
        case "a"..."z", "A"..."Z", "_": return try word()
        case "&", "|":
            throw failure("`\(first)` is not an operator here; write `and` or `or`")
        case "'": throw failure("text is written in double quotes")
        default: throw failure("`\(first)` is not expected")
        }
    }

    private func failure(_ message: String) -> ConditionSyntaxError {
        ConditionSyntaxError(message: message, position: index + 1)
    }

    private mutating func comparison() throws(ConditionSyntaxError) -> Comparison {
        if take("<") { return take("=") ? [.less, .equal] : .less }
        if take(">") { return take("=") ? [.greater, .equal] : .greater }
        let start = index
        let isNegated = text[index] == "!"
        index += 1
        guard take("=") else {
            index = start
            throw failure(isNegated ? "write `not` or `!=`" : "equality is written `==`")
        }
        return isNegated ? [.less, .greater] : .equal
    }

    private mutating func word() throws(ConditionSyntaxError) -> ConditionToken.Kind {
        let start = index
        let name = identifier()
        switch name {
        case "and": return .and
        case "or": return .or
        case "not": return .not
        case "true": return .true
        case "false": return .false
        case "null": return .null
        default:
            index = start
            throw failure("`\(name)` is not known; a field begins with a point: `.\(name)`")
        }
    }

    private mutating func identifier() -> String {
        var name = String.UnicodeScalarView()
        while let scalar = peek, Self.isNamePart(scalar) {
            name.append(scalar)
            index += 1
        }
        return String(name)
    }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_": true
        default: scalar.value > 0x7f
        }
    }

    /// `.name`, `."any name"` or `.["any name"]`.
    private mutating func field() throws(ConditionSyntaxError) -> String {
        index += 1
        let name: String
        if take("[") {
            guard peek == "\"" else { throw failure("a field's name in quotes is expected") }
            name = try string()
            guard take("]") else { throw failure("`]` is expected") }
        } else if peek == "\"" {
            name = try string()
        } else {
            if let scalar = peek, "0"..."9" ~= scalar {
                throw failure("a name that begins with a digit is written in quotes: .\"1a\"")
            }
            name = identifier()
            guard !name.isEmpty else { throw failure("a field's name is expected") }
        }
        if peek == "." || peek == "[" {
            throw failure("fields inside of fields cannot be used in conditions")
        }
        return name
    }

    private mutating func number() throws(ConditionSyntaxError) -> String {
        let start = index
        var digits = String.UnicodeScalarView()
        while let scalar = peek {
            let isSign = scalar == "-" || scalar == "+"
            let followsExponent = digits.last == "e" || digits.last == "E"
            guard
                "0"..."9" ~= scalar || scalar == "." || scalar == "e" || scalar == "E"
                    || (isSign && (digits.isEmpty || followsExponent))
            else { break }
            digits.append(scalar)
            index += 1
        }
        var number = String(digits)
        let isNumber = number.withUTF8 { NumberText.parse(UnsafeRawBufferPointer($0)) != nil }
        guard isNumber else {
            index = start
            throw failure("`\(number)` is not a number")
        }
        return number
    }
}

extension ConditionLexer {
    /// A string as JSON writes it.
    private mutating func string() throws(ConditionSyntaxError) -> String {
        let start = index
        index += 1
        var result = String.UnicodeScalarView()
        while let scalar = peek {
            index += 1
            switch scalar {
            case "\"": return String(result)
            case "\\": result.append(try escape())
            default: result.append(scalar)
            }
        }
        index = start
        throw failure("the text that begins here has no closing quote")
    }

    private mutating func escape() throws(ConditionSyntaxError) -> Unicode.Scalar {
        guard let scalar = peek else { throw failure("an escape is expected") }
        index += 1
        switch scalar {
        case "\"", "\\", "/": return scalar
        case "b": return "\u{8}"
        case "f": return "\u{c}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u": return try unicodeEscape()
        default:
            index -= 1
            throw failure("`\\\(scalar)` is not an escape")
        }
    }

    private mutating func unicodeEscape() throws(ConditionSyntaxError) -> Unicode.Scalar {
        let first = try fourDigits()
        var value = first
        if 0xd800...0xdbff ~= first, take("\\"), take("u") {
            let second = try fourDigits()
            if 0xdc00...0xdfff ~= second {
                value = 0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)
            }
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw failure("half a surrogate pair is not a character")
        }
        return scalar
    }

    private mutating func fourDigits() throws(ConditionSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let scalar = peek, let digit = Character(scalar).hexDigitValue else {
                throw failure("four hexadecimal digits are expected")
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }
}
