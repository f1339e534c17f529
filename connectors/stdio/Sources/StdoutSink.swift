public import ConnectorSDK

/// Writes records to standard output, and nothing else.
///
/// At least once: what was written and is not committed when the process dies is written again.
public final class StdoutSink: SinkConnector {
    public static let name = "stdout"
    public static let summary = "Writes records to standard output."
    public static let usesFormat = true
    static let format = ConfigKey.string(
        "format",
        default: "lines",
        importance: .high,
        help: """
            How records are written: `lines`, `json`, `csv` or `xml`. Each has keys of its own. \
            `lines` writes values as the topic holds them.
            """
    )
    public static let configuration = ConfigSpec().with(format)

    private let format: any RecordFormat
    private let context: ConnectorContext
    private var output: StandardOutput?
    /// Gives standard output; tests give another one.
    var take: (String, any RecordFormat) throws(ConnectorError) -> StandardOutput =
        StandardOutput.take

    public init(
        configuration: Configuration,
        context: ConnectorContext
    ) throws(ConnectorError) {
        self.context = context
        format = try context.formats.make(
            try configuration.get(Self.format),
            configuration: configuration
        )
        guard context.taskCount == 1 else {
            throw .invalid("tasks.max", "Standard output is written by one task.")
        }
    }

    /// Writes what belongs at the end of the stream, such as `]`, once all sinks have ended.
    public static func finish() throws(ConnectorError) { try StandardOutput.finish() }

    public var input: SinkInput { format.isOpaque ? .opaque : .fields }

    public func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? {
        output = try take(context.name, format)
        return nil
    }

    public func write(_ batch: RecordBatch) async throws(ConnectorError) {
        guard batch.count > 0 else { return }
        try output?.write(batch)
    }

    // D1: the offsets move only behind what was given to whoever reads.
    public func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError) {
        try output?.flush()
    }

    public func close() async {
        output?.giveBack(by: context.name)
        output = nil
    }
}
