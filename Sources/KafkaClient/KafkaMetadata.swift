internal import CKafka

/// The brokers of a cluster and its topics, as one broker knew them.
public struct KafkaMetadata: Sendable, Hashable {
    /// A broker.
    public struct Broker: Sendable, Hashable {
        /// Its number.
        public var id: Int32
        /// The address that it tells clients.
        public var address: String
    }

    /// A partition of a topic.
    public struct Partition: Sendable, Hashable {
        /// The number.
        public var id: Int32
        /// The broker that takes its records, or -1 for none at the moment.
        public var leader: Int32
        /// The brokers that hold it.
        public var replicas: [Int32]
    }

    /// The brokers.
    public var brokers: [Broker]
    /// The topics by name, each with its partitions in order.
    public var topics: [String: [Partition]]

    internal init(
        _ metadata: rd_kafka_metadata,
        _ client: ClientHandle,
        _ what: String
    ) throws(KafkaFailure) {
        brokers = (0..<Int(metadata.broker_cnt)).map { index in
            let broker = metadata.brokers[index]
            return Broker(id: broker.id, address: "\(String(cString: broker.host)):\(broker.port)")
        }
        topics = [:]
        for index in 0..<Int(metadata.topic_cnt) {
            let topic = metadata.topics[index]
            let code = KafkaErrorCode(topic.err)
            // A topic without a leader is there; its partitions tell.
            guard code == .none || code.rawValue == 5 else {
                if code == .unknownTopicOrPartition { continue }
                throw client.failure(code, doing: what)
            }
            let partitions = (0..<Int(topic.partition_cnt)).map { index in
                let partition = topic.partitions[index]
                return Partition(
                    id: partition.id,
                    leader: partition.leader,
                    replicas: (0..<Int(partition.replica_cnt)).map { partition.replicas[$0] }
                )
            }
            topics[String(cString: topic.topic)] = partitions.sorted { $0.id < $1.id }
        }
    }
}
