import ConnectorSDK
import ConnectorTesting
import Glibc
import JSONDocuments
import Logging
import TestServices
import Testing

@testable import SingerConnector

/// What taps may say, said by a script: the shapes of the specification and what goes wrong.
@Suite("Singer source", .timeLimit(.minutes(10)))
struct SingerSourceTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    static let schema = """
        {"type":"SCHEMA","stream":"s","key_properties":["id"],"schema":{"properties":{\
        "id":{"type":"integer"},"at":{"type":["null","string"],"format":"date-time"},\
        "d":{"type":"string","format":"date"},"price":{"type":"number","multipleOf":0.01},\
        "o":{"type":["object","null"]}}}}
        """

    /// Runs a tap that writes these lines.
    func run(
        _ lines: [String],
        _ values: [String: String] = [:],
        from positions: [String: String] = [:],
        exit code: Int = 0,
        _ script: (RecordingOutlet) -> Void = { _ in }
    ) async throws -> RecordingOutlet {
        try directory.write(lines.joined(separator: "\n") + "\n", to: "lines")
        try directory.write(
            "echo \"$@\" > arguments; cp \"$2\" config.json; cp \"$4\" state.json; cat lines; exit \(code)",
            to: "tap.sh"
        )
        let source = try SingerSource(
            configuration: Configuration(
                values.merging(["command": "sh,tap.sh"]) { own, _ in own },
                baseDirectory: directory.path
            ),
            context: ConnectorContext(
                name: "tap",
                stateDirectory: directory.file("state"),
                formats: FormatCatalog([]),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        let outlet = RecordingOutlet(for: source)
        script(outlet)
        try await source.run(from: positions, into: outlet)
        return outlet
    }

    static func record(_ fields: String) -> String {
        "{\"type\":\"RECORD\",\"stream\":\"s\",\"record\":{\(fields)}}"
    }

    @Test("records have the types and keys of their schema, and lose no digit")
    func types() async throws {
        let plain = try await run([
            Self.schema,
            Self.record(
                "\"id\":7,\"at\":\"2026-01-01 10:00:00\",\"d\":\"2026-01-02T00:00:00Z\",\"price\":10.50"
            ),
        ])
        let record = try #require(plain.records.first)
        let fields = Dictionary(uniqueKeysWithValues: record.fields.map { ($0.name, $0.value) })
        #expect(fields["id"] == .int(7))
        #expect(fields["price"] == .decimal("10.50"))
        #expect(record.key?.first?.value == .int(7))
        #expect(plain.sent.first?.topic == "s")
        #expect(fields["at"] == .timestamp(1_767_261_600_000_000))
        #expect(fields["d"] == .date(20_455))
    }

    @Test("records and the state behind them are one commit, and the next run is given it (D3)")
    func state() async throws {
        let lines = [
            Self.schema, Self.record("\"id\":1"), Self.record("\"id\":2"),
            "{\"type\":\"STATE\",\"value\":{\"place\":1.5}}", Self.record("\"id\":3"),
            "{\"type\":\"STATE\",\"value\":{\"place\":2}}",
        ]
        let outlet = try await run(lines)
        let sends = outlet.sent.filter { !$0.records.isEmpty }
        #expect(sends.map(\.records.count) == [2, 1])
        #expect(sends[0].position.offset.contains("\"state\":{\"place\":1.5}"))
        _ = try await run(lines, from: outlet.positions)
        #expect(try directory.read("state.json") == "{\"place\":2}")
        #expect(try directory.read("arguments").contains("--state"))
    }

    @Test("of a run that fails, what came behind its last state is in no topic")
    func failure() async throws {
        let source: () async throws -> Void = {
            _ = try await run(
                [
                    Self.schema, Self.record("\"id\":1"),
                    "{\"type\":\"STATE\",\"value\":{\"place\":1}}", Self.record("\"id\":2"),
                ],
                exit: 3
            ) { outlet in outlet.onSettle = { Issue.record("settled") } }
        }
        let error = await #expect(throws: ConnectorError.self) { try await source() }
        #expect(error?.message == "The tap `sh` ended with exit code 3.")
        #expect(error?.disposition == .retry(after: nil))
    }

    @Test("without a state records pass when there are many, and memory does not grow (D7)")
    func noState() async throws {
        let lines = (1...400).map { Self.record("\"id\":\($0)") }
        let outlet = try await run([Self.schema] + lines, ["state.wait.max.bytes": "4KiB"])
        #expect(outlet.records.count == 400)
        #expect(outlet.sent.count > 3)
    }

    @Test(
        "what is no message is rejected, with its line, and the rest is read (D6)",
        arguments: [
            "print debugging", "{\"type\":\"RECORD\",\"stream\":\"s\",\"record\":{\"id\":2}",
            "{\"stream\":\"s\"}", "[1]", "{\"type\":\"RECORD\",\"stream\":\"x\",\"record\":{}}",
            "{\"type\":\"RECORD\",\"stream\":\"s\"}",
            "{\"type\":\"RECORD\",\"stream\":\"s\",\"record\":{\"at\":\"x\",\"id\":1}}",
            "{\"type\":\"RECORD\",\"stream\":\"s\",\"record\":{\"d\":\"2026-01-01\"}}",
        ]
    )
    func malformed(_ line: String) async throws {
        let outlet = try await run([
            Self.schema, Self.record("\"id\":1"), line, Self.record("\"id\":3"),
        ])
        #expect(outlet.records.count == 2)
        #expect(outlet.rejections.count == 1)
        #expect(outlet.rejections.first?.line == 3)
    }

    @Test("a line that is too long is rejected alone")
    func tooLong() async throws {
        let outlet = try await run(
            [
                Self.schema,
                Self.record("\"id\":1,\"x\":\"\(String(repeating: "x", count: 9_000))\""),
                Self.record("\"id\":2"),
            ],
            ["max.record.bytes": "4KiB"]
        )
        #expect(outlet.records.count == 1)
        #expect(outlet.rejections.first?.isCut == true)
    }

    @Test("messages that are not known are passed over, letters of either case are known")
    func others() async throws {
        let outlet = try await run([
            Self.schema.replacing("SCHEMA", with: "Schema"), "{\"type\":\"NEWS\",\"text\":\"x\"}",
            Self.record("\"id\":1"),
            "{\"type\":\"ACTIVATE_VERSION\",\"stream\":\"s\",\"version\":1}",
        ])
        #expect(outlet.records.count == 1)
        #expect(outlet.rejections.isEmpty)
    }

    @Test("records in files are refused with a way out")
    func batch() async throws {
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await run([
                Self.schema,
                "{\"type\":\"BATCH\",\"stream\":\"s\",\"encoding\":{},\"manifest\":[\"file:///x\"]}",
            ])
        }
        #expect(error?.code.rawValue == "singer.batch")
        #expect(error?.hint?.contains("batch_config") == true)
    }

    @Test("the configuration has the types and the nesting that it is written with")
    func configuration() async throws {
        _ = try await run(
            [Self.schema],
            [
                "config.host": "localhost", "config.port": "5432", "config.keys": "[\"id\"]",
                "config.ftp.user": "a", "config.ftp.ssl": "true", "config.zip": "\"01234\"",
                "config.rate": "1.50",
            ]
        )
        let config = try directory.read("config.json")
        for part in [
            "\"host\":\"localhost\"", "\"port\":5432", "\"keys\":[\"id\"]", "\"rate\":1.50",
            "\"ftp\":{\"ssl\":true,\"user\":\"a\"}", "\"zip\":\"01234\"",
        ] {
            #expect(config.contains(part), "\(config)")
        }
        let path = try directory.read("arguments").split(separator: " ")[1]
        // It is in memory, this user's alone, and gone.
        #expect(path.contains("/millrace-singer-"))
        #expect(access(String(path), F_OK) != 0)
    }
}
