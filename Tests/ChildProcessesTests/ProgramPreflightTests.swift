import ConnectorSDK
import Glibc
import TestServices
import Testing

@testable import ChildProcesses

@Suite("Programs before they are started", .timeLimit(.minutes(10)))
struct ProgramPreflightTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("#!/bin/sh\ntouch started\n", to: "bin/good")
        try directory.write("#!/bin/sh\n", to: "bin/closed")
        try directory.write("#!/no/such/python -E\n", to: "bin/moved")
        try directory.write("#!/usr/bin/env no-such-program\n", to: "bin/env")
        try directory.write("#!/bin/sh\r\necho\r\n", to: "bin/windows")
        for name in ["good", "moved", "env", "windows"] {
            chmod(directory.file("bin/\(name)"), 0o755)
        }
    }

    private func check(_ values: [String: String]) throws -> PreflightCheck {
        let configuration = Configuration(values, baseDirectory: directory.path)
        return try CommandSettings(configuration).preflight()
    }

    @Test(
        "what cannot be started is said with key, reason and way out",
        arguments: [
            (["command": "no-such-program,x"], "in any directory of PATH", "Install it"),
            (["command": "good", "environment.PATH": "/usr/bin"], "in any directory", "Install"),
            (["command": "bin/none"], "No such file", "working.directory"),
            (["command": "bin"], "in any directory", "Install"),
            (["command": "./bin"], "no program, but a directory", ""),
            (["command": "bin/closed"], "not executable", "chmod +x"),
            (["command": "bin/moved"], "`/no/such/python`", "made anew"),
            (["command": "bin/env"], "`no-such-program`", "Install that"),
            (["command": "bin/windows"], "as on Windows", "sed -i"),
            (["command": "if true; then", "shell": "true"], "does not understand the line", ""),
        ]
    )
    func lacks(_ values: [String: String], _ message: String, _ hint: String) throws {
        let found = try check(values)
        #expect(found.outcome == .failed)
        #expect(found.configurationKey == "command")
        #expect(found.message.contains(message), "\(found.message)")
        #expect(found.hint?.contains(hint) ?? hint.isEmpty, "\(found.hint ?? "")")
    }

    @Test("a program in the working directory is found with a path, and the hint says so")
    func ownDirectory() throws {
        try directory.write("", to: "good")
        #expect(try check(["command": "good"]).hint?.contains("`./good`") == true)
    }

    @Test("a directory to start in that is not there is named by its key")
    func noDirectory() throws {
        let found = try check(["command": "true", "working.directory": "none"])
        #expect(found.outcome == .failed)
        #expect(found.configurationKey == "working.directory")
        #expect(found.message.contains("/none"))
    }

    @Test(
        "what can be started passes, and is not started",
        arguments: [
            ["command": "true"], ["command": "bin/good"],
            ["command": "good", "environment.PATH": "bin"],
            ["command": "touch started", "shell": "true"],
        ]
    )
    func passes(_ values: [String: String]) throws {
        #expect(try check(values).outcome == .passed)
        #expect(access(directory.file("started"), F_OK) != 0)
    }
}
