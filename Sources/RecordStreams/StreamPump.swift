public import ConnectorSDK

/// Reads one stream to its end, and sends its records with their positions.
public final class StreamPump {
    private let reader: any RecordReader
    private let input: ByteInput
    private let topic: String
    private let origin: String
    private let outlet: any RecordOutlet
    private let position: (ReaderPosition) -> SourcePosition
    private var hasSent = false

    /// Makes a pump.
    ///
    /// - Parameters:
    ///   - reader: makes records.
    ///   - input: where the reader stands.
    ///   - topic: where the records go.
    ///   - origin: what they are said to come from, such as `stdin`.
    ///   - outlet: takes them.
    ///   - position: makes the source's position of the reader's.
    public init(
        _ reader: any RecordReader,
        _ input: ByteInput,
        topic: String,
        origin: String,
        into outlet: any RecordOutlet,
        position: @escaping (ReaderPosition) -> SourcePosition
    ) {
        self.reader = reader
        self.input = input
        self.topic = topic
        self.origin = origin
        self.outlet = outlet
        self.position = position
    }

    /// Reads until the stream ends, the task must stop, or nothing behind a place can be read.
    ///
    /// In the last case the rest becomes one rejected record, so that `errors.tolerance` decides:
    /// the task fails, or the stream is done with. (D6)
    ///
    /// - Returns: `false` when the task was told to stop before the stream's end.
    @discardableResult
    public func run() async throws(ConnectorError) -> Bool {
        while true {
            // While nothing comes, what was sent becomes durable and is acknowledged.
            if hasSent, input.wouldWait {
                try await outlet.settle()
                hasSent = false
            }
            if outlet.isStopping { return false }
            let batch = outlet.makeBatch(topic: topic, schema: .opaque)
            batch.origin = origin
            let (goesOn, failure) = read(into: batch)
            if let failure, failure.code != .cancelled {
                guard failure.kind == .runtime else { throw failure }
                try await give(up: failure, batch)
                return true
            }
            try await send(batch)
            if failure != nil { return false }
            if !goesOn { return true }
        }
    }

    private func read(into batch: RecordBatch) -> (goesOn: Bool, failure: ConnectorError?) {
        do throws(ConnectorError) {
            return (try reader.read(input, into: batch), nil)
        } catch {
            return (false, error)
        }
    }

    private func send(_ batch: RecordBatch) async throws(ConnectorError) {
        guard batch.count > 0 || !batch.rejections.isEmpty else { return }
        // A reader that empties the batch, to give it columns, leaves no origin.
        batch.origin = origin
        batch.recordContext = reader.recordContext
        hasSent = true
        // D3: the records and the place behind them are one commit.
        try await outlet.send(batch, position: position(reader.position))
    }

    private func give(up error: ConnectorError, _ batch: RecordBatch) async throws(ConnectorError) {
        let place = reader.position
        var rejected = error
        rejected.disposition = .rejectRecord
        rejected.message =
            "The rest of \(origin) from line \(place.line), byte \(place.byte), cannot be read: "
            + error.message
        var record = RejectedRecord(
            error: rejected,
            topic: topic,
            value: [],
            offset: place.byte,
            line: place.line
        )
        record.isCut = true
        batch.origin = origin
        batch.reject(record)
        try await send(batch)
    }
}
