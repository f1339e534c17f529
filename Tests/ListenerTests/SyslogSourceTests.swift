import TestServices
import Testing

/// The real process, and clients that others wrote.
@Suite("Syslog source", .timeLimit(.minutes(15)))
struct SyslogSourceTests {
    @Test(
        "serves, refuses, bounds and drains",
        arguments: [
            "logger", "python", "rsyslog", "severity", "example",
            // D9: whatever is sent, it goes on for everybody else.
            "tls", "hostile",
            // D7: many connections, and a flood that a small buffer holds back.
            "many", "drain",
            // D6: what the kernel drops is a number in the log.
            "overflow",
        ]
    )
    func scenario(_ name: String) async throws {
        try await ListenerScenario.run("syslog_source.py", name)
    }

    // D7 and D9: as others would have it.
    @Test(
        "strangers cost no more than they should",
        arguments: ["sockets", "frames", "datagrams", "certificate"]
    )
    func strangers(_ name: String) async throws {
        try await ListenerScenario.run("syslog_strangers.py", name)
    }

    // D6, D7 and D9. `scripts/soak network` has ten thousand of them, and for longer.
    @Test(
        "a crowd of every hostile kind costs others nothing",
        arguments: ["syslog", "syslog-tls"]
    )
    func crowd(_ name: String) async throws {
        try await ListenerScenario.run("crowd.py", name, "1000")
    }

    @Test("a renewed certificate is taken up without a restart")
    func renewal() async throws {
        try await ListenerScenario.run("tls_renewal.py", "syslog")
    }

    @Test("an address that is taken ends the run with what to do about it")
    func addressInUse() async throws {
        let directory = try TemporaryDirectory()
        let pipeline = """
            pipeline: twice
            sources:
              first: {connector: syslog, listen: ["tcp://127.0.0.1:0"], topic: log}
              second: {connector: syslog, listen: ["tcp://[::1"], topic: log}
            """
        try directory.write(pipeline, to: "bad.yaml")
        let bad = try await directory.millrace("validate", "bad.yaml")
        #expect(bad.exitCode == 2)
        #expect(bad.output.contains("bad.yaml:4"), "\(bad.output)")
        #expect(bad.output.contains("must be such as udp://"), "\(bad.output)")

        let taken = try TakenPort()
        try directory.write(
            "pipeline: taken\nsources:\n  in: {connector: syslog, "
                + "listen: [\"tcp://127.0.0.1:\(taken.port)\"], topic: log}\n",
            to: "taken.yaml"
        )
        let result = try await directory.millrace("run", "taken.yaml")
        #expect(result.exitCode == 3, "\(result.errors)")
        #expect(result.errors.contains("127.0.0.1:\(taken.port)"))
        #expect(result.errors.contains("ss -lntupx"), "\(result.errors)")
        let doctor = try await directory.millrace("doctor", "taken.yaml")
        #expect(doctor.exitCode == 3)
    }

    @Test("names that are nearly right are found, with what was meant")
    func spelling() async throws {
        let directory = try TemporaryDirectory()
        let pipeline = """
            pipeline: p
            sources:
              a: {connector: http, topic: t, token: secret}
              b: {connector: http, topic: t, token: "${env:TOKEN}"}
              c: {connector: syslog, topic: "log-${field:sevrity}"}
              d:
                connector: syslog
                topic: log
                transforms: [{type: Filter, condition: '.sevrity == "err"'}]
            """
        try directory.write(pipeline, to: "p.yaml")
        let result = try await directory.millrace("validate", "p.yaml")
        #expect(result.exitCode == 2)
        let lines = result.output.split(separator: "\n").map(String.init)
        for (start, meant) in [
            ("p.yaml:3:", "\"auth.bearer.tokens\""), ("p.yaml:4:", "\"auth.bearer.tokens\""),
            ("p.yaml:5:", "`${field:severity}`"), ("p.yaml:9:", "\"severity\""),
        ] {
            let line = lines.first { $0.hasPrefix(start) }
            #expect(line?.contains("id you mean \(meant)") == true, "\(result.output)")
        }
    }

    @Test("a run to the end of what there is refuses what has no end")
    func untilEnd() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            "pipeline: p\nsources:\n  in: {connector: syslog, listen: [\"udp://:0\"], topic: t}\n",
            to: "p.yaml"
        )
        let result = try await directory.millrace("run", "--until-end", "p.yaml")
        #expect(result.exitCode == 2, "\(result.errors)")
        #expect(result.errors.contains("has no end"))
    }
}
