public import ConnectorSDK
internal import KafkaClient
internal import KafkaRecords

extension ClusterStatus {
    /// Asks for the status of a cluster of workers.
    ///
    /// - Parameters:
    ///   - cluster: its name.
    ///   - broker: librdkafka's configuration keys, `bootstrap.servers` among them.
    ///   - timeout: how long a request may take.
    ///   - log: hears librdkafka's log, with syslog's levels.
    /// - Returns: `nil` when no worker was ever in it.
    /// - Throws: why the brokers do not say it.
    public static func read(
        _ cluster: String,
        broker: [String: String],
        timeout: Duration = .seconds(30),
        log: (@Sendable (_ level: Int, _ text: String) -> Void)? = nil
    ) throws(ConnectorError) -> ClusterStatus? {
        do throws(KafkaFailure) {
            let settings = KafkaSettings(broker)
            let ear = KafkaObserver(log: log)
            let admin = try KafkaAdmin(settings, timeout: timeout, observer: ear)
            let topic = WorkerGroup.statusTopic(of: cluster)
            guard try admin.metadata(topic: topic).topics[topic] != nil else { return nil }
            let status = try StatusTopic(topic, settings, timeout, ear)
            defer { status.close() }
            // The group first: a worker that leaves takes back what it has said before it does.
            let group = try admin.group(cluster)
            return ClusterStatus(try status.read(), group)
        } catch {
            throw ConnectorError(error, KafkaCodes("cluster"))
        }
    }
}

extension KafkaAdmin {
    /// A group that may have no members and never had any.
    fileprivate func group(_ name: String) throws(KafkaFailure) -> KafkaGroup {
        do throws(KafkaFailure) {
            return try describeGroup(name)
        } catch {
            guard error.code == .groupNotFound else { throw error }
            return .dead(name)
        }
    }
}
