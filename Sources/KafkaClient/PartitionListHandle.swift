internal import CKafka

/// A list of partitions with offsets, as librdkafka takes and gives them.
internal final class PartitionListHandle {
    internal let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    internal init(_ partitions: [KafkaPartition: Int64]) {
        pointer = rd_kafka_topic_partition_list_new(Int32(partitions.count))
        for (partition, offset) in partitions {
            let entry = rd_kafka_topic_partition_list_add(
                pointer,
                partition.topic,
                partition.partition
            )
            entry?.pointee.offset = offset
        }
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    /// What the list holds now.
    internal var entries: [PartitionEntry] { PartitionEntry.read(pointer) }
}

/// One partition of a list.
internal struct PartitionEntry {
    internal var partition: KafkaPartition
    internal var offset: Int64
    internal var error: rd_kafka_resp_err_t

    internal static func read(
        _ list: UnsafePointer<rd_kafka_topic_partition_list_t>?
    ) -> [PartitionEntry] {
        guard let list, let elements = list.pointee.elems else { return [] }
        return (0..<Int(list.pointee.cnt)).map { index in
            let element = elements[index]
            return PartitionEntry(
                partition: KafkaPartition(String(cString: element.topic), element.partition),
                offset: element.offset,
                error: element.err
            )
        }
    }
}
