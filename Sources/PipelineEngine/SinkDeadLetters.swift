internal import ConnectorSDK
internal import Topics

/// Puts the records that a sink task rejects into the dead letter topic, each once.
///
/// Before the commit that passes them, dead letters must be durable; if the process dies in
/// between, the same records come again. So every append carries, in the same commit (D3), how
/// far this partition's dead letters go, as a position of `<connector>/dlq`.
final class SinkDeadLetters {
    /// How far the dead letters of a partition go.
    struct Mark: Equatable {
        /// Every offset below this was rejected into the topic or needed not be.
        var next: Int64
        /// The group's offset when the mark was made.
        ///
        /// A smaller one later means that somebody reset it: then records are read again on
        /// purpose, and rejected again.
        var committed: Int64

        /// The position's text.
        var text: String { "{\"next\":\(next),\"committed\":\(committed)}" }

        init(next: Int64, committed: Int64) {
            self.next = next
            self.committed = committed
        }

        /// Reads a position's text.
        init?(_ text: String) {
            let numbers = text.split { !"-0123456789".contains($0) }.compactMap { Int64($0) }
            guard numbers.count == 2 else { return nil }
            self.init(next: numbers[0], committed: numbers[1])
        }

        /// Whether a record is a dead letter already: it was rejected before a crash that came
        /// before the commit, and `committed` is where the group stands now.
        func covers(_ offset: Int64, committed now: Int64) -> Bool {
            committed <= now && offset >= now && offset < next
        }
    }

    /// Under which name a connector's marks are kept.
    static func positionName(of connector: String) -> String { "\(connector)/dlq" }

    private let task: TaskEnvironment
    private var producer: (any TopicProducer)?
    private var target: TopicTarget?
    private var lastTicket: Int64 = 0
    /// The marks that the store holds.
    private var marks: [TopicPartition: Mark] = [:]
    private var marksAtStart: [TopicPartition: Mark] = [:]
    private var atStart: [TopicPartition: Int64] = [:]
    private var committed: [TopicPartition: Int64] = [:]

    init(_ task: TaskEnvironment) { self.task = task }

    /// Begins at the group's offsets.
    func open(committed offsets: [TopicPartition: Int64]) throws(ConnectorError) {
        atStart = offsets
        committed = offsets
        guard task.plan.errors.tolerates else { return }
        let stored = try task.store.positions(of: Self.positionName(of: task.plan.name))
        for partition in offsets.keys {
            marks[partition] = stored["\(partition)"].flatMap { Mark($0) }
        }
        marksAtStart = marks
    }

    /// Notes offsets that the store has as the group's, and removes the marks that they pass: a
    /// mark that stayed would swallow what is rejected again after a reset of the group. (D6)
    func committed(_ offsets: [TopicPartition: Int64]) throws(ConnectorError) {
        committed.merge(offsets) { _, new in new }
        var passed: [String: String?] = [:]
        for (partition, offset) in offsets {
            guard let mark = marks[partition], offset >= mark.next else { continue }
            marks[partition] = nil
            passed.updateValue(nil, forKey: "\(partition)")
        }
        guard !passed.isEmpty else { return }
        let name = Self.positionName(of: task.plan.name)
        try task.store.setPositions(of: name, to: passed)
    }

    /// Hands the rejected records of one batch, ordered by offset, to the dead letter topic.
    ///
    /// `next` is the offset behind the batch. Where `hasKeys` says that its records have keys,
    /// these are read again. Returns how many were not dead letters already.
    func append(
        _ rejections: [Rejection],
        of partition: TopicPartition,
        before next: Int64,
        hasKeys: Bool,
        by handler: RejectionHandler
    ) throws(ConnectorError) -> Int {
        let mark = marksAtStart[partition], start = atStart[partition] ?? -1
        var letters = rejections.filter {
            !(mark?.covers($0.record.offset, committed: start) ?? false)
        }
        guard let first = letters.first else { return 0 }
        if hasKeys {
            try OriginalRecords.restore(
                &letters,
                of: partition,
                from: first.record.offset,
                store: task.store
            )
        }
        let (producer, target) = try destination()
        var unit = CommitUnit()
        try handler.append(letters, to: target, unit: &unit)
        let reached = Mark(next: next, committed: committed[partition] ?? -1)
        unit.positions.append(
            (
                Self.positionName(of: task.plan.name),
                SourcePosition(partition: "\(partition)", offset: reached.text)
            )
        )
        lastTicket = try producer.submit(unit)
        marks[partition] = reached
        return letters.count
    }

    /// Waits until all dead letters are durable.
    func settle() throws(ConnectorError) {
        guard let producer, lastTicket > 0 else { return }
        _ = try producer.waitUntilDurable(through: lastTicket, deadline: nil)
        lastTicket = 0
    }

    /// Lets go of the producer, after it is known what of the dead letters is durable: the next
    /// attempt reads the marks.
    func close() {
        try? settle()
        producer?.close()
    }

    private func destination() throws(ConnectorError) -> (any TopicProducer, TopicTarget) {
        if let producer, let target { return (producer, target) }
        let name = task.plan.errors.deadLetterTopic ?? ""
        let topic = try task.provisioner.topic(name, orCreate: TopicProvisioner.deadLetters(name))
        let made = try task.makeProducer(.deadLetters)
        let target = TopicTarget(topic, producer: made, strategy: .sticky)
        producer = made
        self.target = target
        return (made, target)
    }
}

/// Reads rejected records again, as the topic holds them: converters replace a batch's keys.
enum OriginalRecords {
    /// Completes rejections, which ascend by offset, with the keys that the topic has.
    static func restore(
        _ rejections: inout [Rejection],
        of partition: TopicPartition,
        from first: Int64,
        store: any TopicStore
    ) throws(ConnectorError) {
        let reader = try store.makeReader(partition, from: first)
        let batch = RecordBatch()
        var index = 0
        while index < rejections.count {
            batch.reset(topic: partition.topic)
            guard try reader.read(into: batch) > 0 else { return }
            for row in batch.indices {
                let offset = batch.metadata(row).pointee.offset
                while index < rejections.count, rejections[index].record.offset < offset {
                    index += 1
                }
                guard index < rejections.count else { return }
                guard rejections[index].record.offset == offset else { continue }
                if let key = batch.keyRow(row), !key.pointee.isNil {
                    rejections[index].key = Array(key.pointee.slice)
                }
                index += 1
            }
        }
    }
}
