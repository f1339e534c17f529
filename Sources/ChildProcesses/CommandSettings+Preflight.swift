public import ConnectorSDK
internal import Glibc

extension CommandSettings {
    // No shell takes longer to read a line.
    private static let parseLimit = Duration.seconds(30)

    /// Whether the program is there and can be started; nothing of it is run.
    public func preflight() -> PreflightCheck {
        if let directory = command.directory, access(directory, X_OK) != 0 {
            return PreflightCheck(
                "program",
                .failed,
                "The directory `\(directory)` cannot be used: \(String(cString: strerror(errno))).",
                at: Self.directory.declaration.name
            )
        }
        return isShell ? shellPreflight() : programPreflight()
    }

    private func programPreflight() -> PreflightCheck {
        let name = command.arguments.first ?? ""
        let lookup = ProgramLookup(
            directory: command.directory,
            // What the system takes where there is none.
            searchPath: command.environment["PATH"] ?? "/bin:/usr/bin"
        )
        do throws(ProgramLookup.Problem) {
            let path = try lookup.find(name)
            let found = path == name ? "It can be started." : "`\(name)` is \(path)."
            return PreflightCheck("program", .passed, found, at: Self.command.declaration.name)
        } catch {
            return failed(error.message, hint: error.hint)
        }
    }

    /// Has the shell read the line, and carry out nothing of it.
    private func shellPreflight() -> PreflightCheck {
        var reading = command
        reading.arguments.insert("-n", at: 1)
        var complaint: String?
        let child: ChildProcess
        do throws(ConnectorError) {
            child = try ChildProcess(reading) { complaint = complaint ?? $0 }
        } catch {
            return PreflightCheck("program", failed: error)
        }
        child.closeInput()
        let ending = child.waitForEnd(within: Self.parseLimit) ?? child.end(within: .zero)
        guard ending == .exited(0) else {
            return failed(
                "The shell does not understand the line: \(complaint ?? "it \(ending)").",
                kind: .configuration
            )
        }
        return PreflightCheck(
            "program",
            .passed,
            "The shell understands the line; the programs in it are not looked for.",
            at: Self.command.declaration.name
        )
    }

    private func failed(
        _ message: String,
        kind: ConnectorError.Kind = .environment,
        hint: String? = nil
    ) -> PreflightCheck {
        PreflightCheck(
            "program",
            .failed,
            message,
            kind: kind,
            at: Self.command.declaration.name,
            hint: hint
        )
    }
}
