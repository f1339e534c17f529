import Testing

@testable import JQPrograms

@Suite("Programs in jq's language")
struct JQProgramTests {
    static let limits = JQProgram.Limits(time: .seconds(60), memory: 1 << 30, values: 1_000)

    /// What a new program gives for an input, and the error it ends with.
    static func results(
        _ text: String,
        _ input: String,
        limits: JQProgram.Limits = limits
    ) throws -> (values: [String], error: JQError?) {
        run(try JQProgram(text, limits: limits), input)
    }

    /// What a program gives for an input, and the error it ends with.
    static func run(_ program: JQProgram, _ input: String) -> (values: [String], error: JQError?) {
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: input.utf8.count,
            alignment: 1
        )
        defer { bytes.deallocate() }
        bytes.copyBytes(from: input.utf8)
        var values: [String] = []
        var failure: JQError?
        program.perform {
            do throws(JQError) {
                _ = try program.run(.json(UnsafeRawBufferPointer(bytes))) { value in
                    values.append(String(decoding: value.text, as: UTF8.self))
                    return true
                }
            } catch {
                failure = error
            }
        }
        return (values, failure)
    }

    @Test("gives none, one or many values, in order")
    func values() throws {
        let items = try Self.results(".a[]", #"{"a":[3,{"b":null},"x"]}"#)
        #expect(items.values == ["3", #"{"b":null}"#, "\"x\""])
        #expect(try Self.results("empty", "1").values.isEmpty)
        #expect(try Self.results("(1,2) * (3,4)", "null").values == ["3", "6", "4", "8"])
        #expect(try Self.results(". # a comment", "[1]").values == ["[1]"])
    }

    @Test("can be used for one input after the other, also after an error")
    func reuse() throws {
        let program = try JQProgram(".a + 1", limits: Self.limits)
        var outcomes: [String] = []
        for _ in 0..<3 {
            for input in [#"{"a":1}"#, #"{"a":"x"}"#] {
                let (values, error) = Self.run(program, input)
                outcomes += values + (error.map { [$0.code.name] } ?? [])
            }
        }
        #expect(outcomes == ["2", "raised", "2", "raised", "2", "raised"])
    }

    @Test(
        "says what is wrong with a text, and in which line",
        arguments: [
            (".a |", "syntax error, unexpected end of the program in line 1"),
            (".a\n| foo(1)", "foo/1 is not defined in line 2"),
            ("include \"a\"; .", "line 1"), ("$x", "$x is not defined in line 1"),
            ("a\u{0}b", "NUL"),
        ]
    )
    func syntax(_ text: String, _ message: String) throws {
        let problem = try #require(JQProgram.problem(with: text))
        #expect(problem.code == .syntax)
        #expect(problem.message.contains(message), "\(problem.message)")
        #expect(!problem.message.contains("jq:"))
    }

    // D8
    @Test(
        "errors tell nothing of the data",
        arguments: [
            (".a + 1", #"{"a":"secret"}"#, "string … and number … cannot be added"),
            (".a | keys", #"{"a":"secret"}"#, "string … has no keys"),
            (".[.a]", #"{"a":["secret"]}"#, "Cannot index object with array"),
            (".a.b", #"{"a":"secret"}"#, "Cannot index string with string \"b\""),
            ("error(.a)", #"{"a":"secret key"}"#, "… key"),
            ("error(\"no amount\")", "{}", "no amount"),
            ("error(.)", #"{"a":"secret"}"#, "…"), (".a | tonumber", #"{"a":"secret"}"#, "…"),
            ("halt", "1", "`halt` has no meaning here"),
            ("input", "1", "there are no further inputs"),
        ]
    )
    func messages(_ text: String, _ input: String, _ message: String) throws {
        let error = try #require(try Self.results(text, input).error)
        #expect(error.code == .raised)
        #expect(!error.message.contains("secret"))
        #expect(error.message == message || message == "…" && error.message.contains("…"))
    }

    // D7
    @Test(
        "programs without end are stopped, and the next input is served",
        arguments: [
            "def f: f; if . then f else 1 end", "if . then [range(1e15)] | length else 1 end",
            "if . then last(repeat(.)) else 1 end",
            "if . then reduce range(1e15) as $i (null; [.]) else 1 end",
        ]
    )
    func runaway(_ text: String) throws {
        let limits = JQProgram.Limits(time: .milliseconds(200), memory: 64 << 20, values: 10)
        let program = try JQProgram(text, limits: limits)
        for (input, expected) in [("true", "limit"), ("false", "1"), ("true", "limit")] {
            let (values, error) = Self.run(program, input)
            let outcome = error?.code.name ?? values.last
            #expect(outcome == expected)
        }
    }

    // D9: each of these would end the process, or hold its thread for ever within one step.
    @Test(
        "no data takes the process with it",
        arguments: [
            ("\"x\" * .", "1e9", "a text of more than 16 MiB"),
            (". * \"x\"", "1e9", "a text of more than 16 MiB"),
            ("todate", "1735689600000000000", "since epoch"),
            ("todateiso8601", "-1e300", "since epoch"),
            ("strftime(\"%Y\")", "1e18", "since epoch"),
            ("strflocaltime(\"%Y\")", "1e18", "since epoch"),
            ("0 | strftime([])", "null", "a format is a string"),
            ("0 | strflocaltime(1)", "null", "a format is a string"),
            (". % -1", "-1e19", "0"), (". % -1.5", "-9223372036854775808", "0"),
            ("7 % .", "-1", "0"), ("indices(\"\")", "\"abc\"", "[]"),
            ("index(\"\"), rindex(\"\")", "\"abc\"", "null"),
            ("tonumber as $i | [1] | del(.[$i])", "\"nan\"", "an index is not a number"),
            ("tonumber as $i | [1] | delpaths([[0], [$i]])", "\"nan\"", "an index is not a number"),
            ("tonumber as $i | [1] | .[$i] |= empty", "\"nan\"", "an index is not a number"),
            (".[0] |= empty", "[1,2]", "[2]"), ("del(.[0], .[2])", "[1,2,3]", "[2]"),
        ]
    )
    func fatal(_ text: String, _ input: String, _ outcome: String) throws {
        let limits = JQProgram.Limits(time: .seconds(20), memory: 128 << 20, values: 10)
        let (values, error) = try Self.results(text, input, limits: limits)
        let said = error?.message ?? values.last ?? ""
        #expect(said.hasSuffix(outcome) || said.contains(outcome) && error != nil, "\(said)")
    }

    // D7: each of these would have libjq ask for gigabytes within one step.
    @Test(
        "no data takes more memory at once than a program may have",
        arguments: [
            (". as $i | [] | .[$i] = 1", "1e9"), (". as $i | [] | .[$i] |= 1", "1e9"),
            (". as $i | [] | .[$i] += 1", "2147483647"), (".a = 4e5 | .b[.a] = 1", "{}"),
            (". as $i | null | setpath([\"a\", $i]; 1)", "4e5"),
            ("reduce range(.) as $i (1; [., .]) | tojson", "40"),
            ("reduce range(.) as $i (1; [., .])", "40"),
            ("{a: (reduce range(.) as $i (1; [., .]))}", "40"),
        ]
    )
    func atOnce(_ text: String, _ input: String) throws {
        let limits = JQProgram.Limits(time: .seconds(60), memory: 8 << 20, values: 10)
        let (_, error) = try Self.results(text, input, limits: limits)
        #expect(error?.code == .limit)
        #expect(error?.message.contains("`memory.max`") == true)
    }

    @Test("an index far out can be caught, and one that is not too far makes an array")
    func farIndex() throws {
        let program = ". as $i | try ([] | .[$i] = 1 | length) catch \"too far\""
        #expect(try Self.results(program, "1e9").values == ["\"too far\""])
        #expect(try Self.results(program, "4e5").values == ["400001"])
    }

    // D6, D9: libjq asserts that these do not happen.
    @Test(
        "what libjq cannot go on with ends a run, and the next input is served",
        arguments: [
            ".[.i:]", ".[.i:.i]", ".[.i:] = [1]", "del(.[.i:])", ".[.i:] |= map(1)",
            "getpath([{start: .i, end: 1}])", "setpath([{start: .i, end: 1}]; [2])",
            "path(.[.i:])", "[.[.i:][]]", "\"abc\" | .[.i:]", "try .[.i:] catch 1",
        ]
    )
    func refused(_ text: String) throws {
        let program = try JQProgram(
            "if .bad then {i: (.bad | tonumber)} as $i | [1, 2] | "
                + text.replacing(".i", with: "$i.i") + " else .good end",
            limits: Self.limits
        )
        for input in [#"{"bad":"nan"}"#, #"{"good":[1]}"#, #"{"bad":"nan"}"#, #"{"good":[1]}"#] {
            let (values, error) = Self.run(program, input)
            if input.contains("bad") {
                #expect(error?.code == .refused, "\(values)")
            } else {
                #expect(values == ["[1]"])
            }
        }
    }

    // D7: what libjq had in hand is lost each time.
    @Test("a program with which libjq could not go on a thousand times is not run any more")
    func exhausted() throws {
        let program = try JQProgram(".[(.[0] | tonumber):]", limits: Self.limits)
        for _ in 0..<1_000 {
            #expect(Self.run(program, #"["nan"]"#).error?.code == .refused)
        }
        #expect(Self.run(program, #"["0"]"#).error?.code == .exhausted)
    }

    // D7: a text that doubles meets the memory limit before libjq cannot count its length.
    @Test("texts that double are stopped at the largest limit that can be set")
    func doubling() throws {
        let limits = JQProgram.Limits(time: .seconds(60), memory: 512 << 20, values: 10)
        let program = try JQProgram(
            "if . then reduce range(40) as $i (\"x\"; . + .) else 1 end",
            limits: limits
        )
        #expect(Self.run(program, "true").error?.code == .limit)
        #expect(Self.run(program, "false").values == ["1"])
    }

    @Test("too many values, huge texts and deep values end a run with a reason")
    func limits() throws {
        let many = try Self.results("range(1e9)", "null")
        #expect(many.values.count == 1_000)
        #expect(many.error?.code == .limit)
        #expect(try Self.results("\"x\" * .", "1e9").error?.message == "a text of more than 16 MiB")
        #expect(try Self.results("\"x\" * . | length", "3").values == ["3"])
        let deep = String(repeating: "[", count: 400) + String(repeating: "]", count: 400)
        #expect(try Self.results(".", deep).error?.code == .input)
    }
}
