import ConnectorSDK
import Logging
import TopicLog
import Topics

/// The topics of a data directory, with the prefix `t`.
final class StoredTopics: Sendable {
    let store: EmbeddedTopicStore

    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(_ directory: String, _ mode: EmbeddedTopicStore.Mode = .readWrite) throws {
        store = try EmbeddedTopicStore(
            directory: directory,
            mode: mode,
            logger: Self.silent
        )
    }

    deinit { store.close() }

    /// The changes of a table, in order; tombstones are events without an operation.
    func events(_ table: String) throws -> [Event] {
        try records("t.\(table)").map { try Event($0) }
    }

    /// The records of a topic, in the order of its partition.
    func records(_ topic: String) throws -> [Stored] {
        guard try store.describe(topic) != nil else { return [] }
        let place = TopicPartition(topic, 0)
        let reader = try store.makeReader(place, from: try store.offsets(of: place).start)
        let batch = RecordBatch()
        var found: [Stored] = []
        while true {
            batch.reset(topic: topic)
            guard try reader.read(into: batch) > 0 else { return found }
            for row in batch.indices { found.append(Stored(batch, row)) }
        }
    }

    /// The number of records of a table.
    func count(_ table: String) throws -> Int64 {
        let topic = "t.\(table)"
        guard try store.describe(topic) != nil else { return 0 }
        return try store.offsets(of: TopicPartition(topic, 0)).end
    }
}
