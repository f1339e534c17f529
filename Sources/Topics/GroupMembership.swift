public import ConnectorSDK

/// Who reads as a group at the moment.
public struct GroupMembership: Sendable, Hashable {
    /// One member, and what it reads.
    public struct Member: Sendable, Hashable {
        /// The id that the coordinator gave it.
        public var id: String
        /// The name that it gives itself.
        public var client: String
        /// Where it connects from.
        public var host: String
        /// The partitions that are assigned to it.
        public var partitions: [TopicPartition]

        /// Makes a member.
        public init(id: String, client: String, host: String, partitions: [TopicPartition]) {
            self.id = id
            self.client = client
            self.host = host
            self.partitions = partitions
        }
    }

    /// The coordinator's word for how the group stands, such as `Stable` or `Empty`.
    public var state: String
    /// Its members.
    public var members: [Member]

    /// Makes a membership.
    public init(state: String, members: [Member]) {
        self.state = state
        self.members = members
    }
}
