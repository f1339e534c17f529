internal import ChildProcesses
public import ConnectorSDK
internal import JSONDocuments
internal import Logging
internal import RecordStreams

/// Reads records from a program, in any language, that speaks our protocol.
public final class SubprocessSource: SourceConnector {
    public static let name = "subprocess"
    public static let summary = "Reads records from a program in any language."

    static let topic = ConfigKey<String?>.optional(
        "topic",
        help: "The topic of records that name none."
    )
    static let credit = ConfigKey.int(
        "max.records.in.flight",
        default: 10_000,
        in: 1...1_000_000,
        help: """
            How many records the program may send before those before them are taken; it sends a \
            position at least as often.
            """
    )
    static let bytes = ConfigKey.size(
        "max.bytes.in.flight",
        default: 64 << 20,
        in: 1 << 10...1 << 34,
        help: """
            How long the records may be in all that the program sends before it sends a position: \
            they are kept until then.
            """
    )
    static let isBoundedKey = ConfigKey.bool(
        "bounded",
        default: false,
        help: """
            Whether the program ends by itself. One that ends and is not bounded is started again.
            """
    )
    public static let configuration = SubprocessSettings.spec
        .with(topic).with(credit).with(bytes).with(isBoundedKey)

    private let settings: SubprocessSettings
    private let topic: String?
    private let credit: Int
    private let byteLimit: Int
    private let context: ConnectorContext
    private var conversation: Conversation?
    /// Records that were taken and not yet given credit for.
    private var taken: Int64 = 0
    public let isBounded: Bool

    public init(
        configuration: Configuration,
        context: ConnectorContext
    ) throws(ConnectorError) {
        settings = try SubprocessSettings(configuration)
        topic = try configuration.get(Self.topic)
        credit = try configuration.get(Self.credit)
        byteLimit = try configuration.get(Self.bytes)
        isBounded = try configuration.get(Self.isBoundedKey)
        self.context = context
    }

    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        taken = 0
        let intake = RecordIntake(topic: topic, origin: context.name, into: outlet)
        var isOver = false
        do throws(ConnectorError) {
            let talk = try Conversation(
                settings,
                context,
                role: "source",
                isStopping: { outlet.isStopping }
            )
            conversation = talk
            try talk.dialogue.tell(start(positions))
            try await read(talk, intake, into: outlet)
            isOver = true
        } catch {
            guard error.code == .cancelled else {
                conversation?.end()
                throw error
            }
        }
        defer { conversation = nil }
        guard let talk = conversation else { return }
        guard isOver else { return try await stop(talk, intake, outlet) }
        try await outlet.settle()
        try talk.checkEnd()
        guard isBounded || context.untilEnd else {
            throw ConnectorError(
                .init("subprocess.ended"),
                .retry(after: nil),
                "The program has ended.",
                hint: "Set `bounded` if that is right."
            )
        }
    }

    /// D1: what the program is told of is durable.
    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {
        for position in positions {
            var line = JSONObjectText()
            line.add("type", "ack")
            line.add("partition", position.partition)
            line.add("offset", .raw(position.offset))
            try conversation?.dialogue.tell(line.closed())
        }
    }

    private func start(_ positions: [String: String]) -> String {
        var line = JSONObjectText()
        line.add("type", "start")
        line.add("config", .raw(settings.config))
        let places = positions.sorted { $0.key < $1.key }
            .map { ($0.key, JSONDocument.raw($0.value)) }
        line.add("positions", .object(places))
        line.add("credit", Int64(credit))
        line.add("until_end", context.untilEnd)
        return line.closed()
    }

    private func read(
        _ talk: Conversation,
        _ intake: RecordIntake,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        var isSettled = true
        while true {
            // While nothing comes, what was sent becomes durable and is acknowledged.
            if !isSettled, talk.lines.isAtWindowEnd, talk.dialogue.isSilent {
                try await outlet.settle()
                isSettled = true
            }
            guard let message = try talk.next() else { throw talk.died() }
            switch message.type {
            case "record":
                let problem = intake.add(message, talk.lines.input.chunk)
                if let problem { throw talk.broken("A record: \(problem)") }
                guard intake.count <= Int64(credit) else {
                    throw talk.broken("It sends more records than it has credit for.")
                }
                // D7: they are kept until the position comes.
                guard intake.bytes <= byteLimit || intake.count == 1 else {
                    throw talk.broken(
                        "It sends more than \(byteLimit) bytes (`max.bytes.in.flight`) without a "
                            + "position."
                    )
                }
            case "position":
                try await send(intake, message, talk, outlet)
                try giveCredit(talk)
                isSettled = false
            case "end":
                guard intake.count == 0 else {
                    throw talk.broken("It ends with records behind its last position.")
                }
                return
            default: throw talk.broken("It says `\(message.type)`.")
            }
        }
    }

    /// Sends records with the position behind them, all or nothing, and gives credit anew. (D3)
    private func send(
        _ intake: RecordIntake,
        _ message: ProgramMessage,
        _ talk: Conversation,
        _ outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        guard let partition = message.text("partition"), let offset = message.document("offset")
        else { throw talk.broken("A position lacks `partition` or `offset`.") }
        let count = intake.count
        let batches = intake.take()
        let position = SourcePosition(partition: partition, offset: offset.text)
        if batches.isEmpty {
            try await outlet.advance(to: position)
        } else {
            try await outlet.send(batches, position: position)
        }
        taken += count
    }

    /// Lets the program send as many records more as were taken.
    private func giveCredit(_ talk: Conversation) throws(ConnectorError) {
        guard taken > 0 else { return }
        var line = JSONObjectText()
        line.add("type", "credit")
        line.add("records", taken)
        taken = 0
        try talk.dialogue.tell(line.closed())
    }

    /// Tells the program to stop, and takes what it has to say until then.
    private func stop(
        _ talk: Conversation,
        _ intake: RecordIntake,
        _ outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        talk.dialogue.isStopping = { false }
        talk.dialogue.deadline = .now + settings.command.grace
        do throws(ConnectorError) {
            try talk.dialogue.tell("{\"type\":\"stop\"}")
            while let message = try talk.next(), message.type != "end" {
                switch message.type {
                case "record":
                    _ = intake.add(message, talk.lines.input.chunk)
                case "position": try await send(intake, message, talk, outlet)
                default: continue
                }
            }
            try await outlet.settle()
        } catch {
            context.logger.debug("stopped", metadata: ["error": "\(error.description)"])
        }
        talk.end()
    }
}
