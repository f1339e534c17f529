internal import ConnectorSDK
internal import RecordTemplates

/// The keys that the source and the sink share.
internal enum TopicKeys {
    static let topic = ConfigKey.required(
        "topic",
        help: """
            The topic the records go to; `${topic}` stands for the name of the one they come from, \
            `${partition}` for the partition's number. It is created when it does not exist, with \
            as many partitions as those that are read.
            """
    )
    static let partition = ConfigKey<RecordPlacement>.choice(
        "partition",
        default: .keep,
        help: """
            `keep`: a record stays in the partition of the same number, unless `key.fields` or a \
            transform gave it another key; then, and with `hash`, the key's hash decides, as \
            everywhere. The topic must have as many partitions as those that are read.
            """
    )
}

/// Finds the target of each partition.
internal struct TargetTopic {
    private let template: RecordTemplate
    private var renderer: TemplateRenderer
    private var last: (bytes: [UInt8], name: String) = ([], "")

    init(_ configuration: Configuration) throws(ConnectorError) {
        let key = TopicKeys.topic.declaration.name
        template = try RecordTemplate(try configuration.get(TopicKeys.topic), key: key)
        guard template.isConstantInPartition else {
            throw .invalid(
                key,
                "Only `${topic}` and `${partition}` can stand in it.",
                hint: "A transform such as RegexRouter, or a field of the record through it, "
                    + "chooses topics record by record."
            )
        }
        renderer = TemplateRenderer(template, .verbatim)
    }

    /// The target of a batch of one partition, whose topic is the one it was read from.
    mutating func name(for batch: RecordBatch) -> String {
        renderer.render(batch, row: 0)
        if renderer.bytes != last.bytes {
            last = (renderer.bytes, String(decoding: renderer.bytes, as: UTF8.self))
        }
        return last.name
    }
}
