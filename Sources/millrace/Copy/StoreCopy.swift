import ConnectorSDK
import KafkaTopics
import PipelineEngine
import Topics

/// Moves what is in a data directory to a cluster: topics, schemas, and the places of connectors.
struct StoreCopy {
    private let source: any TopicStore
    private let target: KafkaTopicStore
    private let topics: [TopicDescription]
    private let isWhole: Bool

    /// Chooses the topics of these names; without any, everything.
    init(from source: any TopicStore, to target: KafkaTopicStore, only names: [String]) throws {
        self.source = source
        self.target = target
        isWhole = names.isEmpty
        topics =
            names.isEmpty
            ? try source.topics()
            : try Set(names).sorted().map { try source.requireTopic($0) }
        let taken = target.ownTopics
        if let topic = topics.first(where: { taken.contains($0.name) }) {
            throw Failure(
                .configuration,
                code: "copy.target",
                "The topic \(topic.name) has the name of one that is not for records on the "
                    + "cluster.",
                hint: "Choose another `cluster` under `broker:`, such as --broker cluster=NAME."
            )
        }
    }

    private func places() throws -> ConnectorPlaces {
        try ConnectorPlaces(of: source, topics: Set(topics.map(\.name)), sources: isWhole)
    }

    /// What there is to copy.
    func plan() throws -> Report {
        var report = Report(places: try places(), isPlan: true)
        for topic in topics {
            let there = try target.describe(topic.name) != nil
            let partitions = try (0..<topic.partitions).map { number -> CopiedPartition in
                let partition = TopicPartition(topic.name, number)
                let range = try source.offsets(of: partition)
                var plan = CopiedPartition(partition: partition)
                plan.records = range.end - range.start
                return plan
            }
            report.topics.append(
                Report.Topic(name: topic.name, partitions: partitions, isThere: there)
            )
        }
        return report
    }

    /// Copies everything; places come last, when all records were read back.
    func run() throws -> Report {
        let start = ContinuousClock.now
        var places = try places()
        try places.checkPositions(in: target)
        var report = Report(places: places, isPlan: false)
        report.schemas = try target.copySchemas(from: source)
        let total = try topics.flatMap { try source.ranges(of: $0) }.recordCount
        let progress = CopyProgress(total: total)
        for topic in topics {
            let isThere = try target.describe(topic.name) != nil
            try target.prepareCopy(of: topic)
            let partitions = try (0..<topic.partitions).map { number -> CopiedPartition in
                let partition = TopicPartition(topic.name, number)
                let copied = try target.copy(
                    partition,
                    from: source,
                    translating: places.offsets(of: partition)
                ) { progress.add($0, of: partition) }
                places.translate(partition, copied.offsets)
                return copied
            }
            try target.finishCopy(of: topic)
            report.topics.append(
                Report.Topic(name: topic.name, partitions: partitions, isThere: isThere)
            )
        }
        progress.end()
        // Before anything is moved: what runs on the cluster already has places of its own.
        try places.checkPositions(in: target)
        try places.checkGroups(in: target)
        report.entries = try places.commit(to: target, statesOf: source)
        report.places = places
        report.duration = ContinuousClock.now - start
        return report
    }
}
