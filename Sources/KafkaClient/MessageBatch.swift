internal import CKafka

/// Messages that were taken from a queue and not freed yet.
internal final class MessageBatch {
    internal let messages: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    private let records: UnsafeMutablePointer<mr_kafka_record>
    /// How many were taken, errors included; set by whoever fills ``messages``.
    internal var filled = 0
    /// How many of them are records, which come first.
    internal private(set) var count = 0
    /// The bytes that the records need.
    internal private(set) var byteCount = 0
    internal private(set) var lastOffset: Int64 = -1
    private var failure: KafkaFailure?

    internal init(capacity: Int) {
        messages = .allocate(capacity: capacity)
        records = .allocate(capacity: capacity)
    }

    deinit {
        removeAll()
        messages.deallocate()
        records.deallocate()
    }

    internal func removeAll() {
        for index in 0..<count { rd_kafka_message_destroy(messages[index]) }
        (filled, count, byteCount) = (0, 0, 0)
        failure = nil
    }

    /// Takes what stands for errors and ends out of the messages that were filled in.
    ///
    /// - Returns: the offset to be read next, when the last of them says that there is no more.
    internal func separate(_ queue: QueueHandle) -> Int64? {
        var end: Int64?
        var kept = 0
        for index in 0..<filled {
            guard let message = messages[index] else { continue }
            let code = KafkaErrorCode(message.pointee.err)
            if code == .none {
                end = nil
                messages[kept] = message
                kept += 1
                continue
            }
            if code == .partitionEnd {
                end = message.pointee.offset
            } else if failure == nil {
                failure = queue.failure(message)
            }
            rd_kafka_message_destroy(message)
        }
        count = kept
        filled = 0
        byteCount = kept == 0 ? 0 : mr_kafka_measure_messages(messages, kept, records)
        lastOffset = kept == 0 ? -1 : messages[kept - 1]?.pointee.offset ?? -1
        return end
    }

    /// The error that came with the messages, once.
    internal func takeFailure() -> KafkaFailure? {
        defer { failure = nil }
        return failure
    }

    internal func copy(to target: UnsafeMutableRawPointer?, _ body: (KafkaRecord) -> Void) {
        guard count > 0 else { return }
        mr_kafka_copy_messages(
            messages,
            count,
            target?.assumingMemoryBound(to: UInt8.self),
            records
        )
        let copied = count
        (count, byteCount) = (0, 0)
        for index in 0..<copied {
            let record = records + index
            let timestamp = record.pointee.timestamp
            body(
                KafkaRecord(
                    offset: record.pointee.offset,
                    timestamp: timestamp == .min ? nil : timestamp,
                    key: Self.bytes(record.pointee.key, record.pointee.key_length),
                    value: Self.bytes(record.pointee.value, record.pointee.value_length),
                    headers: UnsafeRawBufferPointer(
                        start: record.pointee.headers,
                        count: Int(record.pointee.headers_length)
                    ),
                    headerCount: Int(record.pointee.header_count)
                )
            )
        }
    }

    @inline(__always)
    private static func bytes(
        _ base: UnsafeRawPointer?,
        _ count: UInt32
    ) -> UnsafeRawBufferPointer? {
        base.map { UnsafeRawBufferPointer(start: $0, count: Int(count)) }
    }
}
