import ConnectorSDK
import Synchronization

/// What a ``ScriptedSink`` does, and the target it writes to; shared by all its instances.
final class SinkScript: Sendable {
    /// What is durable in the target, and what was done to the instances.
    struct Target {
        var rows: [TopicPartition: [String]] = [:]
        var offsets: [TopicPartition: Int64] = [:]
        var opened: [[TopicPartition]] = []
        var closed = 0
        var writes: [[String]] = []
        var commits = 0
        var idled = 0
        /// Of each instance, whether it had to answer for each batch.
        var answersEachBatch: [Bool] = []
    }

    let input: SinkInput
    /// Whether the target keeps the offsets, in one transaction with the rows.
    let isTransactional: Bool
    let preferredRecords: Int
    /// Whether what is refused is refused when batches are committed, unless it must be at once.
    let refusesTogether: Bool
    let refuses: @Sendable (String) -> Bool
    let onWrite: @Sendable (SinkScript, [String]) throws(ConnectorError) -> Void
    /// Called behind a commit that succeeded: what it throws is a lost answer.
    let afterCommit: @Sendable (Int) throws(ConnectorError) -> Void
    private let state = Mutex(Target())

    init(
        input: SinkInput = .opaque,
        isTransactional: Bool = true,
        preferredRecords: Int = 16_384,
        refusesTogether: Bool = false,
        refuses: @escaping @Sendable (String) -> Bool = { _ in false },
        onWrite: @escaping @Sendable (SinkScript, [String]) throws(ConnectorError) -> Void = {
            (_, _) throws(ConnectorError) in
        },
        afterCommit: @escaping @Sendable (Int) throws(ConnectorError) -> Void = {
            (_) throws(ConnectorError) in
        }
    ) {
        self.input = input
        self.isTransactional = isTransactional
        self.preferredRecords = preferredRecords
        self.refusesTogether = refusesTogether
        self.refuses = refuses
        self.onWrite = onWrite
        self.afterCommit = afterCommit
    }

    var target: Target { state.withLock { $0 } }

    /// All rows, by partition and then in order.
    var rows: [String] {
        target.rows.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    func note(_ change: (inout Target) -> Void) { state.withLock { change(&$0) } }
}

/// A sink that follows the script whose name its configuration holds.
final class ScriptedSink: SinkConnector {
    static let name = "scripted"
    static let summary = "Follows a script."
    static let scripts = Registry<SinkScript>()
    private static let script = ConfigKey<String>.required("script", help: "The script.")
    static let configuration = ConfigSpec().with(script)

    private let script: SinkScript
    private let answersEachBatch: Bool
    private var pending: [(partition: TopicPartition, text: String)] = []

    init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        let script = try Self.scripts.get(try configuration.get(Self.script))
        self.script = script
        answersEachBatch = context.answersEachBatch || !script.refusesTogether
        script.note { $0.answersEachBatch.append(context.answersEachBatch) }
    }

    var input: SinkInput { script.input }

    var preferredTransactionRecords: Int { script.preferredRecords }

    func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? {
        script.note { $0.opened.append(partitions) }
        guard script.isTransactional else { return nil }
        return script.target.offsets.filter { partitions.contains($0.key) }
    }

    func write(_ batch: RecordBatch) async throws(ConnectorError) {
        let texts = batch.indices.map { batch.text($0) }
        if answersEachBatch, texts.contains(where: script.refuses) {
            throw ConnectorError(.init("scripted.refused"), .rejectRecord, "The target refuses it.")
        }
        try script.onWrite(script, texts)
        script.note { $0.writes.append(texts) }
        for (row, text) in texts.enumerated() {
            let place = TopicPartition(batch.topic, batch[metadata: row].partition)
            pending.append((place, text))
        }
    }

    func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError) {
        let pending = self.pending
        if pending.contains(where: { script.refuses($0.text) }) {
            throw ConnectorError(.refusedTogether, .retry(after: .zero), "One of them is refused.")
        }
        script.note { target in
            for row in pending { target.rows[row.partition, default: []].append(row.text) }
            if script.isTransactional { target.offsets.merge(offsets) { $1 } }
            target.commits += 1
        }
        self.pending = []
        try script.afterCommit(script.target.commits)
    }

    func idle() async throws(ConnectorError) { script.note { $0.idled += 1 } }

    func close() async { script.note { $0.closed += 1 } }
}

extension RecordBatch {
    /// A record as a test compares it: `key|name=value,…`, or the bytes as they are.
    func text(_ row: Int) -> String {
        let values =
            schema.isOpaque
            ? String(decoding: self[row, 0].slice, as: UTF8.self)
            : fields(schema) { self[row, $0] }
        guard let keySchema, let cells = keyRow(row) else { return values }
        let key =
            keySchema.isOpaque
            ? String(decoding: cells.pointee.slice, as: UTF8.self)
            : fields(keySchema) { cells[$0] }
        return "\(key)|\(values)"
    }

    private func fields(_ schema: Schema, cell: (Int) -> Cell) -> String {
        schema.names.enumerated().compactMap { column, name in
            switch Value(cell(column)) {
            case .missing: nil
            case .null: "\(name)=null"
            case .int(let value): "\(name)=\(value)"
            case .string(let text), .decimal(let text), .json(let text): "\(name)=\(text)"
            case .bool(let value): "\(name)=\(value)"
            case let other: "\(name)=\(other)"
            }
        }.joined(separator: ",")
    }
}
