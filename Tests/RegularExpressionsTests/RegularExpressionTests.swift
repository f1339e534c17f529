import RegularExpressions
import Testing

@Suite("Regular expressions")
struct RegularExpressionTests {
    private func ranges(
        _ pattern: String,
        _ text: [UInt8],
        _ extent: RegularExpression.Extent = .anywhere,
        _ options: RegularExpression.Options = [],
        from start: Int = 0
    ) throws -> [Range<Int>?]? {
        let expression = try RegularExpression(pattern, matching: extent, options: options)
        let matcher = PatternMatcher(expression)
        return try text.withUnsafeBytes { bytes in
            guard try matcher.match(bytes, from: start) else { return nil }
            return (0...expression.groupCount).map { matcher.range(of: $0) }
        }
    }

    private func ranges(
        _ pattern: String,
        _ text: String,
        _ extent: RegularExpression.Extent = .anywhere,
        _ options: RegularExpression.Options = [],
        from start: Int = 0
    ) throws -> [Range<Int>?]? {
        try ranges(pattern, Array(text.utf8), extent, options, from: start)
    }

    @Test("groups are ranges of bytes, those that took no part are nil")
    func groups() throws {
        #expect(try ranges("(b)|(c)", "aäc") == [3..<4, nil, 3..<4])
        #expect(try ranges("(b)|(c)", "d") == nil)
        #expect(try ranges("x*", "") == [0..<0])
        #expect(try ranges("a", "a-a", from: 1) == [2..<3])
    }

    @Test("the extent decides where a match may be")
    func extents() throws {
        #expect(try ranges("a|ab", "ab", .whole) == [0..<2])
        #expect(try ranges("a|ab", "abc", .whole) == nil)
        #expect(try ranges("a|b", "ab", .whole) == nil)
        #expect(try ranges("b", "ab", .prefix) == nil)
        #expect(try ranges("a", "ab", .prefix) == [0..<1])
        // Unlike `$`, the whole extent does not pass over a last line feed.
        #expect(try ranges("a", "a\n", .whole) == nil)
    }

    @Test("options are those that their names say")
    func options() throws {
        #expect(try ranges("É", "xé", .anywhere, .caseInsensitive) == [1..<3])
        #expect(try ranges("a.b", "a\nb") == nil)
        #expect(try ranges("a.b", "a\nb", .anywhere, .dotMatchesLineEnds) == [0..<3])
        #expect(try ranges("^b", "a\nb") == nil)
        #expect(try ranges("^b", "a\nb", .anywhere, .multiline) == [2..<3])
    }

    @Test("bytes that are no UTF-8 match nothing, and what is around them matches")
    func invalidBytes() throws {
        let bytes: [UInt8] = [0x61, 0xff, 0x62, 0xc3]
        #expect(try ranges("a.b", bytes) == nil)
        #expect(try ranges("b", bytes) == [2..<3])
        #expect(try ranges("[^z]+", bytes) == [0..<1])
        #expect(try ranges("[^z]*", bytes, .whole) == nil)
        #expect(try ranges("\\0", [0x61, 0, 0x62]) == [1..<2])
    }

    @Test("named groups have numbers")
    func namedGroups() throws {
        let expression = try RegularExpression("(?<b>x)(y)(?<a>z)", matching: .anywhere)
        #expect(expression.namedGroups.map(\.name) == ["b", "a"])
        #expect(expression.namedGroups.map(\.number) == [1, 3])
        #expect(expression.group("a") == 3)
        #expect(expression.group("c") == nil)
        #expect(expression.groupCount == 3)
    }

    @Test(
        "what is no pattern is answered with the place and the reason",
        arguments: [
            ("a(b", 3, "missing closing parenthesis"), ("[", 1, "missing terminating ]"),
            ("(?<n>a)(?<n>b)", 12, "two named subpatterns"), ("\\C", 2, ""),
            ("(?z)", 2, ""), ("a{2,1}", 6, "numbers out of order"),
        ]
    )
    func errors(pattern: String, offset: Int, reason: String) {
        let error = #expect(throws: PatternError.self) {
            try RegularExpression(pattern, matching: .whole)
        }
        #expect(error?.reason.contains(reason) == true && error?.reason.isEmpty == false)
        #expect(error.map { abs($0.offset - offset) <= 1 } == true, "\(error?.offset ?? -1)")
        #expect(RegularExpression.problem(pattern)?.contains("byte") == true)
    }

    // D7: neither patterns nor texts may hold a task up.
    @Test(
        "a pattern that runs away is given up",
        arguments: [
            ("(a+)+$", 40), ("(a|a)*$", 40), ("(a|aa)+$", 64), ("(.*)*x", 4_000),
            ("(a*)*b", 1 << 20), ("(x+x+)+y|a.*?a.*?a.*?a.*?b", 1 << 16),
        ]
    )
    func runaway(pattern: String, length: Int) throws {
        let expression = try RegularExpression(pattern, matching: .anywhere)
        let matcher = PatternMatcher(expression)
        var text = [UInt8](repeating: UInt8(ascii: "a"), count: length)
        text += Array("!cb!".utf8.prefix(pattern.hasSuffix("$") ? 1 : 2))
        // What a required last character rules out at once is no run-away.
        if pattern.hasSuffix("x") || pattern.hasSuffix("b") { text += Array("\nxyb".utf8) }
        let started = ContinuousClock.now
        text.withUnsafeBytes { bytes in
            // Some are seen through; others are given up, and say so.
            do throws(MatchFailure) {
                _ = try matcher.match(bytes)
            } catch {
                #expect(error.description.contains("too many steps"))
            }
        }
        // Without limits most of these take longer than anyone has waited.
        #expect(ContinuousClock.now - started < .seconds(120))
        // The matcher is as good as new.
        #expect(throws: Never.self) {
            _ = try Array("ab".utf8).withUnsafeBytes { try matcher.match($0) }
        }
    }

    @Test("a run-away pattern is reported as such")
    func runawayIsReported() throws {
        let matcher = PatternMatcher(try RegularExpression("^(a+)+$", matching: .anywhere))
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 40) + [0x21]
        #expect(throws: MatchFailure.self) {
            try text.withUnsafeBytes { try matcher.match($0) }
        }
    }

    @Test("a long text is searched to its end")
    func longTexts() throws {
        let text = String(repeating: "é.", count: 400_000) + "needle"
        let expression = try RegularExpression("n(ee)dle", matching: .anywhere)
        var limits = MatchLimits()
        // Few places at a time, so that searches go on between and within characters.
        limits.steps = 100_000_000
        limits.stepsPerByte = 0
        let matcher = PatternMatcher(expression, limits: limits)
        let length = text.utf8.count
        let bytes = Array(text.utf8)
        #expect(try bytes.withUnsafeBytes { try matcher.match($0) })
        #expect(matcher.range(of: 1) == length - 5..<length - 3)
        #expect(try bytes.withUnsafeBytes { try matcher.match($0, from: length - 6) })
        #expect(try !bytes.withUnsafeBytes { try matcher.match($0, from: length - 5) })
    }

    @Test(
        "replacements are read as Java reads them",
        arguments: [
            ("(a)(b)", "ab", "$2$1", "ba"), ("(?<x>a)", "cab", "[${x}]", "c[a]b"),
            ("(a)", "a", "$10", "a0"), ("(a)", "a", #"\$1\\"#, #"$1\"#), ("a", "a", "$0$0", "aa"),
            ("(a)|(b)", "b", "<$1>", "<>"), ("(a)", "a", "${1}0", "a0"), ("a", "b", "c", nil),
            ("(1)(2)(3)(4)(5)(6)(7)(8)(9)(A)(B)", "123456789AB", "$11$1", "B1"),
        ]
    )
    func replacements(pattern: String, text: String, replacement: String, expected: String?) throws
    {
        let expression = try RegularExpression(pattern, matching: .anywhere)
        let replacement = try PatternReplacement(replacement, for: expression)
        let matcher = PatternMatcher(expression)
        #expect(replacement.replacingFirst(in: text, by: matcher) == expected)
    }

    @Test(
        "a replacement that names what is not there is refused",
        arguments: [("$2", 0), ("a$", 1), ("${x}", 0), ("${1", 0), ("$x", 0), (#"a\"#, 1)]
    )
    func badReplacements(text: String, offset: Int) throws {
        let expression = try RegularExpression("(a)", matching: .whole)
        let error = #expect(throws: PatternError.self) {
            try PatternReplacement(text, for: expression)
        }
        #expect(error?.offset == offset)
    }
}
