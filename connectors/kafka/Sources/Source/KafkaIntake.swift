internal import ConnectorSDK
internal import KafkaClient
internal import Logging
internal import RecordTemplates
internal import RegularExpressions

/// The partitions of the cluster that one task reads.
internal final class KafkaIntake {
    /// What is fetched ahead for all partitions together, and for one at the most and the least.
    private enum FetchAhead {
        static let total = 64 << 10
        static let most = 8 << 10
        static let least = 256
    }

    internal let admin: KafkaAdmin
    private let settings: KafkaSourceSettings
    private let context: ConnectorContext
    /// Where partitions go on that are not read: as the run began, or as they were let go of.
    private var positions: [String: String]
    private let wake: @Sendable () -> Void
    private var consumer: KafkaConsumer?
    private var hasLookedAround = false
    private var firstStart: FirstStart
    /// Partitions of each target topic.
    private var targets: [String: Int32] = [:]
    /// The partitions that are read, in order.
    internal private(set) var inputs: [KafkaInput] = []
    /// Whether a partition has said that it is not there.
    internal private(set) var mustLookAround = false

    internal init(
        _ settings: KafkaSourceSettings,
        _ context: ConnectorContext,
        _ positions: [String: String],
        _ wake: @escaping @Sendable () -> Void
    ) throws(ConnectorError) {
        self.settings = settings
        self.context = context
        self.positions = positions
        self.wake = wake
        firstStart = FirstStart(positions, takesNewTopics: settings.topics.takesNew)
        admin = try settings.cluster.makeAdmin()
    }

    internal func partitionCount(ofTarget topic: String) -> Int32? { targets[topic] }

    /// Whether everything is read that there was when the run began.
    internal var isReadToEnd: Bool { inputs.allSatisfy { $0.isRead || $0.isFarBehindEnd } }

    // MARK: Topics and partitions

    /// Opens partitions that are new, lets go of those that are gone, and returns the positions at
    /// which partitions begin that are not read from their first record.
    internal func lookAround() throws(ConnectorError) -> [SourcePosition] {
        let topics = try topics()
        defer { (hasLookedAround, mustLookAround) = (true, false) }
        var wanted: [KafkaPartition] = []
        for (topic, count) in topics.sorted(by: { $0.key < $1.key }) {
            for number in 0..<count {
                let partition = KafkaPartition(topic, number)
                let target = Self.target(of: partition, settings.target)
                targets[target] = max(targets[target] ?? 0, count)
                if Self.task(of: partition, among: context.taskCount) == context.taskID {
                    wanted.append(partition)
                }
            }
        }
        letGo { [wanted = Set(wanted)] in !wanted.contains($0) }
        let known = Set(inputs.map(\.partition))
        var starts: [SourcePosition] = []
        for partition in wanted where !known.contains(partition) {
            if let start = try open(partition, among: wanted.count) { starts.append(start) }
        }
        // Before the others: a start that is remembered is one that was noted.
        if settings.reset == .latest, !hasLookedAround, let noted = firstStart.note(topics) {
            starts.insert(noted, at: 0)
        }
        return starts
    }

    private func letGo(of isGone: (KafkaPartition) -> Bool) {
        for input in inputs where isGone(input.partition) {
            context.logger.warning(
                "a partition of the cluster is gone",
                metadata: ["partition": "\(input.partition)"]
            )
            // D3: should a broker only not have known of it, it goes on where it was.
            positions[input.position.partition] = input.position.offset
        }
        inputs.removeAll { isGone($0.partition) }
    }

    /// The topics to be read, each with its number of partitions.
    private func topics() throws(ConnectorError) -> [String: Int32] {
        switch settings.topics {
        case .pattern(let expression):
            let all = try onCluster { () throws(KafkaFailure) in try admin.metadata().topics }
            let chosen = all.filter { !$0.key.hasPrefix("__") && expression.matches($0.key) }
            if chosen.isEmpty, !hasLookedAround {
                context.logger.warning("no topic of the cluster matches topics.regex")
            }
            return chosen.mapValues { Int32($0.count) }
        case .names(let names):
            var found: [String: Int32] = [:]
            for name in names {
                let topic = try onCluster { () throws(KafkaFailure) in
                    try admin.metadata(topic: name).topics[name]
                }
                guard let topic else { throw missing(name) }
                found[name] = Int32(topic.count)
            }
            return found
        }
    }

    private func missing(_ name: String) -> ConnectorError {
        let known = (try? admin.metadata().topics.keys.sorted()) ?? []
        let nearest = Spelling.nearest(to: name, in: known).map { "Did you mean `\($0)`? " } ?? ""
        return ConnectorError(
            .kafkaNoTopic,
            .failTask,
            hasLookedAround
                ? "The topic `\(name)` of the cluster was deleted."
                : "The cluster has no topic `\(name)`.",
            kind: hasLookedAround ? .runtime : .configuration,
            at: KafkaSourceKeys.topics.declaration.name,
            hint: nearest + "`topics.regex` waits for topics that do not exist yet."
        )
    }

    /// The task that reads a partition: always the same one, however many partitions there are.
    internal static func task(of partition: KafkaPartition, among count: Int) -> Int {
        let number = StableHash.of(partition.topic) &+ UInt64(max(partition.partition, 0))
        return Int(number % UInt64(count))
    }

    /// The topic here that a partition's records go to.
    internal static func target(
        of partition: KafkaPartition,
        _ template: RecordTemplate
    ) -> String {
        template.pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .topic: partition.topic
            case .partition: String(partition.partition)
            case .table, .timestamp, .field: ""
            }
        }.joined()
    }

    // MARK: Offsets

    private func open(
        _ partition: KafkaPartition,
        among count: Int
    ) throws(ConnectorError) -> SourcePosition? {
        let consumer = try sharedConsumer(among: count)
        let range = try onCluster { () throws(KafkaFailure) in
            try consumer.watermarks(of: partition, settings.cluster.timeout)
        }
        let (start, isChosen) = try start(of: partition, range.low, range.high)
        guard start >= range.low else { throw lost(partition, start, range) }
        let queue = try onCluster { () throws(KafkaFailure) in
            try consumer.open(partition, at: start)
        }
        let input = KafkaInput(
            queue,
            to: Self.target(of: partition, settings.target),
            until: context.untilEnd ? range.high : nil,
            wake
        )
        inputs.append(input)
        return isChosen ? input.position : nil
    }

    /// Where to begin, and whether that should be remembered before anything was read.
    private func start(
        of partition: KafkaPartition,
        _ low: Int64,
        _ high: Int64
    ) throws(ConnectorError) -> (offset: Int64, isChosen: Bool) {
        if let text = positions[partition.description] {
            guard let offset = KafkaOffset.number(text), offset >= 0 else {
                throw ConnectorError(
                    .init("kafka.position"),
                    .failTask,
                    "The position of \(partition) is `\(text)`, which is no offset.",
                    hint: #"It must be such as {"offset":42}: see `millrace offsets set`."#
                )
            }
            return (offset, false)
        }
        // What appears while the source runs has no record that it should pass over.
        if hasLookedAround { return (low, false) }
        switch settings.reset {
        case .earliest: return (low, false)
        case .latest: return firstStart.isNew(partition) ? (low, false) : (high, true)
        case .none:
            throw .invalid(
                KafkaSourceKeys.reset.declaration.name,
                "There is no position of \(partition), and `none` forbids to choose one.",
                hint: "Choose `earliest` or `latest`, or set one: `millrace offsets set "
                    + "\(context.name) --new --partition '\(partition)' --offset "
                    + #"'{"offset":\#(low)}'`."#
            )
        }
    }

    private func sharedConsumer(among count: Int) throws(ConnectorError) -> KafkaConsumer {
        if let consumer { return consumer }
        // D7: each partition has a queue of its own, and all of them share the memory.
        let share = max(
            FetchAhead.least,
            min(FetchAhead.most, FetchAhead.total / max(count, 1))
        )
        let own = settings.cluster.settings.withDefaults([
            "queued.max.messages.kbytes": String(share),
            "fetch.message.max.bytes": String(min(1 << 10, share) << 10),
            "fetch.max.bytes": String(16 << 20),
        ])
        let made = try onCluster { () throws(KafkaFailure) in
            try KafkaConsumer(own, isolation: settings.isolation)
        }
        consumer = made
        return made
    }

    /// Appends what has arrived of a partition to a batch, and returns the number of records.
    internal func read(
        _ input: KafkaInput,
        into batch: RecordBatch
    ) throws(ConnectorError) -> Int {
        do throws(KafkaFailure) {
            return try input.read(into: batch)
        } catch {
            switch error.code.rawValue {
            // A topic that is gone, as the broker and librdkafka say it.
            case 3, -188, -190:
                if mustLookAround { throw ConnectorError(error) }
                mustLookAround = true
                return 0
            default: throw outOfRange(error, input) ?? ConnectorError(error)
            }
        }
    }

    /// D6: what is not there any more is an error with numbers.
    private func outOfRange(_ failure: KafkaFailure, _ input: KafkaInput) -> ConnectorError? {
        guard failure.code == .autoOffsetReset || failure.code == .offsetOutOfRange,
            let consumer,
            let range = try? consumer.watermarks(of: input.partition, settings.cluster.timeout)
        else { return nil }
        return lost(input.partition, input.next, range)
    }

    private func lost(
        _ partition: KafkaPartition,
        _ next: Int64,
        _ range: (low: Int64, high: Int64)
    ) -> ConnectorError {
        let holds = "it holds \(range.low) to \(range.high)"
        let set =
            "`millrace offsets set \(context.name) --partition '\(partition)' --offset "
            + #"'{"offset":\#(range.low)}'`"#
        guard next < range.low else {
            return ConnectorError(
                .kafkaLost,
                .failTask,
                "Offset \(next) of \(partition) is behind the end of the partition (\(holds)): the "
                    + "topic was made anew, or lost records.",
                hint: set + " reads it from its first record."
            )
        }
        return ConnectorError(
            .kafkaLost,
            .failTask,
            "The cluster removed \(range.low - next) offsets of \(partition) that were not read, "
                + "\(next) to \(range.low - 1) (\(holds)).",
            hint: set + " goes on without them. A longer `retention.ms` of the topic, or a source "
                + "that is stopped for less long, keeps it from happening again."
        )
    }
}
