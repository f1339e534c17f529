import ConnectorSDK
import Testing

@testable import Expressions
@testable import Transforms

@Suite("Conditions")
struct ConditionTests {
    static let record: KeyValuePairs<String, Value> = [
        "id": .int(42), "amount": .decimal("12.50"), "huge": .decimal("1e400"),
        "long": .decimal("123456789012345678901234567890"), "ratio": .double(0.1),
        "status": .string("paid"), "empty": .string(""), "note": .string("größe \"x\"\n"),
        "ok": .bool(true), "bad": .bool(false), "nothing": .null,
        "list": .json("[1]"), "object": .json("{}"), "odd name": .int(1), "id2": .int(42),
        "day": .date(20_000), "at": .timestamp(1_700_000_000_000_000),
        "big": .int(9_007_199_254_740_993), "bigDouble": .double(9_007_199_254_740_992),
        "negative": .decimal("-0.5"), "blob": .bytes([0x70, 0x61, 0x69, 0x64]),
    ]

    static func holds(_ text: String) throws -> Bool {
        let batch = makeBatch([record])
        let amount = NumberText.parse(batch.arena.copy("12.50"))
        batch[0, 1] = try #require(amount)
        batch[0, 19] = try #require(NumberText.parse(batch.arena.copy("-0.5")))
        let condition = try Condition(text)
        condition.resolve(batch.schema)
        return condition.withEvaluator { $0.holds(batch.row(0)) }
    }

    @Test(
        "these hold",
        arguments: [
            ".amount > 0", ".amount > 12", ".amount == 12.5", ".amount >= 12.50",
            ".amount < 12.500000000000000001", ".amount > 12.499999999999999999",
            ".amount != 13", "0 < .amount", "12.5==.amount", ".amount > -1e400",
            ".negative < 0", ".negative > -0.51", ".negative == -5e-1",
            ".id == 42", ".id == 42.0", ".id == 4.2e1", ".id == 4200e-2", ".id < 42.000000001",
            ".big != 9007199254740992", ".big > 9007199254740992", ".bigDouble < .big",
            ".bigDouble == 9007199254740992", ".bigDouble < 9007199254740993",
            ".ratio == 0.1", ".ratio < 0.11", ".ratio > 0", ".ratio < 1e400",
            ".huge > 1", ".huge == 1e400", ".huge == 10e399", ".huge < 1.1e400", ".huge > .long",
            ".long == 123456789012345678901234567890", ".long > .id",
            ".long < 123456789012345678901234567891", ".long == 1.2345678901234567890123456789e29",
            ".status == \"paid\"", ".status != \"new\"", ".status < \"paidx\"", ".status > \"pa\"",
            ".blob == \"paid\"", ".blob == .status", ".empty == \"\"", ".empty",
            ".note == \"gr\\u00f6\\u00dfe \\\"x\\\"\\n\"", ".note > \"gr\"",
            ".ok", "not .bad", ".ok == true", ".bad == false", ".ok > .bad",
            ".id", ".object", "true", "not false", "not null", "1", "\"\"",
            ".nothing == null", ".absent == null", "not .absent", ".absent == .nothing",
            ".nothing < false", ".bad < .ok", ".ok < 0", ".huge < \"\"", ".status < .list",
            ".list < .object", ".absent < -1e400",
            ".id == .id2", ".\"odd name\" == 1", ".[\"odd name\"] == 1",
            ".day > \"2024-01-01\"", ".day == \"2024-10-04\"", ".day < \"2024-10-05\"",
            ".at == \"2023-11-14T22:13:20Z\"", ".at == \"2023-11-14T23:13:20+01:00\"",
            ".at > \"2023-11-14\"", ".at < .day", ".at < \"no time\"", "\"no time\" > .at",
            ".ok and .id", ".bad or .id", "not (.bad and .ok)", "not .bad and .ok",
            "not not .ok", ".bad and .bad or .ok", ".ok or .bad and .bad",
            "(.bad or .ok) and (.id == 42 or .bad)", "not .id == 41",
            "\t.id>=42\nand .id<=42 ",
        ]
    )
    func hold(condition: String) throws {
        #expect(try Self.holds(condition))
        #expect(try !Self.holds("not (\(condition))"))
    }

    @Test(
        "these do not hold",
        arguments: [
            ".amount < 0", ".amount == 12.51", ".id == \"42\"", ".id > 42", ".absent > 0",
            ".absent == false", ".absent", ".nothing", ".bad", "null", "false", ".ok == 1",
            ".status == \"PAID\"", ".status == \"pai\"", ".status == \"paidx\"", ".id != 42",
            ".ratio == 0.10000001", ".bad and .ok", ".bad or .nothing", "1 == 2", "null != null",
            ".huge == 1e401", ".long == 123456789012345678901234567891", ".id < .id2",
            ".at == \"2023-11-14T22:13:20+01:00\"", ".at == \"no time\"",
        ]
    )
    func doNotHold(condition: String) throws {
        #expect(try !Self.holds(condition))
        #expect(try Self.holds("not (\(condition))"))
    }

    @Test(
        "a syntax error names its place",
        arguments: [
            ("", 1), (".amount >", 10), (".amount > > 1", 11), ("amount > 0", 1), (".", 2),
            (".a = 1", 4), (".a && .b", 4), (".a || .b", 4), ("(.a", 4), (".a)", 3),
            (".a .b", 4), (".a.b == 1", 3), (".a[0]", 3), (".a == 'x'", 7), (".a == \"x", 7),
            (".a == 1.2.3", 7), (".a == 1e", 7), (".a == -", 7), (".a < .b < .c", 9), ("!.a", 1),
            (".a == \"\\q\"", 9), (".a == \"\\u12\"", 12), (".1a", 2), (".größe == x", 11),
            ("(.a > 1) == true", 10), ("not", 4), (".a and", 7), (".[a]", 3), (".a == 01x", 9),
            (".a == \"\\ud800\"", 14), ("# all", 1),
        ]
    )
    func namesPlace(condition: String, position: Int) {
        do {
            _ = try Condition(condition)
            Issue.record("no error")
        } catch {
            #expect(error.position == position, "\(error.description)")
        }
    }

    // D9: bad input never crashes.
    @Test("conditions nested or chained beyond measure are errors")
    func boundsDepth() {
        let nested = String(repeating: "(", count: 100_000)
        #expect(throws: ConditionSyntaxError.self) { try Condition(nested) }
        let negated = String(repeating: "not ", count: 100_000) + ".a"
        #expect(throws: ConditionSyntaxError.self) { try Condition(negated) }
        let chained = ".a" + String(repeating: " or .a", count: 100_000)
        #expect(throws: ConditionSyntaxError.self) { try Condition(chained) }
        let mixed = String(repeating: "not (", count: 40) + ".a" + String(repeating: ")", count: 40)
        #expect(throws: Never.self) { try Condition(mixed) }
    }
}

extension Arena {
    mutating func copy(_ text: String) -> UnsafeRawBufferPointer {
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }
}

@Suite("Filter")
struct FilterTests {
    static func filter(_ condition: String) throws -> Filter {
        try Filter(configuration: Configuration(["condition": condition]))
    }

    @Test("records for which the condition holds are kept, in order")
    func keeps() throws {
        let batch = makeBatch((1...9).map { ["id": .int($0), "odd": .bool($0 % 2 == 1)] })
        try Self.filter(".odd and .id > 2").apply(batch)
        #expect(batch.column("id") == [.int(3), .int(5), .int(7), .int(9)])
        #expect(batch.rejections.isEmpty)
    }

    @Test("fields are found anew when the schema changes")
    func followsSchema() throws {
        let filter = try Self.filter(".a > 0")
        for record: KeyValuePairs<String, Value> in [
            ["a": .int(1), "b": .int(-1)], ["b": .int(-1), "a": .int(1)], ["a": .int(1)],
        ] {
            let batch = makeBatch([record])
            try filter.apply(batch)
            #expect(batch.count == 1)
        }
        let without = makeBatch([["b": .int(1)]])
        try filter.apply(without)
        #expect(without.count == 0)
    }

    @Test("tombstones are kept")
    func keepsTombstones() throws {
        let batch = makeBatch([["a": .int(0)], ["a": .missing]])
        batch.metadata(1).pointee.isTombstone = true
        try Self.filter(".a > 0").apply(batch)
        #expect(batch.count == 1)
        #expect(batch[metadata: 0].isTombstone)
    }

    @Test("records stay what was read, so that JSON is copied")
    func keepsRaw() throws {
        let batch = makeBatch([["a": .int(1)]])
        batch.rawIsJSON = true
        try Self.filter(".a > 0").apply(batch)
        #expect(batch.rawIsJSON)
    }

    // D6: nothing is dropped in silence.
    @Test("opaque records are rejected, not dropped")
    func rejectsOpaque() throws {
        let batch = makeOpaqueBatch(["x", "y"])
        try Self.filter(".a > 0").apply(batch)
        #expect(batch.count == 0)
        #expect(
            batch.rejections.map(\.error.code.rawValue) == [
                "transform.no_fields", "transform.no_fields",
            ]
        )
        #expect(batch.rejections.map(\.value) == [Array("x".utf8), Array("y".utf8)])
    }

    @Test("without a condition all that a predicate chooses is dropped, tombstones too")
    func dropsAll() throws {
        let filter = try Filter(configuration: Configuration(["predicate": "p"]))
        let batch = makeBatch([["a": .int(0)], ["a": .missing]])
        batch.metadata(1).pointee.isTombstone = true
        try filter.apply(batch)
        #expect(batch.count == 0)
        #expect(batch.rejections.isEmpty)
        let opaque = makeOpaqueBatch(["x"])
        try filter.apply(opaque)
        #expect(opaque.count == 0)
    }

    @Test("a wrong condition is found by validation, with its place")
    func validates() {
        let issues = Filter.configuration.validate(["condition": ".a >"])
        #expect(issues.first?.key == "condition")
        #expect(issues.first?.message.contains("at character 5") == true)
        #expect(Filter.configuration.validate(["condition": ".a > 1"]).isEmpty)
        #expect(
            failure { _ = try Filter(configuration: Configuration([:])) }
                == "configuration.invalid condition"
        )
        #expect(failure { _ = try Self.filter(".a =") } == "configuration.invalid condition")
    }
}
