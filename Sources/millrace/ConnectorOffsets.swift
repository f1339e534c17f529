import ConnectorSDK
import JSONDocuments
import PipelineEngine
import Topics

/// How far a connector has come, as the store knows it.
///
/// A consumer reads topics: a sink, or a source such as `topic`. Which of both it is, only its
/// pipeline file says.
enum ConnectorOffsets {
    case source(String, positions: [String: String])
    case consumer(String, offsets: [TopicPartition: Int64])

    private static let groupPrefix = "connect-"

    /// The sink that reads as a group, or `nil` for a group of another program's.
    static func connector(ofGroup group: String) -> String? {
        group.hasPrefix(groupPrefix) ? String(group.dropFirst(groupPrefix.count)) : nil
    }

    /// All connectors that have a place, by name.
    static func all(in store: any TopicStore) throws -> [ConnectorOffsets] {
        var all: [ConnectorOffsets] = []
        // A slash is in no connector's name, but in those of what the engine keeps for itself.
        for name in try store.connectorsWithPositions() where !name.contains("/") {
            all.append(.source(name, positions: try store.positions(of: name)))
        }
        for group in try store.groups()
        where group.hasPrefix(groupPrefix) && !OffsetReset.isNote(group: group) {
            let name = String(group.dropFirst(groupPrefix.count))
            all.append(.consumer(name, offsets: try store.groupOffsets(group)))
        }
        return all.sorted { $0.connector < $1.connector }
    }

    /// The place of one connector; throws a failure that suggests another name when it has none.
    static func of(_ connector: String, in store: any TopicStore) throws -> ConnectorOffsets {
        let all = try all(in: store)
        if let found = all.first(where: { $0.connector == connector }) { return found }
        let near = Spelling.nearest(to: connector, in: all.map(\.connector))
        throw Failure(
            .configuration,
            code: "offsets.unknown",
            "No connector `\(connector)` has offsets in this data directory.",
            hint: near.map { "Did you mean `\($0)`?" }
                ?? "`millrace offsets show` lists those that do."
        )
    }

    var connector: String {
        switch self {
        case .source(let name, _), .consumer(let name, _): name
        }
    }

    var type: String {
        switch self {
        case .source: "source"
        case .consumer: "consumer"
        }
    }

    var partCount: Int {
        switch self {
        case .source(_, let positions): positions.count
        case .consumer(_, let offsets): offsets.count
        }
    }

    func document(in store: any TopicStore) throws -> JSONDocument {
        switch self {
        case .source(let name, let positions):
            let parts = positions.sorted { $0.key < $1.key }.map { part -> JSONDocument in
                let isJSON = Array(part.value.utf8).withUnsafeBytes { JSONSyntax.isValue($0) }
                return [
                    "partition": .string(part.key),
                    "offset": isJSON ? .raw(part.value) : .string(part.value),
                ]
            }
            return ["connector": .string(name), "type": "source", "positions": .array(parts)]
        case .consumer(let name, let offsets):
            let report = try GroupReport(name, offsets, in: store)
            return ["connector": .string(name), "type": "consumer", "offsets": report.offsets]
        }
    }

    func table(in store: any TopicStore) throws -> TextTable {
        switch self {
        case .source(_, let positions):
            var table = TextTable([("partition", .left), ("offset", .left)])
            for part in positions.sorted(by: { $0.key < $1.key }) {
                table.append([part.key, part.value])
            }
            return table
        case .consumer(_, let offsets):
            return try GroupReport(connector, offsets, in: store).table
        }
    }
}
