import CKafka
import Glibc
import Synchronization

/// librdkafka's own cluster of make-believe brokers, for failures that no real one can be asked for.
///
/// It creates topics when they are first used, keeps a few megabytes, and knows no administrator.
public final class KafkaMockHandle: @unchecked Sendable {
    // SAFETY: the cluster has a thread and a lock of its own; both pointers are constant.
    private let host: OpaquePointer
    private let cluster: OpaquePointer

    /// The ports of brokers that are down, by descriptors that hold them: the process would end when
    /// a broker came back and somebody else had its port.
    private let held = Mutex<[Int32: Int32]>([:])

    /// Where clients connect.
    public let bootstrap: String

    /// The requests that can be made to fail.
    public enum Request: Int16, Sendable {
        case produce = 0
        case fetch = 1
        case listOffsets = 2
        case metadata = 3
        case findCoordinator = 10
        case joinGroup = 11
        case heartbeat = 12
        case initProducerID = 22
        case addPartitionsToTransaction = 24
        case endTransaction = 26
    }

    /// Starts a cluster of so many brokers, numbered from 1.
    public init(brokers: Int32 = 1) throws {
        if let problem = mr_kafka_load() { throw ProgramError(String(cString: problem)) }
        let configuration = rd_kafka_conf_new()
        var text = [CChar](repeating: 0, count: 512)
        // Its log says what each injected error does.
        _ = rd_kafka_conf_set(configuration, "log_level", "0", &text, text.count)
        guard let host = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &text, text.count),
            let cluster = rd_kafka_mock_cluster_new(host, brokers)
        else { throw ProgramError("no mock cluster") }
        self.host = host
        self.cluster = cluster
        bootstrap = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    deinit {
        // In this order: the cluster's thread belongs to its host.
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(host)
        for descriptor in held.withLock({ Array($0.values) }) { close(descriptor) }
    }

    /// Creates a topic.
    public func createTopic(_ name: String, partitions: Int32, replication: Int32 = 1) {
        _ = rd_kafka_mock_topic_create(cluster, name, partitions, replication)
    }

    /// Has the next requests of a kind answered with these errors, one each.
    public func fail(_ request: Request, with codes: [Int32]) {
        let errors = codes.map { rd_kafka_resp_err_t($0) }
        rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, errors.count, errors)
    }

    /// Has all brokers know nothing of a kind of request.
    public func withdraw(_ request: Request) {
        _ = rd_kafka_mock_set_apiversion(cluster, request.rawValue, -1, -1)
    }

    /// Has requests of a kind succeed again.
    public func succeed(_ request: Request) {
        rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
    }

    /// Makes another broker the leader of a partition.
    public func moveLeader(of topic: String, _ partition: Int32, to broker: Int32) {
        _ = rd_kafka_mock_partition_set_leader(cluster, topic, partition, broker)
    }

    /// Makes another broker the coordinator of a transactional id.
    public func moveCoordinator(ofTransactions id: String, to broker: Int32) {
        _ = rd_kafka_mock_coordinator_set(cluster, "transaction", id, broker)
    }

    /// Cuts a broker off, or lets it back.
    public func setDown(_ broker: Int32, _ isDown: Bool) {
        if isDown {
            _ = rd_kafka_mock_broker_set_down(cluster, broker)
            held.withLock { $0[broker] = port(of: broker).flatMap(LoopbackPort.hold) }
        } else {
            if let descriptor = held.withLock({ $0.removeValue(forKey: broker) }) {
                close(descriptor)
            }
            _ = rd_kafka_mock_broker_set_up(cluster, broker)
        }
    }

    private func port(of broker: Int32) -> Int? {
        let addresses = bootstrap.split(separator: ",")
        guard addresses.indices.contains(Int(broker) - 1) else { return nil }
        return addresses[Int(broker) - 1].split(separator: ":").last.flatMap { Int($0) }
    }

    /// Makes a broker slow.
    public func setRoundTrip(of broker: Int32, milliseconds: Int32) {
        _ = rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds)
    }
}
