import ConnectorSDK
import ConnectorTesting
import JSONFormat
import LinesFormat
import Logging
import TestServices
import Testing

@testable import ExecConnector

@Suite("Exec source", .timeLimit(.minutes(10)))
struct ExecSourceTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func make(_ values: [String: String], untilEnd: Bool = false) throws -> ExecSource {
        try ExecSource(
            configuration: Configuration(
                values.merging(["topic": "t"]) { $1 },
                baseDirectory: directory.path
            ),
            context: ConnectorContext(
                name: "ex",
                untilEnd: untilEnd,
                stateDirectory: directory.file("state"),
                formats: FormatCatalog([LinesFormat.self, JSONFormat.self]),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
    }

    func run(
        _ values: [String: String],
        from positions: [String: String] = [:],
        _ script: (ExecSource, RecordingOutlet) -> Void = { _, _ in }
    ) async throws -> RecordingOutlet {
        let source = try make(values)
        let outlet = RecordingOutlet(for: source)
        script(source, outlet)
        try await source.run(from: positions, into: outlet)
        return outlet
    }

    @Test("a program runs once, and its records have the format that was asked for")
    func once() async throws {
        let outlet = try await run([
            "command": "printf,%s,{\"a\":1}{\"a\":2}", "format": "json",
        ])
        #expect(outlet.records.count == 2)
        #expect(outlet.positions["exec"]?.contains("\"done\":true") == true)
    }

    @Test("no shell comes between, unless it is asked for")
    func shell() async throws {
        #expect(try await run(["command": "echo,$HOME *"]).texts == ["$HOME *"])
        let piped = ["command": "echo a b | tr ' ' '\\n'", "shell": "true"]
        #expect(try await run(piped).texts == ["a", "b"])
        let quoted = ["command": "echo", "arguments": "'a,  b' c"]
        #expect(try await run(quoted).texts == ["a,  b c"])
    }

    @Test("a program has the variables and the directory it is given")
    func surroundings() async throws {
        try directory.write("", to: "sub/there")
        let outlet = try await run([
            "command": "echo $GREETING; ls", "shell": "true", "environment.GREETING": "hello",
            "working.directory": "sub",
        ])
        #expect(outlet.texts == ["hello", "there"])
    }

    @Test("a program is run again when it is due, and a run that fails ends nothing")
    func repeated() async throws {
        try directory.write("", to: "count")
        // The second run fails, after a record.
        let line = "echo x >> count; n=$(wc -l < count); echo run $n; [ $n -ne 2 ]"
        var clock: Int64 = 1_000
        let outlet = try await run([
            "command": line, "shell": "true", "poll.interval.ms": "10s",
        ]) { source, outlet in
            source.now = { clock }
            outlet.stopAfterIdling = 2
            outlet.onIdle = { _ in clock += 10 }
        }
        #expect(outlet.texts == ["run 1", "run 2", "run 3"])
    }

    @Test("after a restart a program waits for its turn, unless its last run was cut short")
    func resumes() async throws {
        let values = ["command": "echo,x", "poll.interval.ms": "1h"]
        var done = ExecPosition(number: 3, started: 5_000)
        done.isDone = true
        let waiting = try await run(values, from: ["exec": done.position.offset]) { source, _ in
            source.now = { 5_100 }
        }
        #expect(waiting.records.isEmpty)
        done.isDone = false
        let cut = try await run(values, from: ["exec": done.position.offset]) { source, _ in
            source.now = { 5_100 }
        }
        #expect(cut.texts == ["x"])
        #expect(cut.positions["exec"]?.contains("\"run\":4") == true)
    }

    @Test("a run that must succeed and does not is an error, behind what it wrote (D6)")
    func failures() async throws {
        let source = try make(["command": "echo one; exit 3", "shell": "true"])
        let outlet = RecordingOutlet(for: source)
        let error = await #expect(throws: ConnectorError.self) {
            try await source.run(from: [:], into: outlet)
        }
        #expect(error?.message == "The program `/bin/sh` ended with exit code 3.")
        #expect(error?.disposition == .retry(after: nil))
        #expect(outlet.texts == ["one"])
        let expected = ["command": "echo one; exit 3", "shell": "true", "exit.codes": "0,3"]
        #expect(try await run(expected).texts == ["one"])
    }

    @Test("a program that writes on behind what cannot be read has not failed (D6)")
    func unreadable() async throws {
        let outlet = try await run([
            // What stands behind compressed text is no compressed text.
            "command": "echo one | gzip; head -c 3000000 /dev/zero | tr '\\0' x; touch ended",
            "shell": "true", "stop.grace.ms": "1s",
        ])
        #expect(outlet.texts == ["one"])
        #expect(outlet.rejections.count == 1)
        #expect(outlet.positions["exec"]?.contains("\"done\":true") == true)
        #expect(try directory.read("ended").isEmpty)
    }

    @Test("a run that takes too long is ended")
    func timeout() async throws {
        let error = await #expect(throws: ConnectorError.self) {
            try await run(["command": "sleep,1000", "timeout.ms": "200ms"])
        }
        #expect(error?.code.rawValue == "process.timeout")
    }

    @Test("a stream that ends is started again by the engine, whatever its exit code")
    func streaming() async throws {
        for code in [0, 1] {
            let source = try make([
                "command": "echo a; exit \(code)", "shell": "true", "streaming": "true",
            ])
            let outlet = RecordingOutlet(for: source)
            let error = await #expect(throws: ConnectorError.self) {
                try await source.run(from: [:], into: outlet)
            }
            #expect(error?.code.rawValue == "exec.ended")
            #expect(error?.disposition == .retry(after: nil))
            #expect(outlet.texts == ["a"])
        }
        // For a cron job it is read to its end.
        let source = try make(["command": "echo,a", "streaming": "true"], untilEnd: true)
        #expect(source.isBounded)
    }

    @Test("a stop ends a program that runs on")
    func stops() async throws {
        let outlet = try await run([
            "command": "echo a; sleep 1000", "shell": "true", "streaming": "true",
        ]) { _, outlet in outlet.stopAfterSends = 1 }
        #expect(outlet.texts == ["a"])
    }

    @Test(
        "what contradicts itself is refused by its key",
        arguments: [
            (["poll.interval.ms": "1s", "streaming": "true"], "streaming"),
            (["poll.interval.ms": "1s", "schedule": "@daily"], "schedule"),
            (["schedule": "@daily", "streaming": "true"], "streaming"),
            (["streaming": "true", "timeout.ms": "1s"], "timeout.ms"),
        ]
    )
    func contradictions(_ values: [String: String], _ key: String) {
        let error = #expect(throws: ConnectorError.self) {
            try make(values.merging(["command": "true"]) { $1 })
        }
        #expect(error?.configurationKey == key)
    }
}
