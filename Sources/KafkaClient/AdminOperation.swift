internal import CKafka

/// A kind of request about one thing, as librdkafka's functions for it have it: one asks, one takes
/// the result out of the answer, one takes the list out of the result.
internal struct AdminOperation {
    internal let kind: rd_kafka_admin_op_t
    internal let send: Send
    internal let result: Result
    internal let results: Results

    private init(
        _ kind: rd_kafka_admin_op_t,
        _ send: @escaping Send,
        _ result: @escaping Result,
        _ results: @escaping Results
    ) {
        self.kind = kind
        self.send = send
        self.result = result
        self.results = results
    }

    internal static var createTopics: Self {
        Self(
            RD_KAFKA_ADMIN_OP_CREATETOPICS,
            rd_kafka_CreateTopics,
            rd_kafka_event_CreateTopics_result,
            rd_kafka_CreateTopics_result_topics
        )
    }

    internal static var deleteTopics: Self {
        Self(
            RD_KAFKA_ADMIN_OP_DELETETOPICS,
            rd_kafka_DeleteTopics,
            rd_kafka_event_DeleteTopics_result,
            rd_kafka_DeleteTopics_result_topics
        )
    }

    internal static var createPartitions: Self {
        Self(
            RD_KAFKA_ADMIN_OP_CREATEPARTITIONS,
            rd_kafka_CreatePartitions,
            rd_kafka_event_CreatePartitions_result,
            rd_kafka_CreatePartitions_result_topics
        )
    }

    internal static var describeConfigs: Self {
        Self(
            RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
            rd_kafka_DescribeConfigs,
            rd_kafka_event_DescribeConfigs_result,
            rd_kafka_DescribeConfigs_result_resources
        )
    }

    internal static var alterConfigs: Self {
        Self(
            RD_KAFKA_ADMIN_OP_ALTERCONFIGS,
            rd_kafka_AlterConfigs,
            rd_kafka_event_AlterConfigs_result,
            rd_kafka_AlterConfigs_result_resources
        )
    }

    internal static var deleteGroupOffsets: Self {
        Self(
            RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS,
            rd_kafka_DeleteConsumerGroupOffsets,
            rd_kafka_event_DeleteConsumerGroupOffsets_result,
            rd_kafka_DeleteConsumerGroupOffsets_result_groups
        )
    }

    internal static var deleteGroups: Self {
        Self(
            RD_KAFKA_ADMIN_OP_DELETEGROUPS,
            rd_kafka_DeleteGroups,
            rd_kafka_event_DeleteGroups_result,
            rd_kafka_DeleteGroups_result_groups
        )
    }
}
