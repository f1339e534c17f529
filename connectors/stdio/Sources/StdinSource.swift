public import ConnectorSDK
internal import RecordStreams

/// Reads the records of standard input.
///
/// A pipe gives its bytes once: what was read and is not durable when the process is killed is
/// lost. When the task starts again in the same process, it goes on behind its last durable record.
public final class StdinSource: SourceConnector {
    public static let name = "stdin"
    public static let summary = "Reads the records of standard input, to its end."
    public static let configuration = StreamSettings.spec
    public static let usesFormat = true

    private let settings: StreamSettings
    private let format: any RecordFormat
    private let context: ConnectorContext
    private var input: StandardInput?
    /// Gives standard input; tests give another one.
    var take: (String) throws(ConnectorError) -> StandardInput = StandardInput.take

    public init(
        configuration: Configuration,
        context: ConnectorContext
    ) throws(ConnectorError) {
        settings = try StreamSettings(configuration)
        self.context = context
        format = try context.formats.make(settings.formatName, configuration: configuration)
        guard context.taskCount == 1 else {
            throw .invalid("tasks.max", "Standard input is read by one task.")
        }
    }

    public var isBounded: Bool { true }

    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        let input = try take(context.name)
        defer { input.giveBack(by: context.name) }
        self.input = input
        // The place of another process is a place in other input.
        let stored = positions[StdinPosition.partition].flatMap { StdinPosition($0) }
        let start = stored?.run == input.run ? stored?.reader : nil
        let reader = try format.makeReader(at: start)
        if let start, start.record > 0, !reader.startsAtByte { throw StandardInput.passed }
        let text: ByteInput
        do throws(ConnectorError) {
            text = try input.open(
                at: start?.byte ?? 0,
                settings,
                for: format,
                isStopping: { outlet.isStopping }
            )
        } catch {
            guard error.code == .cancelled else { throw error }
            return
        }
        let pump = StreamPump(
            reader,
            text,
            topic: settings.topic,
            origin: StdinPosition.partition,
            into: outlet
        ) {
            SourcePosition(
                partition: StdinPosition.partition,
                offset: StdinPosition(run: input.run, reader: $0).text
            )
        }
        try await pump.run()
        try await outlet.settle()
    }

    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {
        for position in positions {
            guard let place = StdinPosition(position.offset) else { continue }
            input?.release(through: place.reader.byte)
        }
    }
}
