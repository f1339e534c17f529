import ConnectorSDK
import JSONDocuments
import KafkaTopics
import PipelineEngine
import Topics

extension StoreCopy {
    /// What was copied, or would be.
    struct Report {
        struct Topic {
            var name: String
            var partitions: [CopiedPartition]
            /// Whether the cluster had the topic already.
            var isThere: Bool

            var records: Int64 { partitions.reduce(0) { $0 + $1.records } }
            var found: Int64 { partitions.reduce(0) { $0 + $1.found } }
            var bytes: Int64 { partitions.reduce(0) { $0 + $1.bytes } }
            var isShifted: Bool { partitions.contains(where: \.isShifted) }
        }

        var places: ConnectorPlaces
        var isPlan: Bool
        var topics: [Topic] = []
        var schemas = 0
        /// What transforms remember.
        var entries = 0
        var duration: Duration = .zero

        init(places: ConnectorPlaces, isPlan: Bool) {
            self.places = places
            self.isPlan = isPlan
        }

        private var records: Int64 { topics.reduce(0) { $0 + $1.records } }
        private var restamped: Int64 {
            topics.flatMap(\.partitions).reduce(0) { $0 + $1.restamped }
        }
        private var groups: [String] {
            places.groups.keys.filter { !OffsetReset.isNote(group: $0) }.sorted()
        }
        // A slash is in no connector's name, but in those of what the engine keeps for itself.
        private var sources: [String] {
            places.positions.keys.filter { !$0.contains("/") }.sorted()
        }

        func print() throws {
            var columns: [(String, TextTable.Alignment)] = [
                ("topic", .left), ("partitions", .right), ("records", .right),
            ]
            columns +=
                isPlan
                ? [("on the cluster", .left)]
                : [("found", .right), ("bytes", .right), ("offsets", .left)]
            var table = TextTable(columns)
            for topic in topics {
                var cells = [
                    topic.name, String(topic.partitions.count), Quantity.count(topic.records),
                ]
                cells +=
                    isPlan
                    ? [topic.isThere ? "is there" : "is created"]
                    : [
                        Quantity.count(topic.found), Quantity.bytes(Double(topic.bytes)),
                        topic.isShifted ? "others" : "the same",
                    ]
                table.append(cells)
            }
            try table.print()
            for line in lines { try StandardOutput.printLine(line) }
        }

        private var lines: [String] {
            var lines: [String] = []
            func list(_ what: String, _ names: [String]) {
                if !names.isEmpty { lines.append("\(what): \(names.joined(separator: ", "))") }
            }
            list("offsets of groups", groups)
            list("positions of sources", sources)
            guard !isPlan else { return lines }
            if schemas > 0 { lines.append("schemas: \(schemas)") }
            if entries > 0 { lines.append("entries that transforms remember: \(entries)") }
            if restamped > 0 {
                lines.append(
                    "\(Quantity.count(restamped)) record(s) from before 1970 have the time of the "
                        + "copy"
                )
            }
            let seconds = Self.seconds(duration)
            lines.append(
                "copied and compared in \(Quantity.seconds(seconds)), "
                    + "\(Quantity.count(Int64(Double(records) / max(seconds, 0.001)))) records/s"
            )
            return lines
        }

        private static func seconds(_ duration: Duration) -> Double {
            Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        }

        var document: JSONDocument {
            let list = topics.map { topic -> JSONDocument in
                let partitions = topic.partitions.map { part -> JSONDocument in
                    var fields: [(String, JSONDocument)] = [
                        ("partition", .int(Int64(part.partition.partition))),
                        ("records", .int(part.records)),
                    ]
                    if !isPlan {
                        fields += [
                            ("found", .int(part.found)), ("bytes", .int(part.bytes)),
                            ("gaps", .int(part.gaps)),
                        ]
                    }
                    return .object(fields)
                }
                return [
                    "topic": .string(topic.name), "exists": .bool(topic.isThere),
                    "records": .int(topic.records), "partitions": .array(partitions),
                ]
            }
            var fields: [(String, JSONDocument)] = [
                ("result", isPlan ? "planned" : "copied"), ("topics", .array(list)),
                ("groups", .array(groups.map { .string($0) })),
                ("sources", .array(sources.map { .string($0) })),
            ]
            if !isPlan {
                fields += [
                    ("schemas", .int(Int64(schemas))), ("entries", .int(Int64(entries))),
                    ("restamped", .int(restamped)),
                    ("milliseconds", .int(Int64(Self.seconds(duration) * 1_000))),
                ]
            }
            return .object(fields)
        }
    }
}
