/// A text with references to an expression's groups, as Java's `Matcher.replaceFirst` reads it.
///
/// `$1` and `${name}` stand for what groups matched, a backslash makes the next character literal.
public struct PatternReplacement: Sendable {
    private enum Part {
        case text([UInt8])
        case group(Int)
    }

    private var parts: [Part] = []

    /// Reads a replacement for matches of `expression`.
    public init(_ text: String, for expression: RegularExpression) throws(PatternError) {
        let bytes = Array(text.utf8)
        var literal: [UInt8] = []
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\"):
                guard index + 1 < bytes.count else {
                    throw PatternError(offset: index, reason: "nothing follows the backslash")
                }
                literal.append(bytes[index + 1])
                index += 2
            case UInt8(ascii: "$"):
                if !literal.isEmpty { parts.append(.text(literal)) }
                literal = []
                let (group, end) = try Self.group(bytes, at: index, expression)
                parts.append(.group(group))
                index = end
            default:
                literal.append(bytes[index])
                index += 1
            }
        }
        if !literal.isEmpty { parts.append(.text(literal)) }
    }

    /// Reads what follows a `$`.
    private static func group(
        _ bytes: [UInt8],
        at dollar: Int,
        _ expression: RegularExpression
    ) throws(PatternError) -> (number: Int, end: Int) {
        var index = dollar + 1
        if index < bytes.count, bytes[index] == UInt8(ascii: "{") {
            guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "}")) else {
                throw PatternError(offset: dollar, reason: "`${` without `}`")
            }
            let name = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
            if let number = expression.group(name) { return (number, end + 1) }
            if let number = Int(name), (0...expression.groupCount).contains(number) {
                return (number, end + 1)
            }
            throw PatternError(offset: dollar, reason: "the pattern has no group `\(name)`")
        }
        func digit() -> Int? {
            guard index < bytes.count, bytes[index] &- 0x30 <= 9 else { return nil }
            return Int(bytes[index] - 0x30)
        }
        guard var number = digit() else {
            throw PatternError(
                offset: dollar,
                reason: "a group's number or {name} must follow `$`; write `\\$` for a dollar"
            )
        }
        index += 1
        guard number <= expression.groupCount else {
            throw PatternError(offset: dollar, reason: "the pattern has no group \(number)")
        }
        // More digits belong to the number as long as there is such a group.
        while let next = digit(), number * 10 + next <= expression.groupCount {
            number = number * 10 + next
            index += 1
        }
        return (number, index)
    }

    /// What the replacement is for the last match of `matcher`, which was in `bytes`.
    public func expand(_ matcher: PatternMatcher, in bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var result: [UInt8] = []
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .group(let number):
                guard let range = matcher.range(of: number) else { continue }
                result += UnsafeRawBufferPointer(rebasing: bytes[range])
            }
        }
        return result
    }

    /// Replaces the first match in `text`; `nil` when there is none.
    public func replacingFirst(in text: String, by matcher: PatternMatcher) -> String? {
        var text = text
        return text.withUTF8 { utf8 in
            let bytes = UnsafeRawBufferPointer(utf8)
            guard (try? matcher.match(bytes)) == true, let whole = matcher.range(of: 0) else {
                return nil
            }
            let before = bytes[..<whole.lowerBound], after = bytes[whole.upperBound...]
            return String(decoding: before + expand(matcher, in: bytes) + after, as: UTF8.self)
        }
    }
}
