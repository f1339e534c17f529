internal import CKafka

/// A consumer's membership of its group, by events of the consumer's own queue.
///
/// Belongs to one thread at a time.
internal final class GroupHandle {
    /// What was read from the queue.
    internal enum Event {
        case assign([KafkaPartition])
        case revoke([KafkaPartition])
        case error(KafkaFailure)
        /// Something that concerns nobody here.
        case other
    }

    private let client: ClientHandle
    private let queue: OpaquePointer

    internal init(_ client: ClientHandle) throws(KafkaFailure) {
        self.client = client
        guard let queue = rd_kafka_queue_get_consumer(client.pointer) else {
            throw client.failure(rd_kafka_last_error(), doing: "Joining a group")
        }
        self.queue = queue
    }

    deinit { rd_kafka_queue_destroy(queue) }

    internal func subscribe(_ topic: String) throws(KafkaFailure) {
        let list = PartitionListHandle([KafkaPartition(topic, -1): 0])
        let code = rd_kafka_subscribe(client.pointer, list.pointer)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw client.failure(code, doing: "Subscribing to \(topic)")
        }
    }

    /// Takes the next event, waiting for it; polling says to the group that this client lives.
    internal func next(_ timeout: Duration, _ what: String) throws(KafkaFailure) -> Event? {
        // Errors of brokers come to the main queue, which is another.
        client.poll()
        var text = [CChar](repeating: 0, count: 512)
        let fatal = rd_kafka_fatal_error(client.pointer, &text, text.count)
        if fatal != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw client.failure(fatal, String(buffer: text), doing: what)
        }
        guard let event = rd_kafka_queue_poll(queue, timeout.milliseconds) else { return nil }
        defer { rd_kafka_event_destroy(event) }
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_REBALANCE:
            let list = rd_kafka_event_topic_partition_list(event)
            let partitions = PartitionEntry.read(list).map(\.partition)
            let isGiven = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
            return isGiven ? .assign(partitions) : .revoke(partitions)
        case RD_KAFKA_EVENT_ERROR:
            let said = rd_kafka_event_error_string(event).map { String(cString: $0) }
            return .error(client.failure(rd_kafka_event_error(event), said, doing: what))
        default:
            return .other
        }
    }

    internal var isAssignmentLost: Bool { rd_kafka_assignment_lost(client.pointer) != 0 }

    /// The id that the group's coordinator gave this member; empty before it did.
    internal var memberID: String {
        guard let text = rd_kafka_memberid(client.pointer) else { return "" }
        defer { rd_kafka_mem_free(client.pointer, text) }
        return String(cString: text)
    }

    /// Takes partitions over without reading them.
    internal func assign(_ partitions: [KafkaPartition]) throws(KafkaFailure) {
        // A known offset: none has to be asked for.
        let list = Self.list(partitions)
        let error = rd_kafka_incremental_assign(client.pointer, list.pointer)
        if let failure = client.take(error, doing: "Taking over \(partitions.count) partitions") {
            throw failure
        }
        _ = rd_kafka_pause_partitions(client.pointer, list.pointer)
    }

    internal func unassign(_ partitions: [KafkaPartition]) throws(KafkaFailure) {
        // What the group revokes when it is left may be of no protocol any more.
        let protocolName = rd_kafka_rebalance_protocol(client.pointer).map { String(cString: $0) }
        guard protocolName == "COOPERATIVE" else {
            _ = rd_kafka_assign(client.pointer, nil)
            return
        }
        let list = Self.list(partitions)
        let error = rd_kafka_incremental_unassign(client.pointer, list.pointer)
        if let failure = client.take(error, doing: "Giving \(partitions.count) partitions back") {
            throw failure
        }
    }

    private static func list(_ partitions: [KafkaPartition]) -> PartitionListHandle {
        PartitionListHandle(Dictionary(partitions.map { ($0, 0) }) { first, _ in first })
    }

    /// Begins to leave; what is still assigned is revoked by events.
    internal func beginLeaving() throws(KafkaFailure) {
        let error = rd_kafka_consumer_close_queue(client.pointer, queue)
        if let failure = client.take(error, doing: "Leaving the group") { throw failure }
    }

    internal var hasLeft: Bool { rd_kafka_consumer_closed(client.pointer) != 0 }
}
