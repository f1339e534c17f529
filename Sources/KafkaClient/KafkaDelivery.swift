internal import CKafka

/// What became of messages that were produced together.
///
/// Belongs to the thread of its producer, which keeps it while messages are on their way.
public final class KafkaDelivery {
    internal let counts: UnsafeMutablePointer<mr_kafka_delivery>

    /// Makes one for messages to come.
    public init() {
        counts = .allocate(capacity: 1)
        counts.initialize(to: mr_kafka_delivery())
    }

    deinit { counts.deallocate() }

    /// Messages that were handed over and not reported yet; what they point to must stay.
    public var pending: Int { Int(counts.pointee.pending) }
    /// Messages that were not delivered.
    public var failed: Int { Int(counts.pointee.failed) }
    /// Whether everything was delivered.
    public var isComplete: Bool { pending == 0 && failed == 0 }
    /// Why the first of them was not, and in which partition.
    internal var firstError: (code: rd_kafka_resp_err_t, partition: Int32)? {
        failed == 0 ? nil : (counts.pointee.error, counts.pointee.partition)
    }
}
