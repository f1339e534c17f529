import ConnectorSDK
import Testing

@Suite("Configuration")
struct ConfigurationTests {
    enum Mode: String, CaseIterable { case bulk, query }

    static let path = ConfigKey.required("path", help: "The file.")
    static let rows = ConfigKey.int("batch.max.rows", default: 100, in: 1...1_000, help: "Rows.")
    static let mode = ConfigKey<Mode>.choice("mode", default: .bulk, help: "How.")
    static let poll = ConfigKey.duration("poll.interval.ms", default: .seconds(5), help: "Pause.")
    static let size = ConfigKey.size(
        "rotate.size",
        default: 1 << 20,
        in: 1...Int.max,
        help: "Size."
    )
    static let topics = ConfigKey.list("topics", help: "Topics.")
    static let types = ConfigMapKey("types", help: "Types.")
    static let spec = ConfigSpec().with(path).with(rows).with(mode).with(poll).with(size)
        .with(topics).with(types)

    @Test("finds what is wrong and suggests what was meant")
    func validation() {
        let issues = Self.spec.validate([
            "batch.max.row": "5", "mode": "bulky", "poll.interval.ms": "5 parsecs",
            "types.amount": "decimal",
        ])
        let found = issues.map { "\($0.key) \($0.message) \($0.suggestion ?? "-")" }
        #expect(
            found == [
                "batch.max.row is not a known key batch.max.rows",
                "mode must be one of bulk, query -",
                "poll.interval.ms must be a duration such as 500ms, 10s or 7d, 0ms or more -",
                "path is required -",
            ]
        )
    }

    @Test("reads values by their type and falls back to defaults")
    func values() throws {
        let configuration = Configuration(
            [
                "path": "a.csv", "mode": "QUERY", "rotate.size": "64MiB", "topics": "a, b ,,c",
                "types.amount": "decimal", "types": "id:int",
            ],
            baseDirectory: "/base"
        )
        #expect(try configuration.get(Self.path) == "a.csv")
        #expect(try configuration.get(Self.rows) == 100)
        #expect(try configuration.get(Self.mode) == .query)
        #expect(try configuration.get(Self.poll) == .seconds(5))
        #expect(try configuration.get(Self.size) == 64 << 20)
        #expect(try configuration.get(Self.topics) == ["a", "b", "c"])
        #expect(configuration.get(Self.types) == ["amount": "decimal", "id": "int"])
        #expect(configuration.path("x") == "/base/x")
        #expect(configuration.path("/x") == "/x")
    }

    // D8: the value may be a secret, so the error must not repeat it.
    @Test("an error names the key and never the value")
    func errors() {
        let configuration = Configuration(["batch.max.rows": "hunter2"])
        let error = #expect(throws: ConnectorError.self) { try configuration.get(Self.rows) }
        #expect(error?.configurationKey == "batch.max.rows")
        #expect(error?.kind == .configuration)
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test(
        "reads durations as people write them",
        arguments: [
            ("500ms", Duration.milliseconds(500)), ("10s", .seconds(10)), ("7d", .seconds(604_800)),
            ("2h", .seconds(7_200)), ("90", .milliseconds(90)), ("0", .zero),
        ]
    )
    func durations(_ text: String, _ duration: Duration) {
        #expect(Units.duration(text) == duration)
    }

    @Test("refuses what is no duration or size", arguments: ["", "s", "1.5h", "9999999999999999d"])
    func notDurations(_ text: String) {
        #expect(Units.duration(text) == nil)
        #expect(Units.bytes(text) == nil)
    }

    @Test(
        "reads sizes as people write them",
        arguments: [
            ("64MiB", 64 << 20), ("10kB", 10_000), ("1", 1), ("1 GiB", 1 << 30), ("2k", 2_048),
        ]
    )
    func sizes(_ text: String, _ bytes: Int) {
        #expect(Units.bytes(text) == bytes)
    }

    @Test(
        "suggests only what is near",
        arguments: [
            ("topcis", "topics"), ("Topics", "topics"), ("pth", "path"), ("colour", nil),
        ]
    )
    func spelling(_ word: String, _ nearest: String?) {
        #expect(Spelling.nearest(to: word, in: ["topics", "path", "mode"]) == nearest)
    }
}
