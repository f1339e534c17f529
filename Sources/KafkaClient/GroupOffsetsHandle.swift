internal import CKafka
internal import Synchronization

/// A client in the name of a group that it never joins, for the group's offsets.
///
/// An administrator could ask for them as well. But librdkafka (2.0 to 2.14 at least) ends the process
/// when the coordinator answers a request of an administrator's that was given up, as when brokers
/// have been away for longer than its time limit.
internal final class GroupOffsetsHandle: Sendable {
    private let client: ClientHandle
    private let group: String

    internal init(_ group: String, like other: ClientHandle) throws(KafkaFailure) {
        self.group = group
        client = try ClientHandle(
            RD_KAFKA_CONSUMER,
            other.settings.overriding(["group.id": group, "enable.auto.commit": "false"]),
            other.events.observer
        )
    }

    /// The offsets that were committed of these partitions.
    internal func offsets(
        of partitions: [KafkaPartition: Int64],
        _ timeout: Duration
    ) throws(KafkaFailure) -> [KafkaPartition: Int64] {
        let what = "Asking for the offsets of the group \(group)"
        let list = PartitionListHandle(partitions)
        let code = client.patiently(timeout) { milliseconds in
            rd_kafka_committed(client.pointer, list.pointer, milliseconds)
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw client.failure(code, doing: what) }
        var offsets: [KafkaPartition: Int64] = [:]
        for entry in list.entries {
            // A topic that was deleted meanwhile has none.
            let isGone = KafkaErrorCode(entry.error) == .unknownTopicOrPartition
            guard isGone || entry.error == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw client.failure(entry.error, doing: "\(what), \(entry.partition),")
            }
            if entry.offset >= 0 { offsets[entry.partition] = entry.offset }
        }
        return offsets
    }

    /// Commits offsets while the group has no members.
    internal func commit(
        _ offsets: [KafkaPartition: Int64],
        _ timeout: Duration
    ) throws(KafkaFailure) {
        let what = "Setting offsets of the group \(group)"
        let list = PartitionListHandle(offsets)
        let queue = rd_kafka_queue_new(client.pointer)
        defer { rd_kafka_queue_destroy(queue) }
        let sent = rd_kafka_commit_queue(client.pointer, list.pointer, queue, nil, nil)
        guard sent == RD_KAFKA_RESP_ERR_NO_ERROR else { throw client.failure(sent, doing: what) }
        let deadline = ContinuousClock.now + timeout
        var event: OpaquePointer?
        while event == nil, ContinuousClock.now < deadline, !client.isInterrupted {
            client.poll()
            event = rd_kafka_queue_poll(queue, ClientHandle.slice.milliseconds)
        }
        guard let event else { throw client.failure(.timedOut, doing: what) }
        defer { rd_kafka_event_destroy(event) }
        let code = rd_kafka_event_error(event)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw client.failure(code, doing: what) }
        for entry in PartitionEntry.read(rd_kafka_event_topic_partition_list(event))
        where entry.error != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw client.failure(entry.error, doing: "\(what), \(entry.partition),")
        }
        client.events.forgetError()
    }
}

/// Clients in the names of groups: those that were used last, since each has threads and connections.
internal final class GroupClients: Sendable {
    private static let limit = 16

    private let recent = Mutex<[(group: String, client: GroupOffsetsHandle)]>([])

    internal func client(
        of group: String,
        like other: ClientHandle
    ) throws(KafkaFailure) -> GroupOffsetsHandle {
        var evicted: GroupOffsetsHandle?
        let found = try recent.withLock { (recent) throws(KafkaFailure) -> GroupOffsetsHandle in
            if let place = recent.firstIndex(where: { $0.group == group }) {
                recent.append(recent.remove(at: place))
                return recent[recent.count - 1].client
            }
            let client = try GroupOffsetsHandle(group, like: other)
            recent.append((group, client))
            // Ended without the lock, for it waits for its threads.
            if recent.count > Self.limit { evicted = recent.removeFirst().client }
            return client
        }
        withExtendedLifetime(evicted) {}
        return found
    }
}
