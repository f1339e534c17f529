internal import CKafka

/// The messages of one partition as they arrive.
///
/// Belongs to one thread at a time.
public final class KafkaPartitionQueue {
    /// Messages that are taken from the queue at once.
    public static let limit = 512

    /// The partition.
    public let partition: KafkaPartition
    /// The offset to be read next.
    public private(set) var nextOffset: Int64
    /// Whether everything that could be seen was read when the queue was last looked at.
    public private(set) var isAtEnd = false
    /// Whether everything that could be seen was read at some time since the queue was opened or
    /// sent to another offset.
    public private(set) var hasBeenAtEnd = false
    private let queue: QueueHandle
    private let batch: MessageBatch

    internal init(
        _ client: ClientHandle,
        _ partition: KafkaPartition,
        at offset: Int64
    ) throws(KafkaFailure) {
        self.partition = partition
        nextOffset = offset
        queue = try QueueHandle(client, partition, at: offset)
        batch = MessageBatch(capacity: Self.limit)
    }

    /// Calls `signal` whenever messages come to an empty queue; `nil` ends that.
    ///
    /// On a thread of librdkafka's: it must not call the consumer.
    public func onArrival(_ signal: (@Sendable () -> Void)?) { queue.onArrival(signal) }

    /// Goes to another offset; what had arrived is dropped.
    public func seek(to offset: Int64) throws(KafkaFailure) {
        batch.removeAll()
        isAtEnd = false
        hasBeenAtEnd = false
        nextOffset = offset
        try queue.restart(at: offset)
    }

    /// Takes messages that have arrived, waiting for the first for at most `timeout`, and returns
    /// how many bytes they are; ``copy(to:_:)`` must follow when ``count`` is not 0.
    public func take(
        atMost most: Int = limit,
        _ timeout: Duration = .zero
    ) throws(KafkaFailure) -> Int {
        if let failure = batch.takeFailure() { throw failure }
        queue.fill(batch, atMost: min(most, Self.limit), timeout)
        let end = batch.separate(queue)
        if batch.count > 0 {
            isAtEnd = false
            nextOffset = batch.lastOffset + 1
        }
        if let end {
            isAtEnd = true
            hasBeenAtEnd = true
            nextOffset = max(nextOffset, end)
        }
        if batch.count == 0, let failure = batch.takeFailure() { throw failure }
        return batch.byteCount
    }

    private var isInterrupted: Bool { queue.isInterrupted }

    /// Messages taken and not copied yet.
    public var count: Int { batch.count }

    /// Copies the messages that were taken to memory of at least the size that
    /// ``take(atMost:_:)`` has said, describes each to `body`, and frees them.
    public func copy(to target: UnsafeMutableRawPointer?, _ body: (KafkaRecord) -> Void) {
        batch.copy(to: target, body)
    }
}

extension KafkaPartitionQueue {
    /// Reads everything before `end`, an offset that may lie behind transactions that are open: the
    /// queue, whose consumer shows what is committed, is read until they have ended.
    ///
    /// - Throws: when that takes longer than `timeout`.
    public func readAll(
        before end: Int64,
        within timeout: Duration,
        _ body: (KafkaRecord) -> Void
    ) throws(KafkaFailure) {
        let deadline = ContinuousClock.now + timeout
        while nextOffset < end || !isAtEnd {
            let size = try take(.milliseconds(100))
            let memory = UnsafeMutableRawPointer.allocate(byteCount: size + 1, alignment: 8)
            defer { memory.deallocate() }
            copy(to: memory, body)
            guard ContinuousClock.now < deadline, !isInterrupted else {
                throw KafkaFailure(
                    .retriable,
                    .timedOut,
                    "\(partition) cannot be read to its end at offset \(end) within \(timeout): it "
                        + "was read up to offset \(nextOffset).",
                    hint: "A transaction that is still open hides the rest; it ends by itself "
                        + "after transaction.timeout.ms."
                )
            }
        }
    }
}

/// A consumed record, as slices of memory of the caller's.
public struct KafkaRecord {
    /// Its offset.
    public var offset: Int64
    /// Milliseconds since the epoch, or `nil`.
    public var timestamp: Int64?
    /// The key, `nil` for none.
    public var key: UnsafeRawBufferPointer?
    /// The value, `nil` for null.
    public var value: UnsafeRawBufferPointer?
    /// The headers in the encoding of a RecordBatch's records.
    public var headers: UnsafeRawBufferPointer
    /// How many headers there are.
    public var headerCount: Int
}
