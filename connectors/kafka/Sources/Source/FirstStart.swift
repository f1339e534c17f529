internal import ConnectorSDK
internal import JSONDocuments
internal import KafkaClient

/// Which partitions there were when the source was first started with `auto.offset.reset: latest`.
///
/// Those are read from their ends; what appeared afterwards has no record that the source should
/// pass over, also when it appeared while the source was down. (D6)
internal struct FirstStart {
    /// The part of the source's positions that tells it.
    ///
    /// No partition is called so, and it is listed behind all of them.
    internal static let part = "~partitions"

    /// For each topic, how many partitions it had; `nil` when it was not noted.
    private var counts: [String: Int32]?
    /// Topics that have positions.
    private let positioned: Set<String>
    /// Whether topics that appear are read as well, and not only those that are named.
    private let takesNewTopics: Bool

    /// Reads what was noted in positions.
    internal init(_ positions: [String: String], takesNewTopics: Bool) {
        self.takesNewTopics = takesNewTopics
        let noted = positions[Self.part].flatMap { JSONDocument(parsing: $0)?.fields }
        counts = noted.map { fields in
            Dictionary(
                fields.compactMap { name, count in count.int.map { (name, Int32(clamping: $0)) } },
                uniquingKeysWith: { $1 }
            )
        }
        positioned = Set(
            positions.keys.compactMap { part in
                part.lastIndex(of: "-").map { String(part[..<$0]) }
            }
        )
    }

    /// Whether a partition without a position has appeared since the first start.
    internal func isNew(_ partition: KafkaPartition) -> Bool {
        if let count = counts?[partition.topic] { return partition.partition >= count }
        // A topic that is named now and was not then starts as any topic does.
        guard takesNewTopics else { return counts == nil && positioned.contains(partition.topic) }
        return counts != nil || !positioned.isEmpty
    }

    /// Notes the topics that there are, and returns what is to be remembered of that before any of
    /// them is read; `nil` for nothing new.
    internal mutating func note(_ topics: [String: Int32]) -> SourcePosition? {
        let news = topics.filter { topic, _ in
            counts?[topic] == nil && !isNew(KafkaPartition(topic, 0))
        }
        guard counts == nil || !news.isEmpty else { return nil }
        let all = (counts ?? [:]).merging(news) { old, _ in old }
        counts = all
        let fields = all.sorted { $0.key < $1.key }.map {
            ($0.key, JSONDocument.int(Int64($0.value)))
        }
        return SourcePosition(partition: Self.part, offset: JSONDocument.object(fields).text)
    }
}
