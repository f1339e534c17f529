public import ConnectorSDK
internal import KafkaClient
internal import KafkaRecords

extension KafkaTopicStore {
    /// Looks whether the cluster has what the store needs; creates no topic.
    ///
    /// A cluster tells whether it has transactions only when a producer of transactions signs in,
    /// which is done with an id of its own, `<name>-doctor`.
    public func preflight(_ timeout: Duration = .seconds(15)) -> [PreflightCheck] {
        var checks = [library()]
        do throws(ConnectorError) {
            let metadata = try onCluster { () throws(KafkaFailure) in
                try client.admin.allowing(timeout).metadata()
            }
            checks.append(
                PreflightCheck(
                    "cluster",
                    .passed,
                    "\(metadata.brokers.count) broker(s), \(metadata.topics.count) topic(s).",
                    at: "bootstrap.servers"
                )
            )
            checks.append(replication(metadata))
            checks.append(transactions(timeout))
        } catch {
            checks.append(PreflightCheck("cluster", failed: error))
        }
        return checks
    }

    private func library() -> PreflightCheck {
        do throws(KafkaFailure) {
            let version = try KafkaLibrary.version()
            guard try KafkaLibrary.skipsTaggedFields() else {
                return PreflightCheck(
                    "librdkafka",
                    .passed,
                    "Version \(version), which does for Apache Kafka; brokers of other makes that "
                        + "send tagged fields need 2.2 or later.",
                    hint: "MILLRACE_LIBRDKAFKA may name a newer librdkafka.so.1."
                )
            }
            return PreflightCheck("librdkafka", .passed, "Version \(version).")
        } catch {
            return PreflightCheck("librdkafka", failed: ConnectorError(error))
        }
    }

    private func replication(_ metadata: KafkaMetadata) -> PreflightCheck {
        let key = "replication.factor", brokers = metadata.brokers.count
        if let wanted = client.options.replicationFactor, Int(wanted) > brokers {
            return PreflightCheck(
                "replication",
                .failed,
                "Topics are to have \(wanted) copies, and the cluster has \(brokers) broker(s).",
                kind: .configuration,
                at: key,
                hint: "Ask for \(brokers) or fewer, or start more brokers."
            )
        }
        let kept = metadata.topics[client.options.positionsTopic]?.map(\.replicas.count).min()
        if let kept, kept == 1, brokers > 1 {
            return PreflightCheck(
                "replication",
                .warning,
                "The topic \(client.options.positionsTopic) has one copy: with its broker the "
                    + "positions of all sources are lost.",
                at: key,
                hint: "Give it more with kafka-reassign-partitions."
            )
        }
        if let kept {
            return PreflightCheck("replication", .passed, "Positions have \(kept) copies.", at: key)
        }
        let wanted = client.options.replicationFactor.map { "\($0)" } ?? "the cluster's default"
        return PreflightCheck(
            "replication",
            .passed,
            "The store's own topics are not there yet; copies of each: \(wanted).",
            at: key
        )
    }

    private func transactions(_ timeout: Duration) -> PreflightCheck {
        let key = "transactions"
        guard client.options.usesTransactions else {
            return PreflightCheck(
                "transactions",
                .warning,
                "They are not used: records arrive at least once; after a failure some come twice.",
                at: key
            )
        }
        do throws(KafkaFailure) {
            let producer = try KafkaProducer(
                client.settings,
                transactionalID: "\(client.options.name)-doctor",
                observer: client.ear()
            )
            try producer.initTransactions(timeout)
            return PreflightCheck("transactions", .passed, "The cluster has them.", at: key)
        } catch {
            return PreflightCheck(
                "transactions",
                failed: ConnectorError(error.namingTransactions)
            )
        }
    }
}
