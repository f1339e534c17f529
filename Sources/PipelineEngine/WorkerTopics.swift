internal import ConnectorSDK
internal import Topics

/// The topics of a run, as one task of a connector may use them.
final class WorkerTopics: TopicAccess {
    private let task: TaskEnvironment
    private let assignment: PartitionAssignment
    private let start: SinkStart

    init(_ task: TaskEnvironment) throws(ConnectorError) {
        self.task = task
        assignment = PartitionAssignment(try task.plan.selection(), task)
        start = try SinkStart(task)
    }

    var mayEnd: Bool { task.control.mayEnd(task.plan.name) }

    func partitions() throws(ConnectorError) -> [TopicPartition] { try assignment.partitions() }

    func open(_ partitions: [TopicPartition]) throws(ConnectorError) -> [any PartitionReader] {
        let (plan, store) = (task.plan, task.store)
        let group = try store.groupOffsets(plan.group)
        // The group has what was asked for already: a source keeps no offsets elsewhere.
        let note = try OffsetReset.pending(of: plan.group, for: partitions, in: store)
        if !note.isEmpty { try OffsetReset.applied(note, of: plan.group, in: store) }
        var initial: [TopicPartition: Int64?] = [:]
        var readers: [any PartitionReader] = []
        for id in partitions {
            let offset = try start.offset(of: id, own: nil, group: group[id])
            try start.checkNothingLost([(id, offset)])
            readers.append(
                LossNoticingReader(try store.makeReader(id, from: offset), of: id, start, task)
            )
            task.status.reads(id, from: offset)
            if group[id] == nil { initial[id] = offset }
        }
        // From now on the group counts for retention, and a start at the end stays where it was.
        if !initial.isEmpty { try store.commitGroupOffsets(plan.group, initial) }
        try store.add(task.signal, for: partitions)
        return readers
    }

    func makeAppender(
        _ placement: RecordPlacement
    ) throws(ConnectorError) -> any TopicAppender {
        try GroupAppender(task, placement)
    }
}

/// A reader that says how many records are lost when retention was faster. (D6)
private final class LossNoticingReader: PartitionReader {
    private let reader: any PartitionReader
    private let partition: TopicPartition
    private let start: SinkStart
    private let task: TaskEnvironment
    /// Where the partition ended when nothing more was to come in this run.
    private var end: Int64?

    init(
        _ reader: any PartitionReader,
        of partition: TopicPartition,
        _ start: SinkStart,
        _ task: TaskEnvironment
    ) {
        self.reader = reader
        self.partition = partition
        self.start = start
        self.task = task
    }

    var nextOffset: Int64 { reader.nextOffset }

    func seek(to offset: Int64) throws(ConnectorError) { try reader.seek(to: offset) }

    func read(into batch: RecordBatch) throws(ConnectorError) -> Int {
        do throws(ConnectorError) {
            return try readToEnd(into: batch)
        } catch {
            guard error.code == .offsetOutOfRange else { throw error }
            try start.checkNothingLost([(partition, reader.nextOffset)])
            throw error
        }
    }

    /// Reads what has come; before a run ends, also what is committed and still on its way. (D6)
    private func readToEnd(into batch: RecordBatch) throws(ConnectorError) -> Int {
        let count = try reader.read(into: batch)
        guard count == 0, task.control.mayEnd(task.plan.name) else { return count }
        if end == nil { end = try task.store.offsets(of: partition).end }
        let end = end ?? 0
        while reader.nextOffset < end, !task.control.isStopping {
            task.signal.wait(timeout: SinkTask.arrival)
            let count = try reader.read(into: batch)
            guard count == 0 else { return count }
        }
        return 0
    }
}

/// Appends for a sink, and commits records and group offsets in one unit. (D2, D3)
private final class GroupAppender: TopicAppender {
    private let task: TaskEnvironment
    private let producer: any TopicProducer
    private let writer: TopicWriter
    private let keepsPartitions: Bool
    private var unit = CommitUnit()

    init(_ task: TaskEnvironment, _ placement: RecordPlacement) throws(ConnectorError) {
        self.task = task
        keepsPartitions = placement == .keep
        producer = try task.makeProducer(.link)
        let configuration = task.plan.configuration
        let (plan, store) = (task.plan, task.store)
        writer = TopicWriter(
            producer: producer,
            provisioner: task.provisioner,
            store: store,
            converters: try ConverterPair(configuration, catalog: task.catalog),
            strategy: .sticky
        ) { (topic) throws(ConnectorError) in
            try TopicProvisioner.written(topic, by: plan, in: store)
        }
    }

    func committedOffsets(
        of partitions: [TopicPartition]
    ) throws(ConnectorError) -> [TopicPartition: Int64] {
        try task.store.groupOffsets(task.plan.group).filter { partitions.contains($0.key) }
    }

    func append(_ batch: RecordBatch, to topic: String) throws(ConnectorError) {
        let origin = batch.topic
        if !keepsPartitions {
            for row in batch.indices { batch.metadata(row).pointee.partition = -1 }
        }
        batch.topic = topic
        var rejections: [Rejection] = []
        _ = try writer.append(batch, to: &unit, rejections: &rejections)
        batch.topic = origin
        for rejection in rejections { batch.reject(rejection.record) }
    }

    func commit(_ offsets: [TopicPartition: Int64]) throws(ConnectorError) {
        var complete = unit
        unit = CommitUnit()
        for (partition, offset) in offsets {
            complete.groupOffsets.append((task.plan.group, partition, offset))
        }
        guard !complete.batches.isEmpty || !complete.groupOffsets.isEmpty else { return }
        let ticket = try producer.submit(complete)
        _ = try producer.waitUntilDurable(through: ticket, deadline: nil)
    }

    func close() { producer.close() }
}
