internal import ConnectorSDK
internal import Glibc
internal import Topics

/// One topic that a task writes to: its partitions, and the batches begun for each.
final class TopicTarget {
    /// Bytes of a record beside its key, value and headers, at the most.
    private static let recordOverhead = 70

    let topic: TopicDescription
    private let producer: any TopicProducer
    private let limit: Int
    // One task uses them, and no access calls out: the run-time check for overlapping accesses
    // would cost as much as the rest of an append.
    @exclusivity(unchecked) private var partitioner: Partitioner
    @exclusivity(unchecked) private var builders: [RecordBatchBuilder?]
    @exclusivity(unchecked) private var touched: [Int] = []
    private var headers: [UInt8] = []

    init(
        _ topic: TopicDescription,
        producer: any TopicProducer,
        strategy: Partitioner.Strategy
    ) {
        self.topic = topic
        self.producer = producer
        limit = Int(clamping: topic.settings.maxMessageBytes)
        partitioner = Partitioner(count: topic.partitions, strategy: strategy)
        builders = Array(repeating: nil, count: Int(topic.partitions))
    }

    /// Appends a batch of opaque values without keys, headers or partitions: a copy each.
    func appendPlain(
        _ batch: RecordBatch,
        to unit: inout CommitUnit
    ) throws(ConnectorError) -> (bytes: Int, rejected: [RowRejection]) {
        let partition = Int(partitioner.partition(wanted: -1, key: nil) ?? 0)
        var builder = builder(of: partition)
        var rejected: [RowRejection] = []
        var bytes = 0
        for row in batch.indices {
            let cell = batch.row(row).pointee
            let metadata = batch.metadata(row)
            let value = cell.slice
            let isNull = cell.isNil || metadata.pointee.isTombstone
            let size = value.count &+ Self.recordOverhead
            if size > limit &- builder.byteCount {
                guard size <= limit &- RecordBatchBuilder.headerLength else {
                    let error = tooLarge(size)
                    rejected.append(RowRejection(row: row, stage: .produce, error: error))
                    continue
                }
                try finish(partition, into: &unit)
                builder = self.builder(of: partition)
            }
            builder.append(
                timestamp: metadata.pointee.timestamp,
                key: nil,
                value: isNull ? nil : value
            )
            bytes &+= value.count
        }
        return (bytes, rejected)
    }

    /// Appends one record, with an encoded header behind its own if there is one.
    func append(
        _ metadata: RecordMetadata,
        key: UnsafeRawBufferPointer?,
        value: UnsafeRawBufferPointer?,
        extraHeader: UnsafeMutableRawBufferPointer? = nil,
        to unit: inout CommitUnit
    ) throws(ConnectorError) {
        guard let chosen = partitioner.partition(wanted: metadata.partition, key: key) else {
            throw ConnectorError(
                .init("engine.no_such_partition"),
                .rejectRecord,
                "The record asks for partition \(metadata.partition); the topic `\(topic.name)` "
                    + "has \(topic.partitions).",
                hint: "Give the topic as many, or have the connector place records by their keys "
                    + "with `partition: hash`."
            )
        }
        let partition = Int(chosen)
        var size = (key?.count ?? 0) &+ (value?.count ?? 0) &+ Self.recordOverhead
        size &+= Int(metadata.headersLength) &+ (extraHeader?.count ?? 0)
        var builder = builder(of: partition)
        if size > limit &- builder.byteCount {
            guard size <= limit &- RecordBatchBuilder.headerLength else { throw tooLarge(size) }
            try finish(partition, into: &unit)
            builder = self.builder(of: partition)
        }
        if let extraHeader, metadata.headerCount > 0 {
            headers.removeAll(keepingCapacity: true)
            headers += metadata.headers
            headers += UnsafeRawBufferPointer(extraHeader)
            headers.withUnsafeBytes { headers in
                builder.append(
                    timestamp: metadata.timestamp,
                    key: key,
                    value: value,
                    headers: headers,
                    headerCount: Int(metadata.headerCount) + 1
                )
            }
        } else {
            builder.append(
                timestamp: metadata.timestamp,
                key: key,
                value: value,
                headers: extraHeader.map { UnsafeRawBufferPointer($0) } ?? metadata.headers,
                headerCount: extraHeader == nil ? Int(metadata.headerCount) : 1
            )
        }
    }

    /// Completes the batches begun, in the order in which their partitions were met.
    func finishAll(into unit: inout CommitUnit) throws(ConnectorError) {
        for partition in touched where builders[partition] != nil {
            try finish(partition, into: &unit)
        }
        touched.removeAll(keepingCapacity: true)
    }

    /// Lets records without a key move on to another partition.
    func batchIsComplete() { partitioner.batchIsComplete() }

    private func builder(of partition: Int) -> RecordBatchBuilder {
        if let builder = builders[partition] { return builder }
        let builder = producer.makeBuilder()
        builders[partition] = builder
        touched.append(partition)
        return builder
    }

    private func finish(_ partition: Int, into unit: inout CommitUnit) throws(ConnectorError) {
        guard let builder = builders[partition] else { return }
        builders[partition] = nil
        // Only records that turned out too large were meant for it.
        guard builder.count > 0 else { return }
        let batch = try builder.finish(
            compression: topic.settings.compressionType,
            now: Self.now(),
            timestampType: topic.settings.timestampType
        )
        unit.batches.append((TopicPartition(topic.name, Int32(partition)), batch))
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    private func tooLarge(_ size: Int) -> ConnectorError {
        ConnectorError(
            .init("engine.record_too_large"),
            .rejectRecord,
            "The record takes \(size) bytes, more than the \(limit) that `max.message.bytes` of "
                + "the topic `\(topic.name)` allows.",
            hint: "Raise `max.message.bytes` of the topic."
        )
    }
}
