import TestServices
import Testing

/// The real process, curl, and clients of Python's own library.
@Suite("HTTP source", .timeLimit(.minutes(15)))
struct HTTPSourceTests {
    @Test(
        "takes, answers, refuses and bounds",
        arguments: [
            "ingest", "answers", "signature", "tls", "example",
            // D9: whatever is sent, it goes on for everybody else.
            "hostile",
            // D7: many connections.
            "many",
            // D1 and D3: what was answered is there, once and whole.
            "kill",
        ]
    )
    func scenario(_ name: String) async throws {
        try await ListenerScenario.run("http_source.py", name)
    }

    // D1: 200 is answered for what is durable, also by a source that is about to end.
    @Test(
        "stops taking, and answers what was begun",
        arguments: ["crowded", "waiting", "unfinished"]
    )
    func stopping(_ name: String) async throws {
        try await ListenerScenario.run("http_stopping.py", name)
    }

    // D7: more than fits is answered 429, what cannot be written 503.
    @Test(
        "says who is to come later, and when",
        arguments: ["pressure", "share", "rate", "failing"]
    )
    func pressure(_ name: String) async throws {
        try await ListenerScenario.run("http_pressure.py", name)
    }

    // D7 and D9: as others would have it.
    @Test(
        "strangers cost no more than they should",
        arguments: [
            "unread", "heads", "bombs", "names", "uninvited", "handshakes", "files",
        ]
    )
    func strangers(_ name: String) async throws {
        try await ListenerScenario.run("http_strangers.py", name)
    }

    // D6, D7 and D9. `scripts/soak network` has ten thousand of them, and for longer.
    @Test(
        "a crowd of every hostile kind costs others nothing",
        arguments: ["http", "https"]
    )
    func crowd(_ name: String) async throws {
        try await ListenerScenario.run("crowd.py", name, "1000")
    }

    @Test("a renewed certificate is taken up without a restart")
    func renewal() async throws {
        try await ListenerScenario.run("tls_renewal.py", "http")
    }

    @Test("an address that is taken ends the run with what to do about it")
    func addressInUse() async throws {
        let directory = try TemporaryDirectory()
        let taken = try TakenPort()
        try directory.write(
            "pipeline: taken\nsources:\n  in: {connector: http, "
                + "listen: \"127.0.0.1:\(taken.port)\", topic: log}\n",
            to: "taken.yaml"
        )
        let result = try await directory.millrace("run", "taken.yaml")
        #expect(result.exitCode == 3, "\(result.errors)")
        #expect(result.errors.contains("127.0.0.1:\(taken.port)"))
        #expect(result.errors.contains("ss -lntupx"), "\(result.errors)")
    }
}

/// The real process, and a server that behaves in several ways.
@Suite("HTTP sink", .timeLimit(.minutes(15)))
struct HTTPSinkTests {
    @Test(
        "delivers, narrows, asks again and keeps secrets",
        arguments: ["batches", "refusals", "retries", "tls", "pace"]
    )
    func scenario(_ name: String) async throws {
        try await ListenerScenario.run("http_sink.py", name)
    }
}
