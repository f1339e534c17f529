internal import ConnectorSDK
internal import KafkaClient
internal import Topics

/// Appends records to one partition of a cluster, so that each has the offset behind the last one.
///
/// It is idempotent and uses no transaction: the end of one would take an offset.
internal final class CopyProducer {
    private let client: KafkaClients
    private let partition: KafkaPartition
    private let producer: KafkaProducer
    private var onTheirWay: [(delivery: KafkaDelivery, batch: EncodedBatch)] = []
    private var bytes = 0
    private var builder = RecordBatchBuilder()
    private var spare: [RecordBatchBuilder] = []

    internal init(
        _ client: KafkaClients,
        _ partition: TopicPartition
    ) throws(ConnectorError) {
        self.client = client
        self.partition = KafkaPartition(partition)
        producer = try onCluster { () throws(KafkaFailure) in
            try KafkaProducer(
                client.settings.withDefaults(["message.max.bytes": "67108864"]),
                observer: client.ear()
            )
        }
    }

    /// What is not delivered is given up.
    deinit { producer.close() }

    /// Appends the record that a cursor is at.
    internal func append(_ record: RecordCursor) throws(ConnectorError) {
        builder.append(
            // Both mean what librdkafka cannot be told: it takes its own time.
            timestamp: max(record.timestamp, 0),
            key: record.key,
            value: record.value,
            headers: record.headers,
            headerCount: record.headerCount
        )
        let isFull =
            builder.count >= RecordBatch.rowLimit || builder.byteCount >= RecordBatch.byteLimit
        if isFull { try submit() }
    }

    /// Waits until everything was delivered.
    internal func finish() throws(ConnectorError) {
        try submit()
        while !onTheirWay.isEmpty { try takeBack() }
    }

    private func submit() throws(ConnectorError) {
        guard builder.count > 0 else { return }
        let batch = try builder.finish(compression: .none, now: 0, timestampType: .createTime)
        let size = batch.buffer.count
        // D7: librdkafka points into the batches, which wait for its reports.
        while bytes > 0, bytes + size > client.options.bytesInFlight { try takeBack() }
        bytes += size
        let delivery = KafkaDelivery()
        onTheirWay.append((delivery, batch))
        builder = spare.popLast() ?? RecordBatchBuilder()
        builder.reset()
        try onCluster { () throws(KafkaFailure) in
            try producer.produce(batch, to: partition, into: delivery)
        }
    }

    /// Waits for the oldest batch, and takes its memory.
    private func takeBack() throws(ConnectorError) {
        let (delivery, batch) = onTheirWay[0]
        try onCluster { () throws(KafkaFailure) in
            try client.settle(delivery, of: producer)
        }
        onTheirWay.removeFirst()
        bytes -= batch.buffer.count
        if let builder = batch.builder { spare.append(builder) }
    }
}

extension KafkaProducer {
    /// Hands over the records of a batch that is not compressed; it must stay until `delivery` has
    /// nothing pending.
    internal func produce(
        _ batch: EncodedBatch,
        to partition: KafkaPartition,
        into delivery: KafkaDelivery
    ) throws(KafkaFailure) {
        let bytes = UnsafeRawBufferPointer(start: batch.buffer.base, count: batch.buffer.count)
        guard let header = RecordBatchHeader(bytes), header.attributes.codec == 0 else {
            // D6: what cannot be taken apart is an error and never skipped.
            throw KafkaFailure(
                .refused,
                .none,
                "A batch for \(partition) is compressed or no batch."
            )
        }
        try produce(
            UnsafeRawBufferPointer(rebasing: bytes[RecordBatchHeader.length...]),
            count: batch.count,
            baseTimestamp: header.baseTimestamp,
            to: partition,
            into: delivery
        )
    }
}
