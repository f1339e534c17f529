/// A pattern for paths, as shells have them.
///
/// `*` is any number of characters and `?` one character, but not `/`; `[a-z]` is one of some
/// characters and `[!a-z]` one of all others; `{a,b}` is either; `**` as a whole part is any number
/// of directories, none included; a backslash takes the next character as it is. A name that
/// begins with a dot is matched only by a part that begins with one.
public struct GlobPattern: Sendable {
    /// What is wrong with a pattern.
    public struct Problem: Error, Sendable, Hashable {
        /// To be read after the key, such as "has a `[` without `]`".
        public var message: String
    }

    /// One part between slashes.
    internal enum Part: Sendable, Hashable {
        /// A name as it is.
        case literal(String)
        /// A name of this shape.
        case shape([Element])
        /// `**`.
        case anyDirectories
    }

    /// A piece of a part.
    internal enum Element: Sendable, Hashable {
        case character(Unicode.Scalar)
        case one
        case many
        case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    }

    /// So many alternatives of `{…}` are more than anyone writes by hand.
    private static let alternativeLimit = 1_024

    /// The pattern as it was written.
    public let text: String
    internal let alternatives: [[Part]]
    internal let isAbsolute: Bool

    /// Reads a pattern.
    public init(_ text: String) throws(Problem) {
        self.text = text
        isAbsolute = text.hasPrefix("/")
        var alternatives: [[Part]] = []
        for alternative in try Self.expand(Array(text.unicodeScalars)) {
            var parts: [Part] = []
            for part in alternative.split(separator: "/") where part != ["."] {
                parts.append(try Self.part(Array(part)))
            }
            alternatives.append(parts)
        }
        self.alternatives = alternatives
    }

    /// Whether the pattern names exactly one path.
    public var isLiteral: Bool {
        alternatives.count == 1
            && alternatives[0].allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// Whether a whole path is matched; a pattern without a slash matches the name alone.
    public func matches(_ path: String) -> Bool {
        let parts = path.split(separator: "/").filter { $0 != "." }.map(String.init)
        guard text.contains("/") else {
            guard let name = parts.last else { return false }
            return alternatives.contains { Self.matches([name][...], $0[...]) }
        }
        return alternatives.contains { Self.matches(parts[...], $0[...]) }
    }

    /// A pattern that matches `text` alone, whatever characters it has.
    public static func escaped(_ text: String) -> String {
        var pattern = ""
        for character in text {
            if "*?[]{}\\".contains(character) { pattern.append("\\") }
            pattern.append(character)
        }
        return pattern
    }

    /// Splits a list at its commas, but not at those within `{…}` or `[…]`.
    public static func split(_ list: String) -> [String] {
        var items: [String] = []
        var item = ""
        var depth = 0
        for character in list {
            switch character {
            case "{", "[": depth += 1
            case "}", "]": depth = max(0, depth - 1)
            case "," where depth == 0:
                items.append(item)
                item = ""
                continue
            default: break
            }
            item.append(character)
        }
        items.append(item)
        return items.map { item in
            let start = item.drop(while: \.isWhitespace)
            return String(String(start.reversed().drop(while: \.isWhitespace)).reversed())
        }.filter { !$0.isEmpty }
    }

    private static func matches(_ names: ArraySlice<String>, _ parts: ArraySlice<Part>) -> Bool {
        // The places in the pattern that are reached with each name: no backtracking over paths.
        var reached: Set<Int> = [parts.startIndex]
        for name in names {
            var next: Set<Int> = []
            for place in closure(reached, parts) where place < parts.endIndex {
                switch parts[place] {
                case .anyDirectories:
                    if !name.hasPrefix(".") { next.insert(place) }
                default:
                    if parts[place].matches(name) { next.insert(place + 1) }
                }
            }
            reached = next
        }
        return closure(reached, parts).contains(parts.endIndex)
    }

    /// The places reached without another name: `**` may stand for no directory at all.
    private static func closure(_ places: Set<Int>, _ parts: ArraySlice<Part>) -> Set<Int> {
        var result = places
        for place in places {
            var place = place
            while place < parts.endIndex, parts[place] == .anyDirectories {
                place += 1
                result.insert(place)
            }
        }
        return result
    }
}

extension GlobPattern {
    /// Writes out the alternatives of the first `{…}`, and so on.
    private static func expand(_ text: [Unicode.Scalar]) throws(Problem) -> [[Unicode.Scalar]] {
        var done: [[Unicode.Scalar]] = []
        var open: [[Unicode.Scalar]] = [text]
        while let text = open.popLast() {
            guard let brace = try firstBrace(text) else {
                done.append(text)
                continue
            }
            for alternative in brace.alternatives.reversed() {
                open.append(
                    text[..<brace.range.lowerBound] + alternative
                        + text[(brace.range.upperBound + 1)...]
                )
            }
            guard open.count + done.count <= alternativeLimit else {
                throw Problem(message: "has more than \(alternativeLimit) alternatives")
            }
        }
        return done
    }

    private static func firstBrace(
        _ text: [Unicode.Scalar]
    ) throws(Problem) -> (range: ClosedRange<Int>, alternatives: [[Unicode.Scalar]])? {
        var start: Int?
        var depth = 0
        var alternatives: [[Unicode.Scalar]] = [[]]
        var index = 0
        while index < text.count {
            let scalar = text[index]
            var taken: [Unicode.Scalar] = [scalar]
            switch scalar {
            case "\\" where index + 1 < text.count:
                index += 1
                taken.append(text[index])
            case "{":
                depth += 1
                if depth == 1 {
                    start = index
                    taken = []
                }
            case "}" where depth > 0:
                depth -= 1
                if depth == 0, let start { return (start...index, alternatives) }
            case "," where depth == 1:
                alternatives.append([])
                taken = []
            default: break
            }
            if depth > 0 { alternatives[alternatives.count - 1] += taken }
            index += 1
        }
        if depth > 0 { throw Problem(message: "has a `{` without `}`") }
        return nil
    }

    private static func part(_ text: [Unicode.Scalar]) throws(Problem) -> Part {
        if text == ["*", "*"] { return .anyDirectories }
        var elements: [Element] = []
        var index = 0
        while index < text.count {
            switch text[index] {
            case "*":
                if elements.last != .many { elements.append(.many) }
            case "?": elements.append(.one)
            case "[":
                let (set, end) = try characterSet(text, from: index + 1)
                elements.append(set)
                index = end
            case "\\" where index + 1 < text.count:
                index += 1
                elements.append(.character(text[index]))
            default: elements.append(.character(text[index]))
            }
            index += 1
        }
        var name = String.UnicodeScalarView()
        for element in elements {
            guard case .character(let scalar) = element else { return .shape(elements) }
            name.append(scalar)
        }
        return .literal(String(name))
    }

    /// Reads what is behind `[`; returns the place of its `]`.
    private static func characterSet(
        _ text: [Unicode.Scalar],
        from start: Int
    ) throws(Problem) -> (Element, Int) {
        var index = start
        var isNegated = false
        if index < text.count, text[index] == "!" || text[index] == "^" {
            isNegated = true
            index += 1
        }
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        let first = index
        while index < text.count {
            // A `]` at the very start is one of the characters.
            if text[index] == "]", index > first {
                return (.set(ranges, isNegated: isNegated), index)
            }
            if index + 2 < text.count, text[index + 1] == "-", text[index + 2] != "]" {
                guard text[index] <= text[index + 2] else {
                    throw Problem(message: "has a range that runs backwards")
                }
                ranges.append(text[index]...text[index + 2])
                index += 3
            } else {
                ranges.append(text[index]...text[index])
                index += 1
            }
        }
        throw Problem(message: "has a `[` without `]`")
    }
}

extension GlobPattern.Part {
    /// Whether a name has this shape.
    internal func matches(_ name: String) -> Bool {
        switch self {
        case .literal(let literal): return literal == name
        case .anyDirectories: return true
        case .shape(let elements):
            if name.hasPrefix("."), elements.first != .character(".") { return false }
            return Self.matches(Array(name.unicodeScalars), elements)
        }
    }

    /// Goes back to the last `*` only, so the time is at most the product of the lengths.
    private static func matches(
        _ name: [Unicode.Scalar],
        _ elements: [GlobPattern.Element]
    ) -> Bool {
        var place = 0, element = 0
        var retry: (place: Int, element: Int)?
        while place < name.count {
            if element < elements.count {
                if elements[element] == .many {
                    retry = (place, element)
                    element += 1
                    continue
                }
                if elements[element].matches(name[place]) {
                    place += 1
                    element += 1
                    continue
                }
            }
            guard let last = retry else { return false }
            place = last.place + 1
            element = last.element + 1
            retry = (place, last.element)
        }
        return elements[element...].allSatisfy { $0 == .many }
    }
}

extension GlobPattern.Element {
    internal func matches(_ scalar: Unicode.Scalar) -> Bool {
        switch self {
        case .character(let wanted): wanted == scalar
        case .one, .many: true
        case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
        }
    }
}
