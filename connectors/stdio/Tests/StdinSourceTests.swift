import CSVFormat
import ConnectorSDK
import ConnectorTesting
import JSONFormat
import LinesFormat
import Logging
import Testing
import XMLFormat

@testable import StandardStreams

@Suite("Standard input", .timeLimit(.minutes(10)))
struct StdinSourceTests {
    let pipe = Pipe()

    func make(_ values: [String: String], _ input: StandardInput) throws -> StdinSource {
        let source = try StdinSource(
            configuration: Configuration(values.merging(["topic": "t"]) { $1 }),
            context: ConnectorContext(
                name: "in",
                stateDirectory: "/nowhere",
                formats: FormatCatalog([
                    LinesFormat.self, JSONFormat.self, CSVFormat.self, XMLFormat.self,
                ]),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        source.take = { _ in input }
        return source
    }

    @Test(
        "every format is read, and told how it begins",
        arguments: [
            ("lines", "a\nb\nc\n"), ("json", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}"),
            ("json", "[{\"n\":1},\n{\"n\":2},{\"n\":3}]"), ("csv", "n\n1\n2\n3\n"),
            ("xml", "<r><e n='1'/><e n='2'/><e n='3'/></r>"),
        ]
    )
    func formats(_ format: String, _ text: String) async throws {
        pipe.write(text)
        pipe.closeWriteEnd()
        let source = try make(
            ["format": format].merging(format == "xml" ? ["record.path": "/r/e"] : [:]) { $1 },
            StandardInput(descriptor: pipe.readEnd)
        )
        let outlet = RecordingOutlet(for: source)
        try await source.run(from: [:], into: outlet)
        #expect(outlet.records.count == 3)
    }

    @Test(
        "records that are there are sent, though more may come",
        arguments: [
            ("lines", "a\n", "b\n"), ("json", "{\"n\":1}\n", "{\"n\":2}\n"),
            ("json", "[{\"n\":1}\n", ",{\"n\":2}]"), ("csv", "n\n1\n", "2\n"),
            // Half of the next record keeps nobody waiting either.
            ("lines", "a\nbe", "tter\n"), ("json", "{\"n\":1}\n{\"n\"", ":2}\n"),
            ("csv", "n\n1\n2", "2\n"),
        ]
    )
    func doesNotWaitForMore(_ format: String, _ first: String, _ second: String) async throws {
        pipe.write(first)
        let source = try make(["format": format], StandardInput(descriptor: pipe.readEnd))
        let outlet = RecordingOutlet(for: source, durability: .whenSettled)
        let pipe = pipe
        var seen = 0
        // It settles when nothing comes: by then the first record is sent.
        outlet.onSettle = { [weak outlet] in
            guard seen == 0 else { return }
            seen = outlet?.records.count ?? 0
            pipe.write(second)
            pipe.closeWriteEnd()
        }
        try await source.run(from: [:], into: outlet)
        #expect(seen == 1)
        #expect(outlet.records.count == 2)
    }

    @Test("a stop is noticed while nothing comes")
    func stops() async throws {
        pipe.write("a\nhalf")
        let source = try make([:], StandardInput(descriptor: pipe.readEnd))
        let outlet = RecordingOutlet(for: source)
        outlet.stopAfterSends = 1
        try await source.run(from: [:], into: outlet)
        #expect(outlet.texts == ["a"])
    }

    @Test("an attempt after an error goes on behind what is durable, without a gap (D3)")
    func startsAgain() async throws {
        let lines = (0..<9_000).map { "line \($0)" }
        pipe.write(lines[..<4_500].joined(separator: "\n") + "\n")
        let input = StandardInput(descriptor: pipe.readEnd)
        let source = try make([:], input)
        let outlet = RecordingOutlet(for: source)
        let full = ConnectorError(.init("testing.disk"), .retry(after: nil), "Full.")
        outlet.faults[1] = .refuse(full)
        let error = await #expect(throws: ConnectorError.self) {
            try await source.run(from: [:], into: outlet)
        }
        #expect(error?.code == full.code)
        let sent = outlet.texts
        #expect(!sent.isEmpty && sent.count < 4_500)
        pipe.write(lines[4_500..<5_000].joined(separator: "\n") + "\n")
        pipe.closeWriteEnd()
        let again = try make([:], input)
        let rest = RecordingOutlet(for: again)
        try await again.run(from: outlet.positions, into: rest)
        #expect(sent + rest.texts == Array(lines[..<5_000]))
        // Line numbers go on as well.
        #expect(rest.records.first?.line == Int64(sent.count + 1))
    }

    @Test("places of another process are not used")
    func otherRuns() async throws {
        pipe.write("a\nb\n")
        pipe.closeWriteEnd()
        let source = try make([:], StandardInput(descriptor: pipe.readEnd))
        let outlet = RecordingOutlet(for: source)
        let other = StdinPosition(run: "1-2", reader: ReaderPosition(byte: 2, line: 2, record: 1))
        try await source.run(from: [StdinPosition.partition: other.text], into: outlet)
        #expect(outlet.texts == ["a", "b"])
    }

    @Test("what breaks off in the middle is one rejection with its place (D6)")
    func brokenOff() async throws {
        pipe.write("[{\"n\":1},\n{\"n\":")
        pipe.closeWriteEnd()
        let source = try make(["format": "json"], StandardInput(descriptor: pipe.readEnd))
        let outlet = RecordingOutlet(for: source)
        try await source.run(from: [:], into: outlet)
        #expect(outlet.records.count == 1)
        let rejected = try #require(outlet.rejections.first)
        #expect(rejected.error.message.hasPrefix("The rest of stdin from line 2, byte 10"))
        #expect(rejected.isCut)
    }

    @Test("a second reader is refused, by the name of the first")
    func oneReader() async throws {
        let input = try StandardInput.take(by: "first")
        defer { input.giveBack(by: "first") }
        let error = #expect(throws: ConnectorError.self) { try StandardInput.take(by: "second") }
        #expect(error?.message.contains("`first`") == true)
    }
}
