import Glibc
import TestServices
import Testing

/// Programs that run beside `millrace run`.
@Suite("millrace run with programs", .timeLimit(.minutes(10)))
struct ExecTests {
    private static let pipeline = """
        pipeline: ticks
        sources:
          ticks:
            connector: exec
            command: [bash, -c, 'echo $$ > pid; echo tick; exec sleep 1000']
            streaming: true
            topic: ticks
            environment.TOKEN: ${env:TOKEN}
        """

    private func start(_ directory: TemporaryDirectory) async throws -> (run: Command, id: Int32) {
        let run = try directory.start(["run", "p.yaml"], environment: ["TOKEN": "geheim-1234"])
        #expect(try await eventually { (try? directory.read("pid"))?.isEmpty == false })
        let text = try directory.read("pid")
        return (run, try #require(Int32(text.dropLast())))
    }

    @Test("no program outlives the run, however that ends", arguments: [SIGKILL, SIGTERM])
    func noSurvivor(_ number: Int32) async throws {
        let directory = try TemporaryDirectory()
        try directory.write(Self.pipeline, to: "p.yaml")
        let (run, id) = try await start(directory)
        #expect(kill(id, 0) == 0)
        func read() async throws -> String {
            try await directory.millrace("topics", "read", "ticks").output
        }
        #expect(try await eventually { try await read() == "tick\n" })
        run.signal(number)
        let result = try await run.wait()
        #expect(result.exitCode == (number == SIGKILL ? -9 : 0))
        #expect(try await eventually { kill(id, 0) != 0 })
        #expect(try await read() == "tick\n")
    }

    @Test("what a program says is logged, with secrets replaced (D8)")
    func secrets() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            Self.pipeline.replacing("exec sleep 1000", with: "echo got $TOKEN >&2")
                .replacing("streaming: true", with: "stderr: log"),
            to: "p.yaml"
        )
        let result = try await directory.millrace(
            "run",
            "p.yaml",
            environment: ["TOKEN": "geheim-1234"]
        )
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(result.errors.contains("got ${env:TOKEN}"))
        #expect(!result.errors.contains("geheim"))
    }
}
