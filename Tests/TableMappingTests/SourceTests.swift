import ConnectorSDK
import TableMapping
import Testing

@Suite("Table sources")
struct SourceTests {
    @Test(
        "settings that cannot work together are refused, with the key at fault",
        arguments: [
            (["mode": "query"], "query"),
            (["query": "SELECT 1"], "topic"),
            (["query": "SELECT 1", "topic": "t", "table.include.list": "a"], "query"),
            (
                ["query": "SELECT 1", "topic": "t", "mode": "incrementing"],
                "incrementing.column.name"
            ),
            (["mode": "timestamp"], "timestamp.column.name"),
            (["table.include.list": "a("], "table.include.list"),
            (["table.exclude.list": "["], "table.exclude.list"),
            (["timestamp.initial": "-2"], "timestamp.initial"),
        ]
    )
    func refused(_ values: [String: String], _ key: String) {
        let error = #expect(throws: ConnectorError.self) {
            try TableSourceSettings(Configuration(values))
        }
        #expect(error?.configurationKey == key)
    }

    @Test("a query is bulk, without the semicolon behind it")
    func query() throws {
        let values = ["mode": "query", "query": "SELECT 1 ; \n;", "topic": "t"]
        let settings = try TableSourceSettings(Configuration(values))
        #expect(settings.mode == .bulk)
        #expect(settings.query == "SELECT 1")
    }

    @Test("names are selected by patterns for whole names")
    func names() throws {
        let values = ["table.include.list": "order_.*,crm", "table.exclude.list": ".*_old"]
        let tables = try TableSourceSettings(Configuration(values)).tables
        #expect(tables.contains("order_1"))
        #expect(tables.contains("crm", isByDefault: false))
        #expect(!tables.contains("crm2"))
        #expect(!tables.contains("order_old"))
        let all = try TableSourceSettings(Configuration([:])).tables
        #expect(all.isEmpty)
        #expect(all.contains("t"))
        #expect(!all.contains("view", isByDefault: false))
    }

    private static let odd = "quote\" slash\\ line\n\u{1}\u{7f} é 🙂"

    @Test("a position survives the way through its text")
    func positions() throws {
        var position = ReadPosition(mode: "incrementing", order: ["id", odd(1)])
        position.after = [
            .integer(.min), .real(-1.5e300), .text(Self.odd), .blob(.init([0, 255])),
            .text(.init([0xff, 0xfe])), .text("nul\0"),
        ]
        let json = position.json
        let read = try #require(ReadPosition(json))
        #expect(read.json == json)
        #expect(read.order == position.order)
        #expect(read.after.count == 6)
        var done = ReadPosition(mode: "bulk", order: [])
        done.isDone = true
        #expect(ReadPosition(done.json)?.isDone == true)
        var counted = ReadPosition(mode: "bulk", order: [])
        counted.rows = 7
        counted.hash = .max
        #expect(ReadPosition(counted.json)?.hash == .max)
        #expect(ReadPosition(counted.json)?.rows == 7)
    }

    private func odd(_ number: Int) -> String { Self.odd + "\(number)" }

    @Test("positions that earlier versions wrote are read")
    func earlierPositions() {
        let text = #"{"mode":"bulk","by":["id"],"after":[12,{"real":"1.5"},"a\u0001b"]}"#
        #expect(ReadPosition(text)?.json == text)
    }

    @Test(
        "a text that is no position is answered with none (D9)",
        arguments: [
            "", "{", "[]", "{}", "null", #"{"mode":1}"#, #"{"mode":"bulk","after":[null]}"#,
            #"{"mode":"bulk","after":[{"real":"x"}]}"#, #"{"mode":"bulk","hash":"xyz"}"#,
            #"{"mode":"bulk","after":[{"blob":"0"}]}"#, #"{"mode":"bulk"} x"#,
            #"{"mode":"bulk","rows":99999999999999999999}"#, #"{"mode":"bulk","by":[1]}"#,
            #"{"mode":"\u12"}"#, #"{"mode":"\ud800"}"#,
            String(repeating: "[", count: 100_000),
        ]
    )
    func noPositions(_ text: String) {
        #expect(ReadPosition(text) == nil)
    }

    @Test("a position is usable in the mode and order it was made in")
    func usable() throws {
        let fresh = ReadPosition(mode: "bulk", order: ["id"])
        var stored = fresh
        stored.after = [.integer(3)]
        #expect(stored.isUsable(for: fresh))
        #expect(!stored.isUsable(for: ReadPosition(mode: "timestamp", order: ["id"])))
        #expect(!stored.isUsable(for: ReadPosition(mode: "bulk", order: ["rowid"])))
        stored.after = [.integer(3), .integer(4)]
        #expect(!stored.isUsable(for: fresh))
        stored.after = []
        stored.isDone = true
        #expect(stored.isUsable(for: ReadPosition(mode: "bulk", order: ["rowid"])))
    }
}
