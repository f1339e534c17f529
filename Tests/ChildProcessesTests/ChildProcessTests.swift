import ConnectorSDK
import Glibc
import TestServices
import Testing

@testable import ChildProcesses

@Suite("Child processes", .timeLimit(.minutes(10)))
struct ChildProcessTests {
    /// Runs a line of the shell to its end, and returns what it wrote and said, and how it ended.
    static func run(
        _ line: String,
        input: String = "",
        directory: String? = nil
    ) throws -> (output: String, errors: [String], ending: ChildEnding) {
        var errors: [String] = []
        let child = try ChildProcess(.shell(line, directory: directory)) { errors.append($0) }
        if !input.isEmpty {
            let bytes = Array(input.utf8)
            _ = try bytes.withUnsafeBytes { bytes throws(ConnectorError) in
                try child.write(bytes)
            }
        }
        child.closeInput()
        let output = ChildOutput(of: child) { false }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 8)
        defer { room.deallocate() }
        var bytes: [UInt8] = []
        while case let count = try output.read(into: room), count > 0 { bytes += room[..<count] }
        let ending = try #require(child.waitForEnd(within: .seconds(60)))
        return (String(decoding: bytes, as: UTF8.self), errors, ending)
    }

    @Test(
        "how a program ends is known",
        arguments: [
            ("exit 0", ChildEnding.exited(0)), ("exit 7", .exited(7)),
            ("kill -9 $$", .signalled(9)), ("kill -TERM $$; sleep 60", .signalled(15)),
        ]
    )
    func endings(_ line: String, _ ending: ChildEnding) throws {
        #expect(try Self.run(line).ending == ending)
    }

    @Test("a program has no signal blocked or ignored, whatever the thread that starts it has")
    func signals() throws {
        var all = sigset_t(), before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        let old = signal(SIGPIPE, SIG_IGN)
        defer {
            pthread_sigmask(SIG_SETMASK, &before, nil)
            _ = signal(SIGPIPE, old)
        }
        let status = try Self.run("grep -E '^Sig(Blk|Ign)' /proc/self/status").output
        let masks = status.split(whereSeparator: \.isWhitespace).compactMap {
            UInt64($0, radix: 16)
        }
        // Two signals are the C library's own, and nobody can touch them.
        let own: UInt64 = 1 << 31 | 1 << 32
        #expect(masks.map { $0 & ~own } == [0, 0], "\(status)")
    }

    @Test("a program has no descriptors but its three")
    func descriptors() throws {
        // One that is not closed on exec, as libraries leave behind.
        let left = open("/dev/null", O_RDONLY)
        defer { close(left) }
        #expect(try Self.run("ls /proc/self/fd").output == "0\n1\n2\n3\n")
    }

    @Test("much on standard error stops nobody, and long lines are cut (D7)")
    func errors() throws {
        let result = try Self.run(
            """
            head -c 3000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo short >&2
            printf 'no end' >&2; cat
            """,
            input: "in"
        )
        #expect(result.output == "in")
        #expect(result.errors.count == 3)
        #expect(result.errors.first?.hasSuffix("… (2995904 bytes more)") == true)
        #expect(result.errors.dropFirst() == ["short", "no end"])
    }

    @Test(
        "what a program has started ends with it",
        arguments: ["wait", "trap '' TERM; wait; wait"]
    )
    func groups(_ rest: String) async throws {
        let child = try ChildProcess(.shell("sleep 1000 & echo $!; \(rest)")) { _ in }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
        defer { room.deallocate() }
        let count = try ChildOutput(of: child, isStopping: { false }).read(into: room)
        let text = String(decoding: room[..<count], as: UTF8.self)
        let grandchild = try #require(Int32(text.dropLast()))
        #expect(kill(grandchild, 0) == 0)
        child.end(within: .milliseconds(300))
        #expect(try await eventually { Self.isGone(grandchild) })
    }

    @Test("what a program leaves behind does not keep its output open for ever")
    func leftBehind() throws {
        #expect(try Self.run("sleep 1000 & echo done").output == "done\n")
    }

    @Test("an object that is let go of leaves no program behind")
    func letGo() throws {
        var child: ChildProcess? = try ChildProcess(.shell("sleep 1000")) { _ in }
        let id = try #require(child?.id)
        child = nil
        #expect(kill(id, 0) == -1)
    }

    @Test("the id of a program that has ended is nobody else's until its group is let go of")
    func keptID() async throws {
        let child = try ChildProcess(.shell("exit 3")) { _ in }
        #expect(try await eventually { child.ending() == .exited(3) })
        // Otherwise a signal to the group could reach a program of somebody else.
        #expect(kill(child.id, 0) == 0)
        #expect(child.end(within: .zero) == .exited(3))
        #expect(kill(child.id, 0) != 0)
        #expect(child.ending() == .exited(3))
    }

    @Test("a secret that crosses the place where a line is cut off is replaced (D8)")
    func secrets() {
        var lines = ErrorLines { $0.replacing("geheimnis", with: "${env:X}") }
        let text = String(repeating: "x", count: 4_090) + "geheimnis" + "\n"
        let found = Array(text.utf8).withUnsafeBytes { lines.append($0) }
        #expect(found.count == 1)
        #expect(found.first?.contains("gehei") == false)
        #expect(found.first?.hasSuffix("${env:… (2 bytes more)") == true)
        let endless = Array(repeating: UInt8(ascii: "y"), count: 1 << 20)
        _ = endless.withUnsafeBytes { lines.append($0) }
        #expect(lines.take()?.utf8.count ?? 0 < 4_200, "D7")
    }

    @Test("a program that reads nothing of what it is told is given up after a while")
    func deaf() throws {
        let child = try ChildProcess(.shell("exec sleep 1000")) { _ in }
        let dialogue = ChildDialogue(child)
        try dialogue.tell(String(repeating: "x", count: 1 << 20))
        let error = #expect(throws: ConnectorError.self) {
            try dialogue.drain(to: 1 << 10, within: .milliseconds(200))
        }
        #expect(error?.code == .childTimeout)
        #expect(error?.message.contains("does not read what it is told") == true)
        child.end(within: .zero)
        try dialogue.drain(to: 1 << 10, within: .seconds(60))
    }

    @Test("what cannot be started is said, and why")
    func cannotStart() {
        let missing = #expect(throws: ConnectorError.self) {
            try ChildProcess(ChildCommand(["no-such-program"])) { _ in }
        }
        #expect(missing?.message.contains("`no-such-program`") == true)
        #expect(missing?.hint?.contains("PATH") == true)
        let directory = #expect(throws: ConnectorError.self) {
            try ChildProcess(ChildCommand(["true"], directory: "/no/such")) { _ in }
        }
        #expect(directory?.message.contains("`/no/such`") == true)
        #expect(directory?.kind == .environment)
    }

    @Test("a stop and a time limit are noticed while nothing comes")
    func stops() throws {
        let child = try ChildProcess(.shell("sleep 1000")) { _ in }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
        defer { room.deallocate() }
        let stopped = #expect(throws: ConnectorError.self) {
            try ChildOutput(of: child, isStopping: { true }).read(into: room)
        }
        #expect(stopped?.code == .cancelled)
        let late = #expect(throws: ConnectorError.self) {
            try ChildOutput(of: child, until: .now, isStopping: { false }).read(into: room)
        }
        #expect(late?.code == .childTimeout)
    }

    private static func isGone(_ id: Int32) -> Bool {
        if kill(id, 0) != 0 { return true }
        // Nobody may have asked yet how it ended.
        guard let file = fopen("/proc/\(id)/stat", "r") else { return true }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        fgets(&line, 256, file)
        let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self).contains(") Z")
    }
}

@Suite("Commands")
struct CommandSettingsTests {
    @Test(
        "arguments are split as a shell does",
        arguments: [
            ("", []), ("a  b", ["a", "b"]), ("'a b' c", ["a b", "c"]), ("a\\ b", ["a b"]),
            ("\"x,'y'\" ''", ["x,'y'", ""]), ("pre'fix ed'", ["prefix ed"]),
            ("'\\n'", ["\\n"]), ("\"\\\"\"", ["\""]),
        ] as [(String, [String])]
    )
    func words(_ text: String, _ words: [String]) throws {
        #expect(try CommandSettings.words(text) == words)
    }

    @Test("a list is a program and its arguments, a text is one for the shell")
    func lists() throws {
        let list = try CommandSettings(Configuration(["command": "echo,a b,c"]))
        #expect(list.command.arguments == ["echo", "a b", "c"])
        let line = try CommandSettings(
            Configuration(["command": "echo a, b | cat", "shell": "true"])
        )
        #expect(line.command.arguments == ["/bin/sh", "-c", "echo a, b | cat"])
    }

    @Test(
        "what cannot be meant is refused with a way out",
        arguments: [
            (["command": "curl -s http://localhost"], "command"),
            (["command": " , "], "command"), (["command": "a", "arguments": "'b"], "arguments"),
            (["command": "a", "arguments": "b", "shell": "true"], "arguments"),
        ]
    )
    func refused(_ values: [String: String], _ key: String) {
        let error = #expect(throws: ConnectorError.self) {
            _ = try CommandSettings(Configuration(values))
        }
        #expect(error?.configurationKey == key)
    }
}
