internal import ConnectorSDK
internal import Logging
internal import Topics

/// A sink connector at work on its partitions, from `open` to the end or an error.
final class SinkSession {
    private struct Partition {
        let id: TopicPartition
        let reader: any PartitionReader
        /// The offset up to which everything is written or a dead letter.
        var next: Int64
        /// The offset of the last commit.
        var committed: Int64
    }

    private let sink: any SinkConnector
    private let task: TaskEnvironment
    private let assignment: PartitionAssignment
    private let assigned: [TopicPartition]
    private let processor: SinkProcessor
    private let deadLetters: SinkDeadLetters
    private let rejected: RejectionHandler
    private let start: SinkStart
    private var partitions: [Partition] = []
    private var keepsOwnOffsets = false
    private var policy: CommitPolicy
    /// Reads the partitions transaction by transaction, where the configuration says so.
    private var transactions: TransactionFeed?
    private var patience = TransactionPatience()
    /// The index of the partition that tells the ends of transactions.
    private var ends = 0
    private var first = 0
    private var lastEnds: [TopicPartition: Int64] = [:]
    private let batch = RecordBatch()
    private var delivered = (records: Int64(0), bytes: Int64(0))
    private var pendingGroupOffsets: [TopicPartition: Int64] = [:]
    private var groupOffsetsStored = ContinuousClock.Instant.now
    private var lookedAround = ContinuousClock.Instant.now

    /// How far the group's offsets may lag behind those that a sink keeps itself: they serve only
    /// the display of lag and retention, and each write costs a commit of the store.
    private static let groupOffsetInterval = Duration.seconds(1)

    init(
        _ sink: any SinkConnector,
        _ task: TaskEnvironment,
        _ partitions: [TopicPartition],
        _ assignment: PartitionAssignment
    ) throws(ConnectorError) {
        self.sink = sink
        self.task = task
        self.assignment = assignment
        assigned = partitions
        processor = try SinkProcessor(sink, task)
        deadLetters = SinkDeadLetters(task)
        rejected = RejectionHandler(task.plan, taskID: task.id, logger: task.logger)
        start = try SinkStart(task)
        policy = CommitPolicy(
            interval: try task.plan.configuration.get(FrameworkKeys.flushInterval)
        )
    }

    func run() async throws(ConnectorError) -> ConnectorTask.Outcome {
        try await open()
        try task.store.add(task.signal, for: assigned)
        defer {
            task.store.remove(task.signal)
            deadLetters.close()
        }
        while true {
            // Asked before reading: what comes afterwards is not there any more.
            let mayEnd = task.control.mayEnd(task.plan.name)
            let records = try await read()
            if task.control.isLost { return .ended }
            if policy.isDue(at: .now, preferredRecords: sink.preferredTransactionRecords) {
                try await commit()
            }
            if let until = task.control.drainUntil, ContinuousClock.now >= until || !drains {
                try await finish()
                return .ended
            }
            if let transactions, transactions.lacksPartitions {
                try await finish()
                return .reassigned
            }
            guard records == 0 else {
                guard transactions == nil, .now - lookedAround >= SinkTask.busyLookAround,
                    try hasOtherPartitions()
                else { continue }
                try await finish()
                return .reassigned
            }
            if let outcome = try await idle(mayEnd: mayEnd) { return outcome }
        }
    }

    /// Whether what is still in the topics after a stop was brought by this run.
    private var drains: Bool { task.control.hasFeeder(task.plan.name) }

    // MARK: Opening

    private func open() async throws(ConnectorError) {
        let group = try task.store.groupOffsets(task.plan.group)
        let own = try await resetting(try await sink.open(assigned))
        keepsOwnOffsets = own != nil
        var initial: [TopicPartition: Int64?] = [:]
        for id in assigned {
            let offset = try start.offset(of: id, own: own, group: group[id])
            let reader = try task.store.makeReader(id, from: offset)
            partitions.append(Partition(id: id, reader: reader, next: offset, committed: offset))
            if group[id] == nil { initial[id] = offset }
        }
        try start.checkNothingLost(partitions.map { ($0.id, $0.next) })
        if let id = try assignment.transactionEnds(),
            let index = partitions.firstIndex(where: { $0.id == id })
        {
            ends = index
            transactions = TransactionFeed(
                partitions.map { ($0.id.topic, $0.reader) },
                ends: index,
                passed: try lastEnd(before: partitions[index].next, in: id),
                isWhole: { [assignment, assigned] () throws(ConnectorError) in
                    try assignment.partitions() == assigned
                }
            )
        }
        // From now on the group counts for retention, and a start at the end stays where it was.
        if !initial.isEmpty {
            try task.store.commitGroupOffsets(task.plan.group, initial)
        }
        try deadLetters.open(
            committed: group.merging(initial.compactMapValues { $0 }) { old, _ in old }
        )
        task.status.begins(at: partitions.reduce(into: [:]) { $0[$1.id] = $1.next })
    }

    /// The last transaction whose end is in the transaction topic before `offset`; 0 if none is
    /// near.
    private func lastEnd(
        before offset: Int64,
        in id: TopicPartition
    ) throws(ConnectorError) -> UInt64 {
        // Each transaction has two records there, beginning and end.
        let near = max(offset - 64, try task.store.offsets(of: id).start)
        guard near < offset else { return 0 }
        let reader = try task.store.makeReader(id, from: near)
        var last: UInt64 = 0
        while reader.nextOffset < offset {
            batch.reset(topic: id.topic)
            guard try reader.read(into: batch) > 0 else { break }
            for row in batch.indices {
                let metadata = batch.metadata(row).pointee
                guard metadata.offset < offset, let mark = TransactionMark(metadata) else {
                    continue
                }
                if mark.order == nil { last = mark.sequence }
            }
        }
        return last
    }

    /// Brings offsets that an operator has set into the target; returns what it then keeps.
    private func resetting(
        _ kept: [TopicPartition: Int64]?
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? {
        let (group, store) = (task.plan.group, task.store)
        let note = try OffsetReset.pending(of: group, for: assigned, in: store)
        guard !note.isEmpty else { return kept }
        let offsets = note.offsets(after: kept ?? [:])
        if !offsets.isEmpty { try await sink.commit(offsets) }
        try OffsetReset.applied(note, of: group, in: store)
        return kept?.merging(offsets) { _, reset in reset }
    }

    // MARK: Reading

    private func read() async throws(ConnectorError) -> Int {
        do throws(ConnectorError) {
            return try await transactions == nil ? readRound() : readTransactions()
        } catch {
            guard error.code == .offsetOutOfRange else { throw error }
            // What was written stays, so that the numbers are those of what is lost.
            if transactions?.isBetweenTransactions ?? true { try await finish() }
            try start.checkNothingLost(partitions.map { ($0.id, $0.committed) })
            throw error
        }
    }

    /// Reads a batch of each partition; the round begins with another one each time.
    private func readRound() async throws(ConnectorError) -> Int {
        var count = 0
        for step in partitions.indices {
            let index = (first + step) % partitions.count
            batch.reset(topic: partitions[index].id.topic)
            let records = try partitions[index].reader.read(into: batch)
            guard records > 0 else {
                passWhatIsNone(at: index)
                continue
            }
            count += records
            try await process(records, of: index, next: partitions[index].reader.nextOffset)
            if policy.isDue(at: .now, preferredRecords: sink.preferredTransactionRecords) {
                try await commit()
            }
        }
        first = partitions.isEmpty ? 0 : (first + 1) % partitions.count
        return count
    }

    /// Goes over offsets that no record has, such as a commit's; the next commit has them too.
    private func passWhatIsNone(at index: Int) {
        let next = partitions[index].reader.nextOffset
        guard next > partitions[index].next else { return }
        partitions[index].next = next
        task.status.reads(partitions[index].id, from: next)
    }

    /// Hands out whole transactions; between them the sink may commit.
    private func readTransactions() async throws(ConnectorError) -> Int {
        guard let transactions else { return 0 }
        var count = 0
        while true {
            switch try transactions.next(into: batch) {
            case .rows(let index, let next):
                count += batch.count
                try await process(batch.count, of: index, next: next)
                guard transactions.isBetweenTransactions else { continue }
            case .boundary(let next):
                count += 1
                patience.passed()
                passEnds(to: next)
                if task.control.drainUntil != nil { return count }
            case .nothing(let next):
                passEnds(to: next)
                return count
            }
            if policy.isDue(at: .now, preferredRecords: sink.preferredTransactionRecords) {
                try await commit()
            }
        }
    }

    /// Notes how far the transaction topic was read.
    private func passEnds(to next: Int64) {
        guard partitions[ends].next != next else { return }
        partitions[ends].next = next
        task.status.reads(partitions[ends].id, from: next)
        policy.wrote(records: 0, bytes: 0, at: .now)
    }

    private func process(
        _ records: Int,
        of index: Int,
        next: Int64
    ) async throws(ConnectorError) {
        let id = partitions[index].id
        let hasKeys = batch.keySchema != nil
        let result = try await processor.process(batch)
        try rejected.admit(result.rejections, of: records)
        if !result.rejections.isEmpty {
            let count = try deadLetters.append(
                result.rejections,
                of: id,
                before: next,
                hasKeys: hasKeys,
                by: rejected
            )
            task.status.rejected(count)
        }
        partitions[index].next = next
        task.status.reads(id, from: next)
        delivered.records += Int64(result.records)
        delivered.bytes += Int64(result.bytes)
        policy.wrote(records: records, bytes: result.bytes, at: .now)
    }

    // MARK: Committing

    /// D1: dead letters durable, then the target, then the offsets.
    private func commit() async throws(ConnectorError) {
        try deadLetters.settle()
        var offsets: [TopicPartition: Int64] = [:]
        for partition in partitions where partition.next != partition.committed {
            offsets[partition.id] = partition.next
        }
        try await sink.commit(offsets)
        for index in partitions.indices { partitions[index].committed = partitions[index].next }
        policy.committed()
        task.status.delivered(records: delivered.records, bytes: delivered.bytes)
        delivered = (0, 0)
        pendingGroupOffsets.merge(offsets) { _, new in new }
        if !keepsOwnOffsets || .now - groupOffsetsStored >= Self.groupOffsetInterval {
            try storeGroupOffsets()
        }
    }

    private func storeGroupOffsets() throws(ConnectorError) {
        groupOffsetsStored = .now
        guard !pendingGroupOffsets.isEmpty else { return }
        try task.store.commitGroupOffsets(
            task.plan.group,
            pendingGroupOffsets.mapValues { Optional($0) }
        )
        try deadLetters.committed(pendingGroupOffsets)
        pendingGroupOffsets.removeAll(keepingCapacity: true)
    }

    private func finish() async throws(ConnectorError) {
        if policy.isDirty { try await commit() }
        // Behind the last record there may be offsets that none has.
        for partition in partitions where partition.next != partition.committed {
            pendingGroupOffsets[partition.id] = partition.next
        }
        try storeGroupOffsets()
    }

    // MARK: Waiting

    /// Called when there is nothing to read: commits, ends, or waits.
    private func idle(mayEnd: Bool) async throws(ConnectorError) -> ConnectorTask.Outcome? {
        if let wait = policy.idleWait(at: .now) {
            if wait > .zero, !mayEnd, task.signal.wait(timeout: wait) { return nil }
            try await commit()
            return nil
        }
        let isLate = .now - lookedAround >= SinkTask.lookAround
        if mayEnd || isLate {
            try storeGroupOffsets()
            if try hasOtherPartitions() { return .reassigned }
        }
        if mayEnd {
            guard try hasReachedEnds() else {
                task.signal.wait(timeout: SinkTask.arrival)
                return nil
            }
            if let transactions, transactions.isWaiting {
                task.logger.warning(
                    """
                    Rows of a transaction that is not complete stay in the topics, to be applied \
                    when its end is in `\(task.plan.transactionTopic ?? "")`
                    """
                )
            }
            try await finish()
            try assignment.checkTopicsExist()
            return .ended
        }
        if isLate { try await sink.idle() }
        try warnOfWaitingRows()
        task.signal.wait(timeout: SinkTask.lookAround)
        return nil
    }

    /// Whether topics or partitions have come since, or have gone.
    private func hasOtherPartitions() throws(ConnectorError) -> Bool {
        lookedAround = .now
        guard try assignment.partitions() != assigned else { return false }
        try assignment.checkStillThere()
        try assignment.warnOfMissing(assigned)
        return true
    }

    /// Whether everything was read that was there when nothing more was to come in this run.
    ///
    /// What is committed may still be on its way here. (D6)
    private func hasReachedEnds() throws(ConnectorError) -> Bool {
        for partition in partitions where lastEnds[partition.id] == nil {
            lastEnds[partition.id] = try task.store.offsets(of: partition.id).end
        }
        return partitions.allSatisfy { $0.reader.nextOffset >= lastEnds[$0.id] ?? 0 }
    }

    /// D6: rows that nobody will ever release must not wait without a word.
    private func warnOfWaitingRows() throws(ConnectorError) {
        guard let transactions, transactions.isWaiting else { return patience.passed() }
        guard patience.isExhausted(at: .now) else { return }
        let topic = task.plan.transactionTopic ?? ""
        let others = try task.store.topics().map(\.name).filter { $0 != topic }
        let meant = Spelling.nearest(to: topic, in: others).map { "did you mean `\($0)`? " } ?? ""
        task.logger.warning(
            "rows wait in the topics for the end of their transaction, which has not been told",
            metadata: [
                "key": "\(FrameworkKeys.transactionTopic.declaration.name)",
                "topic": "\(topic)",
                "hint": "\(meant)the source must have provide.transaction.metadata: true",
            ]
        )
    }
}
