internal import ConnectorSDK
internal import Logging
internal import Synchronization
internal import Topics

/// What a source task puts its batches into: the way from records to commits.
///
/// Used only by the one task that made it.
final class SourceOutlet: RecordOutlet {
    private let plan: ConnectorPlan
    private let task: TaskEnvironment
    private let source: any SourceConnector
    private let producer: any TopicProducer
    private let writer: TopicWriter
    private let converters: ConverterPair
    private let keys: KeyExtractor?
    private let transforms: TransformChain
    private let rejected: RejectionHandler
    private let state: StateInput
    /// For a source that reads topics, here or elsewhere.
    private let topicInput: TopicInput?
    private var ledger = AcknowledgementLedger()
    private var pool: [RecordBatch] = []
    private let snapshot = RecordBatch()
    private let wakeUp = WakeUp()

    /// More than a source fills at once: one being filled, one on its way.
    ///
    /// A source that sends several topics at once takes more, one for each topic.
    private var poolLimit = 4
    private static let largestPool = 32

    init(
        _ source: any SourceConnector,
        task: TaskEnvironment,
        producer: any TopicProducer,
        catalog: PluginCatalog
    ) throws(ConnectorError) {
        let configuration = task.plan.configuration
        plan = task.plan
        self.task = task
        self.source = source
        self.producer = producer
        converters = try ConverterPair(configuration, catalog: catalog)
        let control = task.control
        transforms = try TransformChain(configuration, catalog: catalog) { control.isStopping }
        state = StateInput(task)
        try transforms.restore(state.load())
        let fields = try configuration.get(FrameworkKeys.keyFields)
        keys = fields.isEmpty ? nil : KeyExtractor(fields: fields)
        let choice = try configuration.get(FrameworkKeys.partitioner)
        let deadLetters = task.plan.errors.deadLetterTopic
        topicInput =
            task.plan.linksTopics || task.plan.mirrorsTopics
            ? TopicInput(task, converters, source.placement) : nil
        let (plan, store) = (task.plan, task.store)
        writer = TopicWriter(
            producer: producer,
            provisioner: task.provisioner,
            store: store,
            converters: converters,
            strategy: choice == .roundRobin ? .roundRobin : .sticky
        ) { (topic) throws(ConnectorError) in
            if topic == deadLetters { return TopicProvisioner.deadLetters(topic) }
            let wanted = source.partitions(of: topic)
            return try TopicProvisioner.written(topic, by: plan, in: store, like: wanted)
        }
        rejected = RejectionHandler(task.plan, taskID: task.id, logger: task.logger)
    }

    var isStopping: Bool { task.control.isStopping }

    func makeBatch(topic: String, schema: Schema) -> RecordBatch {
        let batch = pool.popLast() ?? RecordBatch()
        batch.reset(topic: topic, schema: schema)
        return batch
    }

    func send(_ batch: RecordBatch, position: SourcePosition) async throws(ConnectorError) {
        try await sendAll(CollectionOfOne(batch), position)
    }

    func send(
        _ batches: [RecordBatch],
        position: SourcePosition
    ) async throws(ConnectorError) {
        poolLimit = min(max(poolLimit, batches.count), Self.largestPool)
        try await sendAll(batches, position)
    }

    private func sendAll(
        _ batches: some Collection<RecordBatch>,
        _ position: SourcePosition
    ) async throws(ConnectorError) {
        // D3: everything of all batches is one commit.
        var unit = CommitUnit()
        var sum = (records: 0, bytes: 0)
        let total = source.inputBytes
        var read = 0
        for batch in batches {
            // Before transforms, which may leave little of it or make more.
            if total != nil { read += batch.rawBytes }
            let (records, bytes) = try encode(batch, into: &unit)
            recycle(batch)
            sum.records += records
            sum.bytes += bytes
        }
        transforms.takeChanges(of: plan.name, into: &unit)
        try await submit(unit, position, records: sum.records, bytes: sum.bytes)
        task.status.read(bytes: Int64(read), of: total)
    }

    func advance(to position: SourcePosition) async throws(ConnectorError) {
        try await submit(CommitUnit(), position, records: 0, bytes: 0)
    }

    func forget(_ partition: String) async throws(ConnectorError) {
        var unit = CommitUnit()
        unit.forgotten.append((plan.name, partition))
        let ticket = try producer.submit(unit)
        ledger.sent(ticket: ticket, position: nil, records: 0, bytes: 0)
        try await acknowledge()
    }

    func settle() async throws(ConnectorError) {
        while let ticket = ledger.lastTicket {
            _ = try producer.waitUntilDurable(through: ticket, deadline: nil)
            try await acknowledge()
        }
    }

    /// Sends what transforms give without a record: when the input has ended, or while none come.
    func sendDue(_ moment: DueMoment) async throws(ConnectorError) {
        guard transforms.keepsState else { return }
        for passed in transforms.takePassedOver() {
            task.logger.warning(
                "records passed over",
                metadata: [
                    "transform": "\(passed.transform)", "count": "\(passed.count)",
                    "reason": "\(passed.reason)",
                ]
            )
        }
        switch moment {
        case .idle: transforms.begin(try state.input(nil))
        case .end: transforms.begin(TransformInput(partition: nil))
        }
        var unit = CommitUnit()
        var rejections: [Rejection] = []
        var sum = (records: 0, bytes: 0)
        let (topicInput, writer) = (topicInput, writer)
        try transforms.due(moment, rejections: &rejections) { (part) throws(ConnectorError) in
            try topicInput?.finish(part)
            var refused: [Rejection] = []
            let (records, bytes) = try writer.append(part, to: &unit, rejections: &refused)
            // D6: a result cannot be made again, so it is no dead letter.
            if let first = refused.first { throw first.failure }
            sum.records += records
            sum.bytes += bytes
        }
        if let first = rejections.first { throw first.failure }
        transforms.takeChanges(of: plan.name, into: &unit)
        guard !unit.batches.isEmpty || !unit.states.isEmpty else { return }
        let ticket = try producer.submit(unit)
        ledger.sent(ticket: ticket, position: nil, records: sum.records, bytes: sum.bytes)
        try await acknowledge()
    }

    /// Waits until it is known of everything that was sent whether it is durable.
    ///
    /// D3: the next attempt reads the positions. What was on its way to the disk then, and became
    /// durable only afterwards, would be sent again.
    func awaitFate() {
        guard let ticket = ledger.lastTicket else { return }
        _ = try? producer.waitUntilDurable(through: ticket, deadline: nil)
    }

    func idle(for duration: Duration) async throws(ConnectorError) {
        try await sendDue(.idle)
        let end = ContinuousClock.now + duration
        while !isStopping, !wakeUp.exchange() {
            if let ticket = ledger.lastTicket {
                _ = try producer.waitUntilDurable(
                    through: ticket,
                    deadline: min(end, .now + Self.step)
                )
                try await acknowledge()
            }
            let rest = end - .now
            if rest <= .zero { return }
            guard ledger.isSettled else { continue }
            // One that reads topics looks when they have something, or may have come to their end.
            if task.signal.wait(timeout: rest), plan.linksTopics { return }
        }
    }

    func makeWaker() -> @Sendable () -> Void {
        let signal = task.signal
        let wakeUp = wakeUp
        return {
            wakeUp.set()
            signal.raise()
        }
    }

    /// How long one wait for the disk may keep the task from noticing that it must stop.
    private static let step = Duration.milliseconds(100)

    // MARK: Records to bytes

    private func encode(
        _ batch: RecordBatch,
        into unit: inout CommitUnit
    ) throws(ConnectorError) -> (records: Int, bytes: Int) {
        var rejections = batch.takeRejections().map {
            Rejection($0, .read, plugin: plan.definition.plugin)
        }
        let total = batch.count + rejections.count
        let topic = batch.topic, recordContext = batch.recordContext
        let place = plan.linksTopics ? topicInput?.place(of: batch) : nil
        if transforms.keepsState { transforms.begin(try state.input(place)) }
        let (records, bytes) = try encodeRecords(batch, &unit, &rejections)
        if rejections.isEmpty {
            try rejected.admit([], of: total)
        } else {
            for index in rejections.indices {
                // Where transforms would have sent it shows when it is replayed.
                rejections[index].record.topic = topic
                rejections[index].recordContext = recordContext
                // A partition that a source asks for is no place the record came from.
                rejections[index].record.partition = place?.partition ?? -1
                if let place { rejections[index].record.topic = place.topic }
            }
            try reject(rejections, of: total, &unit)
        }
        return (records, bytes)
    }

    private func encodeRecords(
        _ batch: RecordBatch,
        _ unit: inout CommitUnit,
        _ rejections: inout [Rejection]
    ) throws(ConnectorError) -> (records: Int, bytes: Int) {
        guard batch.count > 0 else { return (0, 0) }
        if keys == nil, transforms.isEmpty {
            keepUnlessRaw(batch)
            try topicInput?.finish(batch)
            return try writer.append(batch, to: &unit, rejections: &rejections)
        }
        batch.numberRows()
        keepUnlessRaw(batch)
        guard let topicInput else { return try encodeFields(batch, &unit, &rejections) }
        topicInput.begin(batch)
        var sum = (records: 0, bytes: 0)
        var next: RecordBatch? = batch
        while let part = next {
            try topicInput.decode(part, &rejections)
            let (records, bytes) = try encodeFields(part, &unit, &rejections)
            sum.records += records
            sum.bytes += bytes
            next = topicInput.takeRest()
        }
        return sum
    }

    private func encodeFields(
        _ batch: RecordBatch,
        _ unit: inout CommitUnit,
        _ rejections: inout [Rejection]
    ) throws(ConnectorError) -> (records: Int, bytes: Int) {
        guard batch.count > 0 else { return (0, 0) }
        if let keys {
            topicInput?.rejectTombstones(batch)
            try keys.apply(batch)
            rejections += batch.takeRejections().map {
                Rejection($0, .key, plugin: FrameworkKeys.keyFields.declaration.name)
            }
        }
        var sum = (records: 0, bytes: 0)
        let parts = try transforms.apply(batch, rejections: &rejections)
        for part in parts { try topicInput?.finish(part) }
        try writer.withdrawUnwritable(from: parts, rejections: &rejections)
        for part in parts {
            let (records, bytes) = try writer.append(part, to: &unit, rejections: &rejections)
            sum.records += records
            sum.bytes += bytes
        }
        return sum
    }

    /// Keeps a copy of records that did not arrive as bytes, or that have keys, in case one is
    /// rejected after transforms have changed it.
    private func keepUnlessRaw(_ batch: RecordBatch) {
        snapshot.reset(topic: batch.topic)
        guard plan.errors.tolerates,
            batch.metadata(0).pointee.rawAddress == 0 || batch.keySchema != nil
                || topicInput != nil
        else { return }
        batch.numberRows()
        snapshot.copyRows(batch.indices, of: batch)
    }

    /// D3: dead letters become durable with the records around them and the position.
    private func reject(
        _ rejections: [Rejection],
        of total: Int,
        _ unit: inout CommitUnit
    ) throws(ConnectorError) {
        try rejected.admit(rejections, of: total)
        guard let topic = plan.errors.deadLetterTopic else { return }
        var letters = rejections.inOrderOfSource()
        for index in letters.indices { try restore(&letters[index]) }
        try rejected.append(letters, to: try writer.target(topic), unit: &unit)
        task.status.rejected(letters.count)
    }

    /// D6: a dead letter must hold the record, with its key; one that came as fields is written
    /// as its converters write it.
    private func restore(_ rejection: inout Rejection) throws(ConnectorError) {
        let record = rejection.record
        let row = Int(record.sequence)
        guard record.row >= 0 else { return }
        if rejection.stage == .read {
            // What the source itself takes out of a batch is not in the copy.
            if record.value.isEmpty, !record.isTombstone { rejection.record.isCut = true }
            return
        }
        guard row < snapshot.count else { return }
        do {
            let encoder = RowEncoder(snapshot, converters)
            if let key = try encoder.key(row) { rejection.key = Array(key) }
            if topicInput != nil {
                let metadata = snapshot.metadata(row).pointee
                rejection.record.headers = Array(metadata.headers)
                rejection.record.headerCount = Int(metadata.headerCount)
            }
            guard record.value.isEmpty, !record.isTombstone else { return }
            rejection.record.value = try encoder.value(row).map { Array($0) } ?? []
            rejection.isConverted = !snapshot.schema.isOpaque
        } catch {
            guard error.disposition == .rejectRecord else { throw error }
            throw rejection.failure
        }
    }

    private func recycle(_ batch: RecordBatch) {
        // Lets go of the memory it was read into.
        batch.reset(topic: "")
        snapshot.reset(topic: "")
        if pool.count < poolLimit { pool.append(batch) }
    }

    // MARK: Commits

    private func submit(
        _ unit: CommitUnit,
        _ position: SourcePosition,
        records: Int,
        bytes: Int
    ) async throws(ConnectorError) {
        var unit = unit
        // D3: the records and the position are one commit.
        if !plan.linksTopics {
            unit.positions.append((plan.name, position))
        } else if let (partition, next) = position.topicOffset {
            unit.groupOffsets.append((plan.group, partition, next))
            task.status.reads(partition, from: next)
        }
        let ticket = try producer.submit(unit)
        ledger.sent(ticket: ticket, position: position, records: records, bytes: bytes)
        try await acknowledge()
    }

    private func acknowledge() async throws(ConnectorError) {
        let released = ledger.durable(through: try producer.durableTicket())
        guard !released.positions.isEmpty else { return }
        task.status.delivered(records: released.records, bytes: released.bytes)
        // D1: the source lets go only of what is durable here.
        try await source.acknowledge(through: released.positions)
    }
}

/// Whether the source has asked to be woken since it looked last.
private final class WakeUp: Sendable {
    private let isSet = Atomic<Bool>(false)

    func set() { isSet.store(true, ordering: .releasing) }

    /// Forgets the wish, and returns whether there was one.
    func exchange() -> Bool { isSet.exchange(false, ordering: .acquiring) }
}

extension RecordBatch {
    /// The bytes that the records were read from, with those that could not be read.
    fileprivate var rawBytes: Int {
        let rows = indices.reduce(0) { $0 &+ Int(metadata($1).pointee.rawLength) }
        return rejections.reduce(rows) { $0 + $1.value.count }
    }
}
