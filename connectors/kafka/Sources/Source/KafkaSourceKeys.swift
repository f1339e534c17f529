internal import ConnectorSDK
internal import KafkaClient
internal import RecordTemplates
internal import RegularExpressions

/// The keys of the kafka source.
internal enum KafkaSourceKeys {
    static let topics = ConfigKey.list(
        "topics",
        importance: .high,
        help: "The cluster's topics to read. Either this or `topics.regex` must be given."
    )
    static let pattern = ConfigKey<String?>.optional(
        "topics.regex",
        help: """
            A regular expression; the cluster's topics whose whole name matches it are read, those \
            created later too. Names that begin with `__` are left out.
            """
    ) { RegularExpression.problem($0) }
    static let topic = ConfigKey.string(
        "topic",
        default: "${topic}",
        importance: .high,
        help: """
            The topic here that the records go to; `${topic}` stands for the name of the cluster's \
            topic, `${partition}` for the partition's number. It is created when it does not \
            exist, with as many partitions as the cluster's topic has.
            """
    )
    static let partition = ConfigKey<RecordPlacement>.choice(
        "partition",
        default: .keep,
        help: """
            `keep`: a record stays in the partition of the same number, unless `key.fields` or a \
            transform gave it another key; then, and with `hash`, the key's hash decides, as \
            everywhere. With `keep` the topic here must have as many partitions as the cluster's.
            """
    )
    enum Reset: String, CaseIterable, Sendable {
        case earliest, latest, none
    }
    static let reset = ConfigKey<Reset>.choice(
        "auto.offset.reset",
        default: .earliest,
        help: """
            Where reading starts in a partition that was never read: at the first record, behind \
            the last one, or not at all (an error). Partitions that appear after the first start, \
            and topics that match `topics.regex` only then, are read from their first record; \
            with `none`, while the source runs. Records that retention removed before they were \
            read are an error whatever this says.
            """
    )
    enum Isolation: String, CaseIterable, Sendable {
        case readCommitted = "read_committed"
        case readUncommitted = "read_uncommitted"
    }
    static let isolation = ConfigKey<Isolation>.choice(
        "isolation.level",
        default: .readCommitted,
        help: """
            `read_committed` reads records of transactions once these are committed, and never \
            those of aborted ones; `read_uncommitted` reads everything at once.
            """
    )
    static let group = ConfigKey<String?>.optional(
        "group.id",
        help: """
            A consumer group whose offsets in the cluster are set to what is durable here, so that \
            the cluster's own tools show the lag. The source's place is its own position all the \
            same; no member of the group may be active.
            """
    )
    static let commitInterval = ConfigKey.duration(
        "auto.commit.interval.ms",
        default: .seconds(5),
        in: .milliseconds(10) ... .seconds(3_600),
        importance: .low,
        help: "How often the offsets of `group.id` are set."
    )
    static let refresh = ConfigKey.duration(
        "topic.metadata.refresh.interval.ms",
        default: .seconds(10),
        in: .milliseconds(10) ... .seconds(3_600),
        importance: .low,
        help: "How often the cluster is asked for new topics and partitions."
    )

    static let all = KafkaKeys.all
        .with(topics).with(pattern).with(topic).with(partition).with(reset).with(isolation)
        .with(group).with(commitInterval).with(refresh)
}

/// Which of the cluster's topics are read.
internal enum TopicChoice: Sendable {
    case names([String])
    case pattern(RegularExpression)

    /// Whether topics that do not exist yet may be among them.
    var takesNew: Bool { if case .pattern = self { true } else { false } }

    init(_ configuration: Configuration) throws(ConnectorError) {
        let names = try configuration.get(KafkaSourceKeys.topics)
        let pattern = try configuration.get(KafkaSourceKeys.pattern)
        let key = KafkaSourceKeys.topics.declaration.name
        guard let pattern else {
            guard !names.isEmpty else {
                throw .invalid(key, "It is not said which topics are read.", hint: "Name them.")
            }
            self = .names(names)
            return
        }
        guard names.isEmpty else {
            throw .invalid(key, "Topics are chosen by `topics.regex` already.")
        }
        do throws(PatternError) {
            self = .pattern(try RegularExpression(pattern, matching: .whole))
        } catch {
            throw .invalid("topics.regex", "The value is no regular expression: \(error.reason).")
        }
    }
}

/// The values of the kafka source's keys.
internal struct KafkaSourceSettings: Sendable {
    let cluster: KafkaCluster
    let topics: TopicChoice
    let target: RecordTemplate
    let placement: RecordPlacement
    let reset: KafkaSourceKeys.Reset
    let isolation: KafkaConsumer.Isolation
    let group: String?
    let commitInterval: Duration
    let refresh: Duration

    init(_ configuration: Configuration, name: String) throws(ConnectorError) {
        cluster = try KafkaCluster(configuration, name: name)
        topics = try TopicChoice(configuration)
        target = try TargetTemplate.read(KafkaSourceKeys.topic, of: configuration)
        placement = try configuration.get(KafkaSourceKeys.partition)
        reset = try configuration.get(KafkaSourceKeys.reset)
        isolation =
            try configuration.get(KafkaSourceKeys.isolation) == .readCommitted
            ? .readCommitted : .readUncommitted
        group = try configuration.get(KafkaSourceKeys.group)
        commitInterval = try configuration.get(KafkaSourceKeys.commitInterval)
        refresh = try configuration.get(KafkaSourceKeys.refresh)
    }
}
