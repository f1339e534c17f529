internal import ChildProcesses
internal import ConnectorSDK
internal import JSONDocuments

/// One run of a target: from its start to the answer that everything it was given is kept.
final class TargetRun {
    private static let slice: Int32 = 100
    /// A `STATE` is what was given, and no longer.
    private static let longestAnswer = 1 << 20

    private let child: ChildProcess
    private let log: ProgramLog
    private let files: PrivateFiles
    private let grace: Duration
    /// How long the target may read nothing, and take to end.
    private let limit: Duration
    private var answer: [UInt8] = []
    private var lastState: String?
    private let room = Chunk(capacity: 64 << 10)

    init(
        _ command: CommandSettings,
        config: String,
        within limit: Duration,
        _ context: ConnectorContext
    ) throws(ConnectorError) {
        self.limit = limit
        log = ProgramLog(context)
        files = try PrivateFiles()
        grace = command.grace
        var program = command.command
        program.arguments += ["--config", try files.write(config, to: "config.json")]
        program.environment["PYTHONUNBUFFERED"] = "1"
        program.environment["PYTHONIOENCODING"] = "utf-8"
        child = try ChildProcess(program, redact: context.redact) { [log] in log.take($0) }
    }

    /// Gives the target bytes, and takes meanwhile what it says.
    func write(_ bytes: UnsafeRawBufferPointer) throws(ConnectorError) {
        var rest = bytes
        var deadline = ContinuousClock.now + limit
        while !rest.isEmpty {
            // What it has started may hold its pipes open.
            if child.ending() != nil { throw ended() }
            guard .now < deadline else { throw late("to read what it is given") }
            let ready = child.wait(for: [.input, .output], milliseconds: Self.slice)
            if ready.contains(.output), try !takeAnswer() { throw ended() }
            guard ready.contains(.input) else { continue }
            let count: Int
            do throws(ConnectorError) {
                count = try child.write(rest)
            } catch {
                throw error.code == .childInputClosed ? ended() : error
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if count > 0 { deadline = .now + limit }
        }
    }

    /// Ends the target's input, and waits until it says that all of it is kept.
    ///
    /// - Returns: the last `STATE` that came back.
    func finish() throws(ConnectorError) -> String? {
        child.closeInput()
        let deadline = ContinuousClock.now + limit
        while true {
            guard .now < deadline else { throw late("to end") }
            let hasEnded = child.ending() != nil
            let ready = child.wait(for: .output, milliseconds: Self.slice)
            if ready.contains(.output) {
                if try !takeAnswer() { break }
            } else if hasEnded {
                break
            }
        }
        let ending = child.waitForEnd(within: grace) ?? child.end(within: grace)
        guard ending == .exited(0) else { throw failure(ending) }
        return lastState
    }

    /// Ends the target without waiting for what it has to say.
    func abandon() { child.end(within: grace) }

    /// Reads lines of the target's output; `false` at its end.
    private func takeAnswer() throws(ConnectorError) -> Bool {
        guard let count = try child.read(into: room.bytes) else { return true }
        answer += room.bytes[..<count]
        while let end = answer.firstIndex(of: 0x0a) {
            note(answer[..<end])
            answer.removeSubrange(...end)
        }
        if count == 0 { note(answer[...]) }
        guard answer.count <= Self.longestAnswer else {
            throw ConnectorError(
                .init("singer.answer"),
                .failTask,
                "The target `\(child.name)` writes a line that is longer than any STATE."
            )
        }
        return count > 0
    }

    private func note(_ line: ArraySlice<UInt8>) {
        let text = String(decoding: line, as: UTF8.self)
        // Some print more than states there.
        if JSONDocument(parsingAny: text)?.fields != nil { lastState = text }
    }

    private func late(_ what: String) -> ConnectorError {
        ConnectorError(
            .childTimeout,
            .retry(after: nil),
            "The target `\(child.name)` takes longer than `ack.timeout.ms` \(what).",
            kind: .environment
        )
    }

    private func ended() -> ConnectorError {
        failure(child.waitForEnd(within: grace) ?? child.end(within: grace))
    }

    private func failure(_ ending: ChildEnding) -> ConnectorError {
        ConnectorError(
            .init("singer.failed"),
            .retry(after: nil),
            "The target `\(child.name)` \(ending).",
            hint: "What it said is in the log."
        )
    }
}
