internal import ChildProcesses
internal import ConnectorSDK
internal import JSONDocuments
internal import Logging
internal import RecordStreams

/// A program that speaks the protocol of docs/subprocess-protocol.md, from its start to its end.
final class Conversation {
    static let version: Int64 = 1

    let dialogue: ChildDialogue
    let lines: LineCutter
    /// What the program can do beyond what all can.
    private(set) var capabilities: Set<String> = []
    private let child: ChildProcess
    private let settings: SubprocessSettings
    private let context: ConnectorContext

    /// Starts the program and greets it.
    init(
        _ settings: SubprocessSettings,
        _ context: ConnectorContext,
        role: String,
        isStopping: @escaping () -> Bool
    ) throws(ConnectorError) {
        self.settings = settings
        self.context = context
        let logger = context.logger
        child = try ChildProcess(settings.command.command, redact: context.redact) { line in
            logger.info("stderr", metadata: ["line": "\(line)"])
        }
        let dialogue = ChildDialogue(child)
        self.dialogue = dialogue
        dialogue.isStopping = isStopping
        lines = LineCutter(
            ByteInput { room throws(ConnectorError) in
                try dialogue.read(into: room)
            },
            limit: settings.recordBytes
        )
        try greet(role)
    }

    /// The next message; `nil` when the program has said its last.
    func next() throws(ConnectorError) -> ProgramMessage? {
        while true {
            let text: UnsafeRawBufferPointer
            switch try lines.next() {
            case .end: return nil
            case .tooLong: throw broken("A message is longer than `max.record.bytes`.")
            case .text(let line): text = line
            }
            guard let message = ProgramMessage(text) else {
                throw broken("Line \(lines.number) of what it says is no message.")
            }
            switch message.type {
            case "log": log(message)
            case "error" where message.text("disposition") != "reject": throw error(message)
            default: return message
            }
        }
    }

    /// Ends the program: it is told to stop, has some time, and is ended.
    func end() { child.end(within: settings.command.grace) }

    /// Ends a program that has said its last; throws when it did not end well.
    func checkEnd() throws(ConnectorError) {
        child.closeInput()
        let ending =
            child.waitForEnd(within: settings.command.grace)
            ?? child.end(within: settings.command.grace)
        guard ending == .exited(0) else { throw died(ending) }
    }

    /// The error of a program that ended in the middle.
    func died() -> ConnectorError {
        died(
            child.waitForEnd(within: settings.command.grace)
                ?? child.end(within: settings.command.grace)
        )
    }

    /// The error of a program that does not keep to the protocol.
    func broken(_ what: String) -> ConnectorError {
        ConnectorError(
            .init("subprocess.protocol"),
            .failTask,
            "The program `\(child.name)` does not keep to the protocol. \(what)",
            hint: "docs/subprocess-protocol.md says what it may say."
        )
    }

    private func died(_ ending: ChildEnding) -> ConnectorError {
        ConnectorError(
            .init("subprocess.ended"),
            .retry(after: nil),
            "The program `\(child.name)` \(ending).",
            hint: "What it said is in the log."
        )
    }

    private func greet(_ role: String) throws(ConnectorError) {
        dialogue.deadline = .now + settings.startTimeout
        let hello: JSONDocument = [
            "type": "hello", "protocol": .int(Self.version), "role": .string(role),
            "connector": .string(context.name), "task": .int(Int64(context.taskID)),
            "tasks": .int(Int64(context.taskCount)),
        ]
        try dialogue.tell(hello.text)
        guard let answer = try next() else { throw died() }
        guard answer.type == "hello", answer.number("protocol") == Self.version else {
            throw broken("Its first message is no `hello` with protocol \(Self.version).")
        }
        capabilities = Set(answer.document("capabilities")?.array?.compactMap(\.string) ?? [])
        dialogue.deadline = nil
    }

    private func log(_ message: ProgramMessage) {
        let level = message.text("level").flatMap { Logger.Level(rawValue: $0) } ?? .info
        context.logger.log(
            level: level,
            "\(context.redact(message.text("message") ?? ""))",
            metadata: ["program": "\(child.name)"]
        )
    }

    private func error(_ message: ProgramMessage) -> ConnectorError {
        let delay = message.number("after_ms").map { Duration.milliseconds($0) }
        return ConnectorError(
            .init("subprocess.error"),
            message.text("disposition") == "retry" ? .retry(after: delay) : .failTask,
            context.redact(message.text("message") ?? "The program says that it failed."),
            hint: message.text("hint").map { context.redact($0) }
        )
    }
}
