internal import CKafka

/// A consumer group and its members.
public struct KafkaGroup: Sendable, Hashable {
    /// A member, and what it reads.
    public struct Member: Sendable, Hashable {
        /// The id that the coordinator gave it.
        public var id: String
        /// The name that it gives itself.
        public var clientID: String
        /// Where it connects from.
        public var host: String
        /// Its `group.instance.id`.
        public var instanceID: String?
        /// The partitions that are assigned to it.
        public var partitions: [KafkaPartition]
    }

    /// The name.
    public var name: String
    /// The coordinator's word for its state, such as `Stable` or `Empty`.
    public var state: String
    /// The assignor that its members agreed on.
    public var assignor: String
    /// Its members.
    public var members: [Member]

    /// A group that nobody is a member of, as far as its coordinator knows.
    public static func dead(_ name: String) -> KafkaGroup {
        KafkaGroup(name: name, state: "Dead", assignor: "", members: [])
    }
}

extension KafkaAdmin {
    /// The names of all groups.
    public func groups() throws(KafkaFailure) -> [String] {
        let what = "Asking for the groups"
        let request = AdminRequestHandle(client, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, timeout)
        rd_kafka_ListConsumerGroups(client.pointer, request.options, request.queue)
        let result = rd_kafka_event_ListConsumerGroups_result(try request.answer(to: what))
        var failed = 0
        if let errors = rd_kafka_ListConsumerGroups_result_errors(result, &failed), failed > 0 {
            // A list without the groups of one broker would pass for the whole. (D6)
            let error = errors[0]
            throw client.failure(
                rd_kafka_error_code(error),
                String(cString: rd_kafka_error_string(error)),
                doing: what
            )
        }
        var count = 0
        let groups = rd_kafka_ListConsumerGroups_result_valid(result, &count)
        return (0..<count).compactMap { index in
            rd_kafka_ConsumerGroupListing_group_id(groups?[index]).map { String(cString: $0) }
        }.sorted()
    }

    /// A group, its state and members.
    public func describeGroup(_ name: String) throws(KafkaFailure) -> KafkaGroup {
        let what = "Asking about the group \(name)"
        let names = CStringList([name])
        let request = AdminRequestHandle(client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeout)
        rd_kafka_DescribeConsumerGroups(
            client.pointer,
            names.pointers,
            1,
            request.options,
            request.queue
        )
        let result = rd_kafka_event_DescribeConsumerGroups_result(try request.answer(to: what))
        var count = 0
        guard let groups = rd_kafka_DescribeConsumerGroups_result_groups(result, &count), count > 0
        else { throw KafkaFailure(.refused, .groupNotFound, "\(what) brought no answer.") }
        let group = groups[0]
        if let error = rd_kafka_ConsumerGroupDescription_error(group) {
            let text = String(cString: rd_kafka_error_string(error))
            throw client.failure(rd_kafka_error_code(error), text, doing: what)
        }
        let state = rd_kafka_ConsumerGroupDescription_state(group)
        let assignor = rd_kafka_ConsumerGroupDescription_partition_assignor(group)
        let members = (0..<rd_kafka_ConsumerGroupDescription_member_count(group)).map { index in
            let member = rd_kafka_ConsumerGroupDescription_member(group, index)
            func text(_ value: UnsafePointer<CChar>?) -> String {
                value.map { String(cString: $0) } ?? ""
            }
            let assignment = rd_kafka_MemberDescription_assignment(member)
            let partitions = rd_kafka_MemberAssignment_partitions(assignment)
            return KafkaGroup.Member(
                id: text(rd_kafka_MemberDescription_consumer_id(member)),
                clientID: text(rd_kafka_MemberDescription_client_id(member)),
                host: text(rd_kafka_MemberDescription_host(member)),
                instanceID: rd_kafka_MemberDescription_group_instance_id(member)
                    .map { String(cString: $0) },
                partitions: PartitionEntry.read(partitions).map(\.partition)
            )
        }
        return KafkaGroup(
            name: name,
            state: String(cString: rd_kafka_consumer_group_state_name(state)),
            assignor: assignor.map { String(cString: $0) } ?? "",
            members: members
        )
    }

    /// The offsets that a group has committed: for each partition the next to be read.
    public func offsets(ofGroup name: String) throws(KafkaFailure) -> [KafkaPartition: Int64] {
        var partitions: [KafkaPartition: Int64] = [:]
        for (topic, list) in try metadata().topics {
            for partition in list { partitions[KafkaPartition(topic, partition.id)] = 0 }
        }
        if partitions.isEmpty { return [:] }
        return try groupClients.client(of: name, like: client).offsets(of: partitions, timeout)
    }

    /// Commits offsets of a group that has no members.
    public func setOffsets(
        ofGroup name: String,
        to offsets: [KafkaPartition: Int64]
    ) throws(KafkaFailure) {
        try groupClients.client(of: name, like: client).commit(offsets, timeout)
    }

    /// Removes offsets of a group that does not read these partitions.
    public func removeOffsets(
        ofGroup name: String,
        _ partitions: [KafkaPartition]
    ) throws(KafkaFailure) {
        let what = "Removing offsets of the group \(name)"
        let list = PartitionListHandle(Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) }))
        let asked = rd_kafka_DeleteConsumerGroupOffsets_new(name, list.pointer)
        defer { rd_kafka_DeleteConsumerGroupOffsets_destroy(asked) }
        try requestGroup(.deleteGroupOffsets, about: asked, doing: what)
    }

    /// Deletes a group that has no members, and its offsets.
    public func deleteGroup(_ name: String) throws(KafkaFailure) {
        let what = "Deleting the group \(name)"
        let group = rd_kafka_DeleteGroup_new(name)
        defer { rd_kafka_DeleteGroup_destroy(group) }
        try requestGroup(.deleteGroups, about: group, doing: what)
    }
}
