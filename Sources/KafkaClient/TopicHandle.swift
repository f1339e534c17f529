internal import CKafka

/// A client's object for a topic, destroyed with its last reference.
internal final class TopicHandle {
    internal let pointer: OpaquePointer
    /// Must outlive the topic.
    private let client: ClientHandle

    internal init(_ client: ClientHandle, _ name: String) throws(KafkaFailure) {
        self.client = client
        guard let pointer = rd_kafka_topic_new(client.pointer, name, nil) else {
            throw client.failure(rd_kafka_last_error(), doing: "Using the topic \(name)")
        }
        self.pointer = pointer
    }

    deinit { rd_kafka_topic_destroy(pointer) }
}
