internal import CKafka

/// A member of a consumer group that shares partitions with others and reads none of them.
///
/// Partitions come and go one by one (cooperative rebalancing): those that stay are not touched.
/// Belongs to one thread at a time, which must call ``next(_:)`` again and again, at the latest
/// after `max.poll.interval.ms`; otherwise the group gives the partitions to others.
public final class KafkaGroupMember {
    /// What the group has decided.
    public enum Event: Sendable, Hashable {
        /// These are the member's from now on; ``accept(_:)`` must follow.
        case assigned([KafkaPartition])
        /// These go to others as soon as ``release(_:)`` was called.
        case revoked([KafkaPartition])
        /// Others may have these already; ``release(_:)`` must follow.
        case lost([KafkaPartition])
    }

    /// The partitions that are the member's: accepted and not released.
    public private(set) var partitions: Set<KafkaPartition> = []
    /// How long the group misses a member before others get its partitions, unless
    /// `session.timeout.ms` says something else.
    ///
    /// 10 s: a process that is busy or swapped out for a few seconds keeps its partitions.
    public static let sessionTimeout: Duration = .seconds(10)

    private let client: ClientHandle
    private let handle: GroupHandle
    private let group: String
    private var isLeaving = false

    /// Begins to join a group that shares the partitions of `topic`, which must exist.
    ///
    /// With `instance`, a name that stays when the process is started again (static membership), its
    /// partitions wait for it for `session.timeout.ms`, also when it has left.
    ///
    /// - Throws: what is wrong with the settings. Nobody is waited for.
    public init(
        _ settings: KafkaSettings,
        group: String,
        topic: String,
        instance: String? = nil,
        observer: KafkaObserver = KafkaObserver()
    ) throws(KafkaFailure) {
        self.group = group
        var own = [
            "group.id": group,
            "partition.assignment.strategy": "cooperative-sticky",
            // A commit while partitions move makes some versions lose all of them.
            "enable.auto.commit": "false",
            "allow.auto.create.topics": "false",
        ]
        own["group.instance.id"] = instance
        let settings = settings.withDefaults([
            "session.timeout.ms": "\(Self.sessionTimeout.milliseconds)",
            "heartbeat.interval.ms": "2000",
            "max.poll.interval.ms": "60000",
        ]).overriding(own)
        client = try ClientHandle(RD_KAFKA_CONSUMER, settings, observer, joinsGroup: true)
        handle = try GroupHandle(client)
        try handle.subscribe(topic)
    }

    /// Waits for what the group decides next; `nil` when that was nothing.
    ///
    /// - Throws: when the member cannot stay: it may not join, or another has its `instance`.
    public func next(_ timeout: Duration) throws(KafkaFailure) -> Event? {
        switch try handle.next(timeout, "Sharing by the group \(group)") {
        case .assign(let partitions): return .assigned(partitions)
        case .revoke(let partitions):
            return handle.isAssignmentLost ? .lost(partitions) : .revoked(partitions)
        case .error(let failure):
            if failure.code.rawValue == Self.fencedInstance { throw failure.namingInstance() }
            // Of the others most pass, such as a coordinator that moves.
            switch failure.kind {
            case .authentication, .authorization, .fatal, .fenced: throw failure
            default: return nil
            }
        case .other, nil: return nil
        }
    }

    private static let fencedInstance: Int32 = 82

    /// Takes assigned partitions over; called at once, whatever is to be done about them.
    public func accept(_ partitions: [KafkaPartition]) throws(KafkaFailure) {
        try handle.assign(partitions)
        self.partitions.formUnion(partitions)
    }

    /// Gives partitions that were revoked or lost back, so that others get them.
    public func release(_ partitions: [KafkaPartition]) throws(KafkaFailure) {
        self.partitions.subtract(partitions)
        try handle.unassign(partitions)
    }

    /// The id that the group knows the member by; empty before it has joined.
    ///
    /// Another one after the group has missed the member for too long.
    public var id: String { handle.memberID }

    /// Whether others may have the member's partitions, though it has not been told yet: it was not
    /// heard of for too long.
    public var hasLostAssignment: Bool { handle.isAssignmentLost }

    /// Leaves the group, so that others get its partitions at once; those of an `instance` wait.
    ///
    /// - Returns: whether the group was left within `timeout`. Otherwise it notices by itself after
    ///   `session.timeout.ms`.
    public func leave(_ timeout: Duration) -> Bool {
        guard !isLeaving else { return handle.hasLeft }
        isLeaving = true
        let deadline = ContinuousClock.now + timeout
        do throws(KafkaFailure) {
            try handle.beginLeaving()
            while !handle.hasLeft, ContinuousClock.now < deadline {
                switch try handle.next(.milliseconds(100), "Leaving the group \(group)") {
                case .revoke(let partitions): try release(partitions)
                // Assigned just before; the group takes it back when the member has left.
                case .assign(let partitions): try handle.assign(partitions)
                case .error, .other, nil: break
                }
            }
        } catch {
            return false
        }
        partitions = []
        return handle.hasLeft
    }
}

extension KafkaFailure {
    /// Names the setting that two members have alike.
    fileprivate func namingInstance() -> KafkaFailure {
        var failure = self
        failure.configurationKey = "group.instance.id"
        failure.hint = "Another member has joined under the same name; each needs its own."
        return failure
    }
}
