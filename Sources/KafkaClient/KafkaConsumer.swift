internal import CKafka

/// Reads partitions of a cluster, each from an offset of its own; no group is joined.
///
/// May be used from any thread.
public final class KafkaConsumer: Sendable {
    /// Which records of transactions are seen.
    public enum Isolation: String, Sendable {
        /// Those of committed transactions, up to the first that is open.
        case readCommitted = "read_committed"
        /// All, also those of transactions that will be aborted.
        case readUncommitted = "read_uncommitted"
    }

    internal let client: ClientHandle

    /// Makes a consumer; connecting begins, and is not waited for.
    public init(
        _ settings: KafkaSettings,
        isolation: Isolation,
        observer: KafkaObserver = KafkaObserver()
    ) throws(KafkaFailure) {
        try KafkaLibrary.load()
        let settings = settings.withoutProducing.withDefaults([
            // D7: what is fetched ahead for one partition. More makes nothing faster.
            "queued.max.messages.kbytes": "2048", "queued.min.messages": "20000",
            "fetch.wait.max.ms": "100",
        ]).withDefaults(
            // How long a partition whose queue was full is left alone: librdkafka's second is far
            // longer than the queue lasts. Versions before 2.3 look again at once.
            KafkaLibrary.known(["fetch.queue.backoff.ms": "10"])
        ).overriding([
            "isolation.level": isolation.rawValue,
            // The end of a partition tells offsets that no record has, such as a commit's.
            "enable.partition.eof": "true",
            // D6: an offset that is gone is an error and never a jump.
            "auto.offset.reset": "error",
        ])
        client = try ClientHandle(RD_KAFKA_CONSUMER, settings, observer)
    }

    /// Begins to read a partition.
    ///
    /// A consumer reads a partition only once at a time.
    public func open(
        _ partition: KafkaPartition,
        at offset: Int64
    ) throws(KafkaFailure) -> KafkaPartitionQueue {
        try KafkaPartitionQueue(client, partition, at: offset)
    }

    /// The first offset of a partition, and one past the last that the consumer may see.
    public func watermarks(
        of partition: KafkaPartition,
        _ timeout: Duration
    ) throws(KafkaFailure) -> (low: Int64, high: Int64) {
        var low: Int64 = 0
        var high: Int64 = 0
        let code = try refreshing(partition.topic, timeout) {
            client.patiently(timeout) { milliseconds in
                rd_kafka_query_watermark_offsets(
                    client.pointer,
                    partition.topic,
                    partition.partition,
                    &low,
                    &high,
                    milliseconds
                )
            }
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw client.failure(code, doing: "Asking for the offsets of \(partition)")
        }
        return (low, high)
    }

    /// Asks once more after a look at the topic, where the client knows of fewer partitions than there
    /// are: it would look by itself only after `topic.metadata.refresh.interval.ms`.
    private func refreshing(
        _ topic: String,
        _ timeout: Duration,
        _ ask: () -> rd_kafka_resp_err_t
    ) throws(KafkaFailure) -> rd_kafka_resp_err_t {
        let code = ask()
        guard KafkaErrorCode(code) == .unknownPartition else { return code }
        try look(at: topic, timeout)
        return ask()
    }

    /// Has the client learn which partitions a topic has.
    internal func look(at topic: String, _ timeout: Duration) throws(KafkaFailure) {
        let handle = try TopicHandle(client, topic)
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = client.patiently(timeout) { milliseconds in
            rd_kafka_metadata(client.pointer, 0, handle.pointer, &metadata, milliseconds)
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
            throw client.failure(code, doing: "Asking about the topic \(topic)")
        }
        rd_kafka_metadata_destroy(metadata)
    }

    /// What ``watermarks(of:_:)`` would say as far as the last answer to a fetch has told, or `nil`
    /// before there was one.
    ///
    /// Asks nobody.
    public func knownWatermarks(of partition: KafkaPartition) -> (low: Int64, high: Int64)? {
        var low: Int64 = -1
        var high: Int64 = -1
        let code = rd_kafka_get_watermark_offsets(
            client.pointer,
            partition.topic,
            partition.partition,
            &low,
            &high
        )
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, high >= 0 else { return nil }
        return (max(low, 0), high)
    }

    /// For each partition, the first offset whose record has at least the time, in milliseconds;
    /// the end of the partition, or -1, when there is none.
    public func offsets(
        atOrAfter times: [KafkaPartition: Int64],
        _ timeout: Duration
    ) throws(KafkaFailure) -> [KafkaPartition: Int64] {
        let list = PartitionListHandle(times)
        let code = rd_kafka_offsets_for_times(client.pointer, list.pointer, timeout.milliseconds)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw client.failure(code, doing: "Asking for the offsets of a time")
        }
        var result: [KafkaPartition: Int64] = [:]
        for entry in list.entries {
            guard entry.error == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw client.failure(
                    entry.error,
                    doing: "Asking for the offset of a time in \(entry.partition)"
                )
            }
            result[entry.partition] = entry.offset
        }
        return result
    }
}
