import ConnectorSDK

/// Counts down from a number, one record each.
final class CountdownSource: SourceConnector {
    static let name = "countdown"
    static let summary = "Counts down from a number."

    static let from = ConfigKey.int("from", default: 10, in: 1...1_000_000, help: "The start.")
    static let topic = ConfigKey.required("topic", help: "The topic the records go to.")
    static let configuration = ConfigSpec().with(from).with(topic)

    let isBounded = true
    private let start: Int
    private let topicName: String

    init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        start = try configuration.get(Self.from)
        topicName = try configuration.get(Self.topic)
    }

    func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        // The position is whatever this source wrote with its last durable batch.
        var next = positions["countdown"].flatMap { Int($0) } ?? start
        while next > 0 && !outlet.isStopping {
            let batch = outlet.makeBatch(topic: topicName, schema: Schema(["n", "text"]))
            while next > 0 && !batch.isFull {
                batch.append(["n": .int(Int64(next)), "text": .string("T minus \(next)")])
                next -= 1
            }
            try await outlet.send(
                batch,
                position: SourcePosition(partition: "countdown", offset: String(next))
            )
        }
    }

    func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {
        // The records are durable. A source of files would move the file now.
    }
}
