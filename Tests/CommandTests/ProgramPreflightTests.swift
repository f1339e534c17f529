import TestServices
import Testing

/// What `doctor` and `validate --connect` find out about programs before they are run.
@Suite("Programs and millrace doctor", .timeLimit(.minutes(10)))
struct ProgramPreflightTests {
    private static let tap = """
        case "$*" in *--discover*) cat catalog.json; echo "$TOKEN is wrong" >&2; exit $CODE ;; esac
        touch run
        """
    private static let catalog = """
        {"streams":[{"stream":"orders","tap_stream_id":"orders","schema":{}},
        {"stream":"users","tap_stream_id":"users","schema":{},"metadata":
        [{"breadcrumb":[],"metadata":{"selected":true}}]}]}
        """

    private func make(_ connector: String) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.write("pipeline: p\nsources:\n  in: {\(connector)}\n", to: "p.yaml")
        try directory.write(Self.tap, to: "tap.sh")
        try directory.write(Self.catalog, to: "catalog.json")
        try directory.write("{}", to: "config.json")
        return directory
    }

    private static let singer = "connector: singer, command: [sh, tap.sh], streams: [orders]"

    @Test(
        "what a program lacks has its place in the file, and a way out",
        arguments: [
            (
                "connector: exec, topic: t, command: [no-such-program]", 3,
                "sources.in.command: program: There is no program `no-such-program`"
            ),
            (
                "connector: exec, topic: t, command: [./catalog.json]", 3,
                "sources.in.command: program: The file "
            ),
            (
                "connector: exec, topic: t, command: 'for', shell: true", 2,
                "sources.in.command: program: The shell does not understand the line: "
            ),
            (
                "connector: subprocess, topic: t, command: [no-such-program]", 3,
                "sources.in.command: program: There is no program"
            ),
            (
                "connector: subprocess, topic: t, command: [sh, no-such-file]", 3,
                "sources.in.command: protocol: The program `sh` ended with exit code"
            ),
            (
                "connector: subprocess, topic: t, command: [echo, hello]", 3,
                "sources.in.command: protocol: The program `echo` does not keep to the protocol."
            ),
            (
                "\(singer), config: none.json", 3,
                "sources.in.config: configuration: "
            ),
            ("\(singer), config: /", 3, "sources.in.config: configuration: / cannot be read"),
            ("\(singer), catalog: none.json", 3, "sources.in.catalog: catalog: "),
            ("\(singer), catalog: config.json", 3, "sources.in.catalog: catalog: "),
            (
                "\(singer), environment.CODE: 1", 3,
                "sources.in.command: discovery: The tap `sh`, asked what it offers, ended with"
            ),
            (
                "connector: singer, command: [sh, tap.sh], streams: [odrers]", 2,
                "sources.in.streams: discovery: The tap has no stream `odrers`."
            ),
        ]
    )
    func lacks(_ connector: String, _ exitCode: Int32, _ finding: String) async throws {
        let directory = try make(connector)
        let before = try directory.names()
        let result = try await directory.millrace(
            "validate",
            "--connect",
            "p.yaml",
            environment: ["TOKEN": "geheim-1234"]
        )
        #expect(result.output.contains(": error: \(finding)"), "\(result.output)\(result.errors)")
        #expect(result.exitCode == exitCode)
        // Nothing was made: no data directory, no run of the program.
        #expect(try directory.names() == before)
    }

    @Test("programs that are there pass; the tap is asked for its streams and not run")
    func passes() async throws {
        let directory = try make("\(Self.singer), config.a: 1")
        let before = try directory.names()
        let result = try await directory.millrace("doctor", "p.yaml")
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
        #expect(result.output.contains("1 to read: orders."), "\(result.output)")
        #expect(result.output.contains("`sh` is /"), "\(result.output)")
        #expect(try directory.names() == before)
    }

    @Test("what a program says to doctor shows no secret (D8)")
    func secrets() async throws {
        let connector = "\(Self.singer), environment.TOKEN: '${env:KEY}', environment.CODE: '1'"
        let directory = try make(connector)
        let result = try await directory.millrace(
            "doctor",
            "p.yaml",
            "--log-level",
            "debug",
            environment: ["KEY": "geheim-1234"]
        )
        #expect(result.exitCode == 3)
        let all = result.output + result.errors
        #expect(!all.contains("geheim"), "\(all)")
        #expect(result.output.contains("It said last: ${env:KEY} is wrong"), "\(all)")
    }

    @Test("records without an end are worth a warning")
    func endless() async throws {
        let fields = "fields: {id: sequence}"
        for (rest, outcome) in [("", "warning"), (", count: 5", "ok"), (", rate: 5", "ok")] {
            let directory = try make("connector: generate, topic: t, \(fields)\(rest)")
            let result = try await directory.millrace("doctor", "p.yaml")
            #expect(result.exitCode == 0)
            let line = result.output.split(separator: "\n").first { $0.contains("templates") }
            #expect(line?.contains(outcome) == true, "\(result.output)")
        }
    }
}
