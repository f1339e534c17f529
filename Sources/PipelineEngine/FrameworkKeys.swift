internal import ConnectorSDK
internal import RegularExpressions
internal import Topics

/// The keys that every connector takes, whatever its plug-in; the names are Kafka Connect's.
enum FrameworkKeys {
    static let tasksMax = ConfigKey.int(
        "tasks.max",
        default: 1,
        in: 1...256,
        help: """
            How many tasks share the work, each on a thread of its own. Sinks split partitions; \
            sources split files or tables. In a pipeline file `tasks` means the same.
            """
    )

    // MARK: Topics

    static let topics = ConfigKey.list(
        "topics",
        importance: .high,
        help: "The topics to read. Either this or `topics.regex` must be given."
    )
    static let topicsRegex = ConfigKey<String?>.optional(
        "topics.regex",
        help: """
            A regular expression; topics whose whole name matches it are read, those created \
            later too.
            """,
        validator: { RegularExpression.problem($0) }
    )
    enum OffsetReset: String, Sendable, CaseIterable {
        case earliest, latest, none
    }
    static let offsetReset = ConfigKey<OffsetReset>.choice(
        "consumer.override.auto.offset.reset",
        default: .earliest,
        help: """
            Where reading starts in a partition of which there is no offset yet: at the first \
            record, behind the last one, or not at all (an error). Records that retention removed \
            before they were read are an error whatever this says.
            """
    )
    static let transactionTopic = ConfigKey<String?>.optional(
        "transaction.topic",
        help: """
            The topic in which the source of captured changes says that a transaction is complete \
            (`provide.transaction.metadata` there). The sink then applies each transaction whole \
            and in commit order, the rows of all its tables in one transaction of the target. It \
            must have one task, and read all tables whose rows belong together.
            """
    )
    static let flushInterval = ConfigKey.duration(
        "offset.flush.interval.ms",
        default: .seconds(1),
        in: .milliseconds(1) ... .seconds(3_600),
        help: """
            The longest time between two commits while records arrive. A commit makes records \
            durable in the target together with the offsets. A sink that has caught up commits \
            at once.
            """
    )
    static let defaultPartitions = ConfigKey.int(
        "topic.creation.default.partitions",
        default: 1,
        in: 1...10_000,
        help: """
            The number of partitions of a topic that the source writes to, that does not exist, \
            and that no pipeline file declares.
            """
    )
    static let keyFields = ConfigKey.list(
        "key.fields",
        importance: .high,
        help: """
            The fields that make up the record's key, in this order, taken before transforms. \
            Records with the same key stay in one partition, in order.
            """
    )
    enum PartitionerChoice: String, Sendable, CaseIterable {
        case standard = "default"
        case roundRobin = "round_robin"
    }
    static let partitioner = ConfigKey<PartitionerChoice>.choice(
        "partitioner",
        default: .standard,
        importance: .low,
        help: """
            `default` places keyed records by Kafka's murmur2 hash of the key and changes the \
            partition of others from batch to batch; `round_robin` spreads records evenly, keys \
            or not.
            """
    )

    // MARK: Errors

    enum Tolerance: String, Sendable, CaseIterable {
        case none, all
    }
    static let tolerance = ConfigKey<Tolerance>.choice(
        "errors.tolerance",
        default: Tolerance.none,
        importance: .high,
        help: """
            What a record that cannot be read, changed or written does: `none` fails the task, \
            `all` puts the record into the dead letter topic and goes on.
            """,
        dependents: ["errors.deadletterqueue.topic.name"]
    )
    static let deadLetterTopic = ConfigKey<String?>.optional(
        "errors.deadletterqueue.topic.name",
        importance: .high,
        help: """
            The dead letter topic, for sources and sinks alike. Required with \
            `errors.tolerance: all`. It is created when it does not exist, and kept without a \
            time limit.
            """
    )
    static let contextHeaders = ConfigKey.bool(
        "errors.deadletterqueue.context.headers.enable",
        default: true,
        importance: .low,
        help: """
            Whether dead letters carry the `__connect.errors.` headers, which say where a record \
            came from and what was wrong. Without them it cannot be replayed.
            """
    )
    static let breakerRejected = ConfigKey.int(
        "errors.deadletterqueue.breaker.rejected",
        default: 500,
        in: 0...1_000_000,
        importance: .low,
        help: """
            The task fails when more than this many of the last \
            `errors.deadletterqueue.breaker.window` records were rejected: then the \
            configuration is wrong rather than the records. 0 turns it off.
            """
    )
    static let breakerWindow = ConfigKey.int(
        "errors.deadletterqueue.breaker.window",
        default: 1_000,
        in: 1...1_000_000_000,
        importance: .low,
        help: "The number of records that `errors.deadletterqueue.breaker.rejected` looks back."
    )
    static let retryTimeout = ConfigKey.duration(
        "errors.retry.timeout",
        default: .seconds(600),
        in: .milliseconds(-1) ... .seconds(Int64(Int32.max)),
        help: """
            How long a task that makes no progress is restarted after errors that may pass, such \
            as a server that cannot be reached, before it fails. -1 never gives up, 0 never retries.
            """
    )
    static let retryDelayMax = ConfigKey.duration(
        "errors.retry.delay.max.ms",
        default: .seconds(60),
        in: .milliseconds(1) ... .seconds(86_400),
        importance: .low,
        help: "The longest wait between two attempts; waits start at 300 ms and double."
    )
    static let logErrors = ConfigKey.bool(
        "errors.log.enable",
        default: false,
        importance: .low,
        help: "Whether every rejected record is logged: where it is and why, never what it holds."
    )

    // MARK: Lists of plug-ins

    static let transforms = ConfigKey.list(
        "transforms",
        help: """
            The names of the transforms, in the order they apply; `transforms.<name>.type` and \
            the other keys of each follow. A pipeline file may write a list of maps.
            """
    )
    static let predicates = ConfigKey.list(
        "predicates",
        importance: .low,
        help: "The names of the conditions that `transforms.<name>.predicate` refers to."
    )

    static let errors = ConfigSpec()
        .with(tolerance).with(deadLetterTopic).with(contextHeaders)
        .with(breakerRejected).with(breakerWindow)
        .with(retryTimeout).with(retryDelayMax).with(logErrors)

    /// The keys of a source, but for converters and transforms.
    static let source = ConfigSpec()
        .with(tasksMax).with(keyFields).with(partitioner)
        .with(defaultPartitions)
        .merging(topicCreation)

    /// `topic.creation.default.<setting>`, as Kafka Connect has it.
    static let topicCreation = TopicSettings.configuration
        .prefixed(with: topicCreationPrefix)

    static let topicCreationPrefix = "topic.creation.default."

    /// The keys that say what is read of topics.
    static let reading = ConfigSpec().with(topics).with(topicsRegex).with(offsetReset)

    /// The keys of a sink, but for converters and transforms.
    static let sink = ConfigSpec()
        .with(tasksMax).merging(reading).with(flushInterval).with(transactionTopic)
}

extension ConfigSpec {
    /// The same keys, nested below a prefix that ends in a dot.
    func prefixed(with prefix: String) -> ConfigSpec {
        declarations.reduce(ConfigSpec()) { spec, declaration in
            var nested = declaration
            nested.name = prefix + declaration.name
            nested.dependents = declaration.dependents.map { prefix + $0 }
            return spec.with(nested)
        }
    }

    /// The keys of both; where both have a key, this spec's declaration stands.
    func adding(_ other: ConfigSpec) -> ConfigSpec {
        let known = Set(declarations.map(\.name))
        return other.declarations.filter { !known.contains($0.name) }
            .reduce(self) { $0.with($1) }
    }
}
