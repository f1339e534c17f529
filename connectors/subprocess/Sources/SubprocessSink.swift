internal import ChildProcesses
public import ConnectorSDK
internal import JSONDocuments
internal import RecordStreams

/// Gives records to a program, in any language, that speaks our protocol.
///
/// A commit is complete when the program says so. One that keeps the offsets with the records, and
/// says at its start what it has, is exactly-once; any other is at least once. (D1, D2)
public final class SubprocessSink: SinkConnector {
    public static let name = "subprocess"
    public static let summary = "Gives records to a program in any language."

    static let commitTimeout = ConfigKey.duration(
        "commit.timeout.ms",
        default: .seconds(300),
        in: .milliseconds(1) ... .seconds(86_400),
        help: """
            How long the program may take to answer a commit, and how long it may read nothing \
            while records wait for it.
            """
    )
    public static let configuration = SubprocessSettings.spec.with(commitTimeout)

    // More than the program has room for waits here, up to so much. (D7)
    private static let queueLimit = 4 << 20

    private let settings: SubprocessSettings
    private let commitTimeout: Duration
    private let context: ConnectorContext
    private let output = OutputBuffer()
    private var text: RecordText
    private var conversation: Conversation?
    private var number: Int64 = 0

    public init(
        configuration: Configuration,
        context: ConnectorContext
    ) throws(ConnectorError) {
        settings = try SubprocessSettings(configuration)
        commitTimeout = try configuration.get(Self.commitTimeout)
        self.context = context
        text = RecordText(output)
    }

    public var input: SinkInput { .opaque }

    public func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? {
        let talk = try Conversation(settings, context, role: "sink", isStopping: { false })
        conversation = talk
        var line = JSONObjectText()
        line.add("type", "start")
        line.add("config", .raw(settings.config))
        line.add(
            "partitions",
            .array(partitions.map { Self.place($0) })
        )
        try talk.dialogue.tell(line.closed())
        talk.dialogue.deadline = .now + settings.startTimeout
        guard let ready = try talk.next() else { throw talk.died() }
        talk.dialogue.deadline = nil
        guard ready.type == "ready" else { throw talk.broken("It says no `ready`.") }
        guard talk.capabilities.contains("offsets") else { return nil }
        var offsets: [TopicPartition: Int64] = [:]
        for item in ready.document("offsets")?.array ?? [] {
            guard let topic = item["topic"]?.string, let next = item["offset"]?.int,
                let partition = item["partition"]?.int.flatMap({ Int32(exactly: $0) })
            else { throw talk.broken("An offset of `ready` lacks topic, partition or offset.") }
            let id = TopicPartition(topic, partition)
            if partitions.contains(id) { offsets[id] = next }
        }
        return offsets
    }

    public func write(_ batch: RecordBatch) async throws(ConnectorError) {
        guard let talk = conversation else { return }
        guard !context.answersEachBatch else { return try writeOneByOne(batch, talk) }
        output.count = 0
        for row in batch.indices { text.append(batch, row: row) }
        try talk.dialogue.tell(output.bytes)
        // It says something only when something is wrong.
        while talk.dialogue.queued > Self.queueLimit || !talk.lines.isAtWindowEnd {
            try takeComplaint(talk)
        }
        talk.dialogue.deadline = nil
    }

    public func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError) {
        guard let talk = conversation else { return }
        // D6: a refusal that is on its way must be known before the program commits around it.
        number += 1
        talk.dialogue.deadline = .now + commitTimeout
        try talk.dialogue.tell("{\"type\":\"flush\",\"id\":\(number)}")
        try awaitAnswer("flushed", talk)
        number += 1
        var line = JSONObjectText()
        line.add("type", "commit")
        line.add("id", number)
        let places = offsets.sorted { $0.key < $1.key }.map { Self.place($0.key, offset: $0.value) }
        line.add("offsets", .array(places))
        try talk.dialogue.tell(line.closed())
        try awaitAnswer("committed", talk)
        talk.dialogue.deadline = nil
    }

    public func close() async {
        guard let talk = conversation else { return }
        conversation = nil
        try? talk.dialogue.tell("{\"type\":\"stop\"}")
        talk.dialogue.deadline = .now + settings.command.grace
        while (try? talk.next()) != nil {}
        talk.end()
    }

    private static func place(_ id: TopicPartition, offset: Int64? = nil) -> JSONDocument {
        var fields: [(String, JSONDocument)] = [
            ("topic", .string(id.topic)), ("partition", .int(Int64(id.partition))),
        ]
        if let offset { fields.append(("offset", .int(offset))) }
        return .object(fields)
    }

    private func awaitAnswer(_ type: String, _ talk: Conversation) throws(ConnectorError) {
        guard let answer = try talk.next() else { throw talk.died() }
        if answer.type == "error" { throw Self.together(refusal(answer)) }
        guard answer.type == type, answer.number("id") == number else {
            throw talk.broken("It says `\(answer.type)`, where `\(type)` \(number) was due.")
        }
    }

    /// Lets the program read, and listens to it.
    private func takeComplaint(_ talk: Conversation) throws(ConnectorError) {
        if talk.lines.isAtWindowEnd {
            // Neither side is to wait for the other.
            try talk.dialogue.drain(to: Self.queueLimit, within: commitTimeout)
            guard talk.dialogue.queued > Self.queueLimit else { return }
        }
        guard let message = try talk.next() else { throw talk.died() }
        guard message.type == "error" else { throw talk.broken("It says `\(message.type)`.") }
        throw Self.together(refusal(message))
    }

    /// Asks for an answer behind each record, so that the one at fault is known.
    private func writeOneByOne(
        _ batch: RecordBatch,
        _ talk: Conversation
    ) throws(ConnectorError) {
        var refused: [(row: Int, error: ConnectorError)] = []
        talk.dialogue.deadline = .now + commitTimeout
        for row in batch.indices {
            number += 1
            output.count = 0
            text.append(batch, row: row)
            output.append("{\"type\":\"flush\",\"id\":\(number)}\n")
            try talk.dialogue.tell(output.bytes)
            guard let answer = try talk.next() else { throw talk.died() }
            if answer.type == "error" {
                refused.append((row, refusal(answer)))
                try awaitAnswer("flushed", talk)
            } else {
                guard answer.type == "flushed", answer.number("id") == number else {
                    throw talk.broken("It says `\(answer.type)`, where `flushed` was due.")
                }
            }
        }
        talk.dialogue.deadline = nil
        // D6: dead letters, each for its own reason.
        batch.reject(refused)
    }

    private func refusal(_ message: ProgramMessage) -> ConnectorError {
        ConnectorError(
            .init("subprocess.refused"),
            .rejectRecord,
            context.redact(message.text("message") ?? "The program refuses the record.")
        )
    }

    /// The program has refused one of many records: they are given again, one by one.
    private static func together(_ cause: ConnectorError) -> ConnectorError {
        ConnectorError(.refusedTogether, .retry(after: .zero), cause.message, underlying: cause)
    }
}
