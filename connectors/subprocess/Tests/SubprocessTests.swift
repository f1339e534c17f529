import ConnectorSDK
import ConnectorTesting
import Logging
import TestServices
import Testing

@testable import SubprocessConnector

/// The example program, and scripts that do not keep to the protocol.
@Suite("Subprocess source", .timeLimit(.minutes(10)))
struct SubprocessSourceTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    static let example = Products.root + "/connectors/subprocess/examples/numbers.py"

    static func context(_ directory: TemporaryDirectory) -> ConnectorContext {
        ConnectorContext(
            name: "program",
            stateDirectory: directory.file("state"),
            formats: FormatCatalog([]),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    func make(_ values: [String: String]) throws -> SubprocessSource {
        try SubprocessSource(
            configuration: Configuration(values, baseDirectory: directory.path),
            context: Self.context(directory)
        )
    }

    func run(_ script: String, _ values: [String: String] = [:]) async throws -> RecordingOutlet {
        try directory.write(script, to: "program.sh")
        let source = try make(
            values.merging(["command": "sh,program.sh", "bounded": "true"]) { own, _ in own }
        )
        let outlet = RecordingOutlet(for: source)
        try await source.run(from: [:], into: outlet)
        return outlet
    }

    @Test("the example does what every source does", arguments: SourceRequirement.allCases)
    func conformance(_ requirement: SourceRequirement) async throws {
        let values = [
            "command": "python3,\(Self.example)", "config.count": "700", "config.topic": "t",
            "max.records.in.flight": "250", "bounded": "true",
        ]
        try await SourceScenario(recordCount: 700) { try make(values) }.verify(requirement)
    }

    private static let hello = """
        read line; echo '{"type":"hello","protocol":1}'; read line; echo "$line" > start

        """

    @Test("records carry all that a record has, of any kind")
    func everything() async throws {
        let outlet = try await run(
            Self.hello + """
                echo '{"type":"record","topic":"t","key":{"id":1},"value":{"a":1.10},"timestamp":5}'
                echo '{"type":"record","topic":"t","key_text":"k","value_text":"plain\\\\ntext"}'
                echo '{"type":"record","topic":"t","key_base64":"AP8=","value_base64":"/w=="}'
                echo '{"type":"record","topic":"t","key_text":"gone","headers":{"a":"b","n":1}}'
                echo '{"type":"position","partition":"p","offset":{"x":1.5}}'
                echo '{"type":"end"}'
                """
        )
        #expect(outlet.records.count == 4)
        #expect(outlet.positions == ["p": "{\"x\":1.5}"])
        let records = outlet.records
        #expect(records[0].timestamp == 5)
        #expect(records[0].fields.map(\.name) == ["a"])
        #expect(records[1].text == "plain\ntext")
        #expect(records[3].isTombstone)
        #expect(records[3].headers.map(\.key) == ["a", "n"])
        #expect(records.allSatisfy { $0.key != nil })
        #expect(try directory.read("start").contains("\"credit\":10000"))
    }

    @Test(
        "a program that does not keep to the protocol fails, and the message says how (D9)",
        arguments: [
            ("echo hello", "no message"),
            ("echo '{\"type\":\"hello\",\"protocol\":2}'", "protocol 1"),
            (hello + "echo '{\"type\":\"record\"}'", "no `topic`"),
            (hello + "echo '{\"type\":\"position\"}'", "lacks `partition`"),
            (hello + "echo '{\"type\":\"news\"}'", "It says `news`"),
            (
                hello + "echo '{\"type\":\"record\",\"topic\":\"t\"}'; echo '{\"type\":\"end\"}'",
                "behind"
            ),
            (
                hello + "for i in 1 2 3; do echo '{\"type\":\"record\",\"topic\":\"t\"}'; done",
                "credit"
            ),
            (
                hello
                    + "x=$(head -c 3000 /dev/zero | tr '\\0' x); "
                    + "for i in 1 2; do echo '{\"type\":\"record\",\"topic\":\"t\",\"value\":\"'$x'\"}'; done",
                "max.bytes.in.flight"
            ),
            (hello + "head -c 5000 /dev/zero | tr '\\0' x; echo", "max.record.bytes"),
        ]
    )
    func broken(_ script: String, _ words: String) async throws {
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await run(
                script,
                [
                    "max.records.in.flight": "2", "max.record.bytes": "4KiB",
                    "max.bytes.in.flight": "5KiB",
                ]
            )
        }
        #expect(error?.code.rawValue == "subprocess.protocol")
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test("errors of the program are the task's, with what is to be done about them")
    func errors() async throws {
        let failed = await #expect(throws: ConnectorError.self) {
            _ = try await run(
                Self.hello
                    + "echo '{\"type\":\"error\",\"disposition\":\"fail\",\"message\":\"No.\",\"hint\":\"Do.\"}'"
            )
        }
        #expect(failed?.message == "No.")
        #expect(failed?.hint == "Do.")
        #expect(failed?.disposition == .failTask)
        let busy = await #expect(throws: ConnectorError.self) {
            _ = try await run(
                Self.hello + "echo '{\"type\":\"error\",\"disposition\":\"retry\",\"after_ms\":70}'"
            )
        }
        #expect(busy?.disposition == .retry(after: .milliseconds(70)))
        let gone = await #expect(throws: ConnectorError.self) {
            _ = try await run(Self.hello + "exit 4")
        }
        #expect(gone?.message == "The program `sh` ended with exit code 4.")
        #expect(gone?.disposition == .retry(after: nil))
        let mute = await #expect(throws: ConnectorError.self) {
            _ = try await run("sleep 1000", ["start.timeout.ms": "200ms"])
        }
        #expect(mute?.code.rawValue == "process.timeout")
    }
}

@Suite("Subprocess sink", .timeLimit(.minutes(10)))
struct SubprocessSinkTests {
    static func make(
        _ directory: TemporaryDirectory,
        _ values: [String: String],
        answersEachBatch: Bool = false
    ) throws -> SubprocessSink {
        var context = SubprocessSourceTests.context(directory)
        context.answersEachBatch = answersEachBatch
        return try SubprocessSink(
            configuration: Configuration(values, baseDirectory: directory.path),
            context: context
        )
    }

    static func fill(_ batch: RecordBatch, _ numbers: Range<Int>) {
        for number in numbers {
            let text = Array("{\"n\":\(number)}".utf8)
            text.withUnsafeBytes { batch.appendOpaque(batch.arena.copy($0)) }
        }
    }

    static let values = [
        "command": "python3,\(SubprocessSourceTests.example)", "config.path": "numbers.db",
    ]

    @Test("the example does what every sink does", arguments: SinkRequirement.allCases)
    func conformance(_ requirement: SinkRequirement) async throws {
        let directory = try TemporaryDirectory()
        try await SinkScenario(
            makeSink: { try Self.make(directory, Self.values) },
            fill: Self.fill,
            contents: {
                let file = directory.file("numbers.db")
                let query = "test -f $0 && sqlite3 $0 'SELECT n FROM numbers ORDER BY rowid'; true"
                let result = try Program.run(["sh", "-c", query, file])
                return result.split(separator: "\n").compactMap { Int($0) }
            }
        ).verify(requirement)
    }

    @Test("a record that is refused is found when each is asked about, and the others go on (D6)")
    func refusal() async throws {
        let directory = try TemporaryDirectory()
        let id = TopicPartition("t", 0)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        Self.fill(batch, 0..<3)
        let bad = Array("{\"x\":1}".utf8)
        bad.withUnsafeBytes { batch.appendOpaque(batch.arena.copy($0)) }
        Self.fill(batch, 4..<6)
        for row in batch.indices { batch.metadata(row).pointee.offset = Int64(row) }
        let quick = try Self.make(directory, Self.values)
        _ = try await quick.open([id])
        let error = await #expect(throws: ConnectorError.self) {
            try await quick.write(batch)
            try await quick.commit([id: 6])
        }
        #expect(error?.code == .refusedTogether)
        await quick.close()
        let careful = try Self.make(directory, Self.values, answersEachBatch: true)
        #expect(try await careful.open([id]) == [:])
        try await careful.write(batch)
        #expect(batch.takeRejections().map(\.error.message) == ["There is no `n`."])
        try await careful.commit([id: 6])
        await careful.close()
        let rows = try Program.run(
            ["sqlite3", directory.file("numbers.db"), "SELECT n FROM numbers"]
        )
        #expect(rows == "0\n1\n2\n4\n5\n")
    }

    @Test("a program that reads no more is given up, in the time it is allowed for a commit")
    func deaf() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            read line; echo '{"type":"hello","protocol":1}'; read line; echo '{"type":"ready"}'
            exec sleep 1000
            """,
            to: "program.sh"
        )
        let sink = try Self.make(
            directory,
            ["command": "sh,program.sh", "commit.timeout.ms": "500ms", "stop.grace.ms": "0"]
        )
        _ = try await sink.open([TopicPartition("t", 0)])
        let batch = RecordBatch()
        batch.reset(topic: "t")
        let text = Array(repeating: UInt8(ascii: "x"), count: 6 << 20)
        text.withUnsafeBytes { batch.appendOpaque(batch.arena.copy($0)) }
        let error = await #expect(throws: ConnectorError.self) { try await sink.write(batch) }
        #expect(error?.code.rawValue == "process.timeout")
        #expect(error?.disposition == .retry(after: nil))
        await sink.close()
    }

    @Test("values reach the program as what they are, each on one line")
    func values() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            """
            read line; echo '{"type":"hello","protocol":1}'; read line; echo '{"type":"ready"}'
            while read -r line; do
                case "$line" in
                    *'"flush"'*) echo '{"type":"flushed","id":1}' ;;
                    *'"commit"'*) echo '{"type":"committed","id":2}' ;;
                    *) printf '%s\\n' "$line" >> got ;;
                esac
            done
            """,
            to: "program.sh"
        )
        let sink = try Self.make(directory, ["command": "sh,program.sh"])
        #expect(try await sink.open([TopicPartition("t", 0)]) == nil)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        for value in [Array("{\"a\":\n1}".utf8), Array("a \"b\"\n".utf8), [0xff, 0], []] {
            value.withUnsafeBytes { batch.appendOpaque(batch.arena.copy($0)) }
        }
        let row = batch.appendRow()
        batch.metadata(row).pointee.isTombstone = true
        try await sink.write(batch)
        try await sink.commit([TopicPartition("t", 0): 5])
        await sink.close()
        let lines = try directory.read("got").split(separator: "\n").map { line in
            line.split(separator: "\"offset\":-1", maxSplits: 1).last.map(String.init) ?? ""
        }
        #expect(
            lines == [
                ",\"value\":{\"a\": 1}}", ",\"value_text\":\"a \\\"b\\\"\\n\"}",
                ",\"value_base64\":\"/wA=\"}", ",\"value_text\":\"\"}", "}", "{\"type\":\"stop\"}",
            ]
        )
    }
}
