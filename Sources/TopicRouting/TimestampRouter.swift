public import ConnectorSDK
internal import RecordFields
internal import ValueConversion

/// Sends records to topics named by their time.
public final class TimestampRouter: Transform {
    public static let name = "TimestampRouter"
    public static let className: String? = connectPackage + "TimestampRouter"
    public static let summary = "Sends records to topics named by the topic and their time."
    public static let configuration = ConfigSpec().with(topicKey).with(timestampKey)

    private static let topicKey = ConfigKey.string(
        "topic.format",
        default: "${topic}-${timestamp}",
        importance: .high,
        help: """
            The topic's name, with `${topic}` and `${timestamp}` in it. A name that topics cannot \
            have rejects the record.
            """
    )
    private static let timestampKey = ConfigKey.string(
        "timestamp.format",
        default: "yyyyMMdd",
        importance: .high,
        help: """
            How the record's timestamp is written, in UTC, as Java's SimpleDateFormat has it. \
            Records without a timestamp are rejected.
            """,
        validator: { DatePattern.problem($0) }
    )

    private let topicFormat: String
    private let pattern: DatePattern
    private let output = OutputBuffer(capacity: 256)
    /// The topics of the batch, each by its origin and the time within which the name is the same.
    private var known: [Place: String] = [:]

    private struct Place: Hashable {
        var topic: String
        var period: Int64
    }

    /// More names than this are made again. (D7)
    private static let limit = 4_096

    public static func reroutes(_ configuration: Configuration) -> Bool { true }

    public init(configuration: Configuration) throws(ConnectorError) {
        topicFormat = try configuration.get(Self.topicKey)
        pattern = try DatePattern(configuration.get(Self.timestampKey), key: "timestamp.format")
    }

    /// Fields stay as they are.
    public func trace(_ outline: inout RecordOutline) {}

    /// Routes a batch whose records go to one topic.
    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard try split(batch).allSatisfy({ $0 === batch }) else {
            throw ConnectorError(
                .init("transform.several_topics"),
                .failTask,
                "The records of a batch go to several topics."
            )
        }
    }

    public func split(_ batch: RecordBatch) throws(ConnectorError) -> [RecordBatch] {
        var failures: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices
        where batch.metadata(row).pointee.timestamp == RecordMetadata.noTimestamp {
            failures.append((row, Self.noTimestamp))
        }
        batch.reject(failures)
        guard batch.count > 0 else { return [batch] }
        let unit = pattern.finestUnit
        var last: (period: Int64, topic: String)?
        let topic = batch.topic
        let parts = TopicGroups.split(batch) { row in
            let time = batch.metadata(row).pointee.timestamp
            let period = CivilDate.floor(time, unit)
            if let last, last.period == period { return last.topic }
            let name = self.name(topic, period: period, unit: unit)
            last = (period, name)
            return name
        }
        for part in parts where !TopicNames.isValid(part.topic) {
            let error = TopicNames.refusal("topic.format")
            part.reject(part.indices.map { (row: $0, error: error) })
        }
        return parts
    }

    private func name(_ topic: String, period: Int64, unit: Int64) -> String {
        let place = Place(topic: topic, period: period)
        if let name = known[place] { return name }
        output.count = 0
        pattern.write(milliseconds: period &* unit, to: output)
        let time = withExtendedLifetime(output) { String(decoding: output.bytes, as: UTF8.self) }
        let name = Self.fill(topicFormat, topic: topic, timestamp: time)
        if known.count == Self.limit { known.removeAll() }
        known[place] = name
        return name
    }

    /// Fills in both at once: a topic's name may have `${timestamp}` in it.
    private static func fill(_ format: String, topic: String, timestamp: String) -> String {
        var name = ""
        var rest = format[...]
        while let dollar = rest.firstIndex(of: "$") {
            name += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("${topic}") {
                name += topic
                rest = rest.dropFirst("${topic}".count)
            } else if rest.hasPrefix("${timestamp}") {
                name += timestamp
                rest = rest.dropFirst("${timestamp}".count)
            } else {
                name += "$"
                rest = rest.dropFirst()
            }
        }
        return name + rest
    }

    private static let noTimestamp = ConnectorError(
        .init("transform.no_timestamp"),
        .rejectRecord,
        "The record has no timestamp yet, so no topic can be named by it.",
        hint: "In a source, let a field give the timestamp first, or route in a sink."
    )
}
