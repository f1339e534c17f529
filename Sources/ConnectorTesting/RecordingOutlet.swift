public import ConnectorSDK

/// An outlet for tests: keeps copies of what a source sends, and plays an engine to it.
///
/// It acknowledges as its ``durability`` says, stops the source when told to, and makes the faults
/// that are scripted. It never waits for time to pass.
public final class RecordingOutlet: RecordOutlet {
    /// When what was sent becomes durable.
    public enum Durability: Sendable {
        /// With the next call of the source.
        case atOnce
        /// When the source settles.
        case whenSettled
        /// Not before ``RecordingOutlet/release()``; settling fails as if the task was stopped.
        case held
    }

    /// What goes wrong with one `send`.
    public enum Fault: Sendable {
        /// The batch is refused: nothing of it is kept.
        case refuse(ConnectorError)
        /// The batch is kept, but the source gets this error: the lost answer.
        case loseAnswer(ConnectorError)
    }

    /// One call of `send`, `advance` or `forget`.
    public struct Sent: Sendable {
        /// The topic, of several the first; empty for `advance` and `forget`.
        public var topic: String
        /// The records.
        public var records: [CapturedRecord]
        /// The records that could not be read.
        public var rejections: [RejectedRecord]
        /// The position behind them.
        public var position: SourcePosition
        /// Whether the part was forgotten instead; the position's offset is then empty.
        public var isForgotten = false
    }

    /// When what was sent becomes durable.
    public var durability: Durability
    /// Whether rejected records are tolerated; else the first one's error is thrown.
    public var toleratesRejections = true
    /// The source stops after so many calls of `send`.
    public var stopAfterSends = Int.max
    /// The source stops after so many calls of `idle`.
    public var stopAfterIdling = 0
    /// Called in each `idle`, with how many there were before: the place to change the input.
    public var onIdle: ((Int) throws -> Void)?
    /// Called when the source settles, before anything becomes durable.
    public var onSettle: (() throws -> Void)?
    /// What goes wrong, by the number of the `send`, counted from 0.
    public var faults: [Int: Fault] = [:]
    /// Everything sent, in order.
    public private(set) var sent: [Sent] = []
    /// The positions that are durable and acknowledged, the latest of each part.
    public private(set) var durablePositions: [String: String] = [:]
    /// Whether the source should return.
    public private(set) var isStopping = false

    private let source: any SourceConnector
    private var pending: [(position: SourcePosition, isForgotten: Bool)] = []
    private var sends = 0
    private var idles = 0

    /// Makes an outlet for `source`, whose `acknowledge` it calls.
    public init(for source: any SourceConnector, durability: Durability = .atOnce) {
        self.source = source
        self.durability = durability
    }

    /// All records sent, in order.
    public var records: [CapturedRecord] { sent.flatMap(\.records) }

    /// The texts of all opaque records, in order.
    public var texts: [String] { records.compactMap(\.text) }

    /// All records that could not be read, in order.
    public var rejections: [RejectedRecord] { sent.flatMap(\.rejections) }

    /// The latest position sent of each part: where a new source goes on after a clean stop.
    public var positions: [String: String] {
        Self.positions(after: sent[...])
    }

    /// The latest position of each part after some of what was sent.
    public static func positions(after sent: some Collection<Sent>) -> [String: String] {
        var positions: [String: String] = [:]
        for item in sent {
            positions[item.position.partition] = item.isForgotten ? nil : item.position.offset
        }
        return positions
    }

    /// Tells the source to stop.
    public func stop() { isStopping = true }

    /// Makes everything sent so far durable and acknowledges it.
    public func release() async throws(ConnectorError) {
        guard !pending.isEmpty else { return }
        let durable = pending
        pending.removeAll()
        var latest: [String: SourcePosition] = [:]
        for (position, isForgotten) in durable {
            durablePositions[position.partition] = isForgotten ? nil : position.offset
            if !isForgotten { latest[position.partition] = position }
        }
        guard !latest.isEmpty else { return }
        try await source.acknowledge(through: Array(latest.values))
    }

    public func makeBatch(topic: String, schema: Schema) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: topic, schema: schema)
        return batch
    }

    public func send(
        _ batch: RecordBatch,
        position: SourcePosition
    ) async throws(ConnectorError) {
        try await send([batch], position: position)
    }

    public func send(
        _ batches: [RecordBatch],
        position: SourcePosition
    ) async throws(ConnectorError) {
        if durability == .atOnce { try await release() }
        let fault = faults[sends]
        sends += 1
        if sends >= stopAfterSends { isStopping = true }
        if case .refuse(let error) = fault { throw error }
        let rejections = batches.flatMap { $0.takeRejections() }
        if !toleratesRejections, let first = rejections.first { throw first.error }
        sent.append(
            Sent(
                topic: batches.first?.topic ?? "",
                records: batches.flatMap { CapturedRecord.all(of: $0) },
                rejections: rejections,
                position: position
            )
        )
        pending.append((position, false))
        if case .loseAnswer(let error) = fault { throw error }
    }

    public func advance(to position: SourcePosition) async throws(ConnectorError) {
        if durability == .atOnce { try await release() }
        sent.append(Sent(topic: "", records: [], rejections: [], position: position))
        pending.append((position, false))
    }

    public func forget(_ partition: String) async throws(ConnectorError) {
        if durability == .atOnce { try await release() }
        let position = SourcePosition(partition: partition, offset: "")
        sent.append(
            Sent(topic: "", records: [], rejections: [], position: position, isForgotten: true)
        )
        pending.append((position, true))
    }

    public func settle() async throws(ConnectorError) {
        try call(onSettle)
        guard durability != .held else {
            throw ConnectorError(.cancelled, .failTask, "Nothing becomes durable.")
        }
        try await release()
    }

    public func idle(for duration: Duration) async throws(ConnectorError) {
        if durability != .held { try await release() }
        let number = idles
        idles += 1
        if idles > stopAfterIdling {
            isStopping = true
            return
        }
        try call { [onIdle] in try onIdle?(number) }
    }

    public func makeWaker() -> @Sendable () -> Void { {} }

    private func call(_ script: (() throws -> Void)?) throws(ConnectorError) {
        do {
            try script?()
        } catch {
            throw ConnectorError(.init("testing.script"), .failTask, "The script failed: \(error)")
        }
    }
}
