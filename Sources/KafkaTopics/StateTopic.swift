internal import ConnectorSDK
internal import KafkaClient
internal import Topics

/// A topic of the store's own, read as the table that it is: the latest value of each key.
internal struct StateTopic {
    internal let name: String
    internal let client: KafkaClients

    /// The partition that has everything of a connector.
    internal func partition(of connector: String) -> Int32 {
        Array(connector.utf8).withUnsafeBytes { bytes in
            Murmur2.partition(forKey: bytes, count: KafkaStoreOptions.partitions)
        }
    }

    /// Reads a partition to its end; the latest value of each key counts, and `nil` removes it.
    ///
    /// - Throws: when an open transaction hides the end for longer than a request may take.
    internal func read(
        _ partition: Int32
    ) throws(ConnectorError) -> [[UInt8]: [UInt8]] {
        var entries: [[UInt8]: [UInt8]] = [:]
        try forEachRecord(of: partition) { record in
            guard let key = record.key else { return }
            entries[Array(key)] = record.value.map { Array($0) }
        }
        return entries
    }

    /// Calls `body` with each record of a partition, in order.
    internal func forEachRecord(
        of partition: Int32,
        _ body: (KafkaRecord) -> Void
    ) throws(ConnectorError) {
        let id = KafkaPartition(name, partition)
        let timeout = client.options.timeout
        // The end as of all records: what an open transaction hides must be waited for.
        let (low, end) = try onCluster { () throws(KafkaFailure) in
            try client.observer.watermarks(of: id, timeout)
        }
        guard low < end else { return }
        let (queue, lease) = try onCluster { () throws(KafkaFailure) in
            try client.open(id, at: low)
        }
        // In this order: the queue must have stopped before another may read the partition.
        defer { withExtendedLifetime(lease) {} }
        defer { withExtendedLifetime(queue) {} }
        try onCluster { () throws(KafkaFailure) in
            try queue.readAll(before: end, within: timeout, body)
        }
    }
}
