import TestServices
import Testing

@Suite("Command line", .timeLimit(.minutes(10)))
struct UsageTests {
    @Test(
        "usage errors exit with 2 and say on standard error what to do",
        arguments: [
            (["validate"], "Missing expected argument"),
            (["validat", "x.yaml"], "Did you mean 'validate'?"),
            (["topics", "raed", "t"], "Did you mean 'read'?"),
            (["run", "--until-ends", "x.yaml"], "Unknown option '--until-ends'"),
            (["topics", "read", "t", "--from", "yesterday"], "--from"),
            (["topics", "read", "t", "--max", "-1"], "--max"),
            (["validate", "--log-level", "loud", "x"], "--log-level"),
        ]
    )
    func usageErrors(arguments: [String], message: String) async throws {
        let directory = try TemporaryDirectory()
        let result = try await directory.start(arguments).wait()
        #expect(result.exitCode == 2)
        #expect(result.output == "")
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test("help and version go to standard output and exit with 0")
    func help() async throws {
        let directory = try TemporaryDirectory()
        let help = try await directory.millrace("--help")
        #expect(help.exitCode == 0)
        for command in [
            "run", "validate", "topics", "groups", "offsets", "plugins", "dlq", "init", "test",
            "fsck", "cluster",
        ] {
            #expect(help.output.contains("\n  \(command) "), "\(command)")
        }
        #expect(help.errors == "")
        let version = try await directory.millrace("--version")
        #expect(version.exitCode == 0)
        #expect(version.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }

    @Test("shells get completion scripts", arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) async throws {
        let result = try await TemporaryDirectory().millrace("--generate-completion-script", shell)
        #expect(result.exitCode == 0)
        #expect(result.output.contains("millrace"))
    }

    @Test("a reader that goes away is no failure")
    func brokenPipe() async throws {
        let directory = try TemporaryDirectory()
        let result = try await directory.bash(
            "set -o pipefail; millrace plugins schema | true; echo $?"
        )
        #expect(result.output == "0\n")
        #expect(result.errors == "")
    }

    @Test("a full disk behind standard output exits with 3")
    func fullOutput() async throws {
        let directory = try TemporaryDirectory()
        let result = try await directory.bash("millrace plugins schema > /dev/full; echo $?")
        #expect(result.output == "3\n")
        #expect(result.errors.contains("No space left on device"))
    }
}
