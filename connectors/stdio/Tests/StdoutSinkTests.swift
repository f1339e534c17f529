import CSVFormat
import ConnectorSDK
import ConnectorTesting
import Foundation
import Glibc
import JSONFormat
import LinesFormat
import Logging
import TestServices
import Testing

@testable import StandardStreams

@Suite("Standard output", .timeLimit(.minutes(10)))
struct StdoutSinkTests {
    /// A new sink over the one stream of a process.
    static func make(_ format: String, _ output: StandardOutput) throws -> StdoutSink {
        let sink = try StdoutSink(
            configuration: Configuration(["format": format]),
            context: ConnectorContext(
                name: "out",
                stateDirectory: "/nowhere",
                formats: formats,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        sink.take = { _, _ in output }
        return sink
    }

    static let formats = FormatCatalog([LinesFormat.self, JSONFormat.self, CSVFormat.self])

    static func stream(_ format: String, _ pipe: Pipe) throws -> StandardOutput {
        let format = try formats.make(format, configuration: Configuration([:]))
        return StandardOutput(try format.makeWriter(), descriptor: pipe.writeEnd)
    }

    static func lines(_ numbers: Range<Int>) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "t")
        for number in numbers {
            let text = Array("r\(number)".utf8)
            text.withUnsafeBytes { batch.appendOpaque(batch.arena.copy($0)) }
        }
        return batch
    }

    @Test("does what every sink does", arguments: SinkRequirement.allCases)
    func conformance(_ requirement: SinkRequirement) async throws {
        let pipe = Pipe()
        let output = try Self.stream("lines", pipe)
        try await SinkScenario(
            makeSink: { try Self.make("lines", output) },
            fill: { batch, numbers in
                for number in numbers {
                    let text = Array("\(number)".utf8)
                    text.withUnsafeBytes { batch.appendOpaque(batch.arena.copy($0)) }
                }
            },
            contents: { pipe.content().split(separator: "\n").compactMap { Int($0) } }
        ).verify(requirement)
    }

    @Test("a stream has one start, however many instances write it")
    func oneStart() async throws {
        let pipe = Pipe()
        let output = try Self.stream("csv", pipe)
        for number in 1...3 {
            let sink = try Self.make("csv", output)
            _ = try await sink.open([TopicPartition("t", 0)])
            let batch = RecordBatch()
            batch.reset(topic: "t", schema: Schema(["n"]))
            batch.append(["n": .int(Int64(number))])
            try await sink.write(batch)
            try await sink.commit([:])
            await sink.close()
        }
        #expect(pipe.content() == "n\n1\n2\n3\n")
    }

    @Test("nothing is written before it is committed, but for what is large")
    func buffers() async throws {
        let pipe = Pipe()
        let sink = try Self.make("lines", try Self.stream("lines", pipe))
        _ = try await sink.open([TopicPartition("t", 0)])
        try await sink.write(Self.lines(0..<3))
        #expect(pipe.content() == "")
    }

    @Test("a reader that has gone away is said to have, so that the offsets stay (D1)")
    func readerGone() async throws {
        let pipe = Pipe()
        let sink = try Self.make("lines", try Self.stream("lines", pipe))
        _ = try await sink.open([TopicPartition("t", 0)])
        try await sink.write(Self.lines(0..<3))
        pipe.closeReadEnd()
        let error = await #expect(throws: ConnectorError.self) {
            try await sink.commit([TopicPartition("t", 0): 3])
        }
        #expect(error?.code == .readerGone)
    }

    @Test("what a failed write has written is not written again, and the rest is kept")
    func partialWrite() throws {
        let pipe = Pipe()
        let output = try Self.stream("lines", pipe)
        // More than the pipe and its reader take, and less than is written without a commit.
        try output.write(Self.lines(0..<30_000))
        let readEnd = pipe.giveReadEnd()
        Thread {
            var room = [UInt8](repeating: 0, count: 1_000)
            var taken = 0
            while taken < 100_000 { taken += max(0, read(readEnd, &room, room.count)) }
            close(readEnd)
        }.start()
        let error = #expect(throws: ConnectorError.self) { try output.flush() }
        #expect(error?.code == .readerGone)
        let directory = try TemporaryDirectory()
        let file = open(try directory.write("", to: "rest"), O_WRONLY)
        defer { close(file) }
        #expect(dup2(file, pipe.writeEnd) == pipe.writeEnd)
        try output.flush()
        let rest = try directory.read("rest")
        let all = (0..<30_000).map { "r\($0)\n" }.joined()
        #expect(all.hasSuffix(rest))
        #expect(!rest.isEmpty && rest.utf8.count <= all.utf8.count - 100_000)
    }

    @Test("a second writer is refused, by the name of the first")
    func oneWriter() throws {
        let format = try Self.formats.make("lines", configuration: Configuration([:]))
        let output = try StandardOutput.take(by: "first", format)
        defer { output.giveBack(by: "first") }
        let error = #expect(throws: ConnectorError.self) {
            try StandardOutput.take(by: "second", format)
        }
        #expect(error?.message.contains("`first`") == true)
    }
}
