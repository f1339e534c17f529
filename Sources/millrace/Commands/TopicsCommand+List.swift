import ArgumentParser
import ConnectorSDK
import JSONDocuments
import Topics

extension TopicsCommand {
    /// The command `millrace topics list`.
    struct List: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List topics.",
            discussion: "Topics that Millrace keeps on a cluster for itself are left out."
        )

        @OptionGroup var shared: SharedOptions

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .reading)
            defer { store.close() }
            let all = try store.topics()
            let own = InternalTopics(among: all).names
            let topics = try all.filter { !own.contains($0.name) }.map { topic in
                (topic: topic, ranges: try store.ranges(of: topic))
            }
            guard !shared.json else {
                let documents = topics.map { entry -> JSONDocument in
                    [
                        "name": .string(entry.topic.name),
                        "partitions": .int(Int64(entry.topic.partitions)),
                        "records": .int(entry.ranges.recordCount),
                        "cleanup.policy": .string(entry.topic.settings.cleanupPolicy.rawValue),
                    ]
                }
                try StandardOutput.print(["topics": .array(documents)])
                return .done
            }
            var table = TextTable([
                ("topic", .left), ("partitions", .right), ("records", .right), ("cleanup", .left),
            ])
            for entry in topics {
                table.append([
                    entry.topic.name, String(entry.topic.partitions),
                    Quantity.count(entry.ranges.recordCount),
                    entry.topic.settings.cleanupPolicy.rawValue,
                ])
            }
            try table.print()
            return .done
        }
    }

    /// The command `millrace topics describe`.
    struct Describe: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe",
            abstract: "Show a topic's partitions, settings and readers."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The topic.")
        var topic: String

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .reading)
            defer { store.close() }
            let description = try store.requireTopic(topic)
            let ranges = try store.ranges(of: description)
            let readers = try store.readers(of: description, ranges)
            if shared.json {
                try StandardOutput.print(document(description, ranges, readers))
            } else {
                try printReport(description, ranges, readers)
            }
            return .done
        }

        private func document(
            _ description: TopicDescription,
            _ ranges: [OffsetRange],
            _ readers: [(group: String, lag: Int64)]
        ) -> JSONDocument {
            let partitions = ranges.enumerated().map { index, range -> JSONDocument in
                [
                    "partition": .int(Int64(index)), "start": .int(range.start),
                    "end": .int(range.end), "records": .int(range.end - range.start),
                ]
            }
            let groups = readers.map { reader -> JSONDocument in
                ["group": .string(reader.group), "lag": .int(reader.lag)]
            }
            let settings = description.settings.entries.map {
                ($0.key, JSONDocument.string($0.value))
            }
            return [
                "name": .string(description.name), "partitions": .array(partitions),
                "config": .object(settings), "groups": .array(groups),
            ]
        }

        private func printReport(
            _ description: TopicDescription,
            _ ranges: [OffsetRange],
            _ readers: [(group: String, lag: Int64)]
        ) throws {
            var partitions = TextTable([
                ("partition", .right), ("start", .right), ("end", .right), ("records", .right),
            ])
            for (index, range) in ranges.enumerated() {
                partitions.append([
                    String(index), Quantity.count(range.start), Quantity.count(range.end),
                    Quantity.count(range.end - range.start),
                ])
            }
            try partitions.print()
            let defaults = Dictionary(
                uniqueKeysWithValues: TopicSettings().entries.map { ($0.key, $0.value) }
            )
            var settings = TextTable([("setting", .left), ("value", .left), ("", .left)])
            for entry in description.settings.entries {
                let isDefault = defaults[entry.key] == entry.value
                settings.append([entry.key, entry.value, isDefault ? "default" : ""])
            }
            try StandardOutput.printLine("")
            try settings.print()
            guard !readers.isEmpty else { return }
            var groups = TextTable([("read by", .left), ("lag", .right)])
            for reader in readers { groups.append([reader.group, Quantity.count(reader.lag)]) }
            try StandardOutput.printLine("")
            try groups.print()
        }
    }
}

extension TextTable {
    /// Writes the table to standard output.
    func print() throws {
        var output = StandardOutput()
        for line in lines { try output.writeLine(line) }
        try output.flush()
    }
}

extension Array where Element == OffsetRange {
    /// The records of all, where no offset is without one.
    var recordCount: Int64 { reduce(0) { $0 + ($1.end - $1.start) } }
}
