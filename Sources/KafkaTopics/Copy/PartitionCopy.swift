internal import ConnectorSDK
internal import KafkaClient
internal import Topics

/// Brings one partition of a store to the same partition of a cluster.
///
/// What is there already must be what this has written before: the same records, from the first
/// one on. It goes on behind them.
internal struct PartitionCopy {
    private let source: any TopicStore
    private let target: KafkaTopicStore
    private let partition: TopicPartition
    private let progress: (Int64) -> Void
    private var translation: OffsetTranslation
    private var result: CopiedPartition
    /// The offset that the next record has on the cluster.
    private var next: Int64 = 0
    private var reported: Int64 = 0

    internal init(
        from source: any TopicStore,
        to target: KafkaTopicStore,
        _ partition: TopicPartition,
        translating offsets: [Int64],
        progress: @escaping (Int64) -> Void
    ) {
        self.source = source
        self.target = target
        self.partition = partition
        self.progress = progress
        translation = OffsetTranslation(offsets)
        result = CopiedPartition(partition: partition)
    }

    /// Copies, and reads back what was written.
    internal mutating func run() throws(ConnectorError) -> CopiedPartition {
        let range = try source.offsets(of: partition)
        let records = try RecordCursor(source, partition, from: range.start)
        try records.advance()
        let first = records.hasRecord ? records.offset : range.end
        let time = records.hasRecord ? max(records.timestamp, 1) : 1
        // Without transactions, and where one offset alone is missing, they cannot be taken.
        let isFilled = target.client.options.usesTransactions && first >= 2
        next = isFilled ? first : 0
        if isFilled { translation.keep(below: first) }
        try passWhatIsThere(records, isFilled: isFilled)
        let resumed = (offset: records.hasRecord ? records.offset : range.end, next: next)
        if isFilled, result.found == 0 { try fill(below: first, time) }
        try checkEnd()
        try append(records)
        translation.end(range.end, at: next)
        // A trailing gap makes no offset of a record another one.
        result.offsets = translation.translated
        try verify(from: resumed.offset, resumed.next)
        return result
    }

    // MARK: What is there

    private mutating func passWhatIsThere(
        _ records: RecordCursor,
        isFilled: Bool
    ) throws(ConnectorError) {
        let range = try target.offsets(of: partition)
        guard range.end > 0 else { return }
        guard range.start == 0 else {
            throw .copyTarget(
                "\(partition) on the cluster begins at offset \(range.start): the beginning of what "
                    + "was in it has been removed."
            )
        }
        let present = try RecordCursor(target, partition, from: 0)
        try present.advance()
        while present.hasRecord {
            guard records.hasRecord else {
                throw .copyTarget(
                    "\(partition) on the cluster holds records behind the last one here: something "
                        + "else has written to it."
                )
            }
            guard present.offset == next, present.hasContents(of: records) else {
                throw .copyTarget(
                    "\(partition) on the cluster holds a record at offset \(present.offset) that is "
                        + "not the one that belongs there."
                )
            }
            result.found += 1
            try pass(records)
            try present.advance()
        }
    }

    /// Counts the record that a cursor is at, and goes to the next one.
    private mutating func pass(_ records: RecordCursor) throws(ConnectorError) {
        let offset = records.offset
        translation.pass(offset, at: next)
        result.gaps = offset - next
        result.records += 1
        let size = (records.key?.count ?? 0) + (records.value?.count ?? 0) + records.headers.count
        result.bytes += Int64(size)
        if records.timestamp <= 0 { result.restamped += 1 }
        next += 1
        if result.records - reported >= 10_000 { report() }
        try records.advance()
    }

    private mutating func report() {
        progress(result.records - reported)
        reported = result.records
    }

    // MARK: Writing

    private func fill(below first: Int64, _ time: Int64) throws(ConnectorError) {
        guard try target.offsets(of: partition).end < first else { return }
        try GapFiller(target, partition).fill(below: first, time: time)
    }

    /// What is written next must get the offset that it is to have.
    private func checkEnd() throws(ConnectorError) {
        let end = try target.offsets(of: partition).end
        guard end == next else {
            throw .copyTarget(
                "\(partition) on the cluster ends at offset \(end), and at \(next) what was copied "
                    + "ends: there are transactions of something else in it."
            )
        }
    }

    private mutating func append(_ records: RecordCursor) throws(ConnectorError) {
        if records.hasRecord {
            let producer = try CopyProducer(target.client, partition)
            while records.hasRecord {
                try producer.append(records)
                try pass(records)
            }
            try producer.finish()
        }
        report()
    }

    // MARK: Reading back

    /// D6: what was written is read again and compared with what it was written from.
    private func verify(from offset: Int64, _ start: Int64) throws(ConnectorError) {
        guard start < next else { return }
        let records = try RecordCursor(source, partition, from: offset)
        let present = try RecordCursor(target, partition, from: start)
        try records.advance()
        for place in start..<next {
            try present.advance()
            guard present.hasRecord else { throw differs(place, "there is no record") }
            guard present.offset == place else {
                throw differs(place, "the next record is at \(present.offset)")
            }
            guard records.hasRecord, present.hasContents(of: records) else {
                throw differs(place, "there is another record")
            }
            try records.advance()
        }
        try present.advance()
        if present.hasRecord { throw differs(present.offset, "there is one record more") }
    }

    private func differs(_ offset: Int64, _ what: String) -> ConnectorError {
        ConnectorError(
            .copyDiffers,
            .failTask,
            "Reading \(partition) back from the cluster has shown a difference at offset \(offset): "
                + "\(what). No offset and no position was moved.",
            hint: "Has something else written to the topic? Delete it there and copy again."
        )
    }
}
