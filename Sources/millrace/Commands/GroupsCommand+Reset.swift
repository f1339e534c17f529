import ArgumentParser
import ConnectorSDK
import JSONDocuments
import PipelineEngine
import Topics

extension GroupsCommand {
    /// The command `millrace groups reset`.
    struct Reset: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset",
            abstract: "Change where a group goes on.",
            discussion: """
                A sink follows its group, also one that keeps offsets in its target. On a cluster \
                stop whoever reads as the group first: a group that has members cannot be \
                changed, and a sink that runs would set its own offsets again.
                """
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The group.")
        var group: String

        @Option(help: ArgumentHelp("Where it goes on: \(StartPoint.help)", valueName: "where"))
        var to: StartPoint = .beginning

        @Option(help: "Only this topic.")
        var topic: String?

        @Option(help: "Only the partition of this number.")
        var partition: String?

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .writing)
            defer { store.close() }
            try store.requireGroup(group)
            let changes = try store.offsets(
                store.groupOffsets(group),
                movedTo: to,
                topic: topic,
                partition: partition
            )
            guard !changes.isEmpty else {
                throw Failure.usage("`\(group)` has no offsets of such a topic and partition.")
            }
            if let sink = ConnectorOffsets.connector(ofGroup: group) {
                try OffsetReset.request(changes, of: sink, in: store)
            } else {
                try store.commitGroupOffsets(group, changes)
            }
            let report = try GroupReport(group, in: store)
            if shared.json {
                try StandardOutput.print(report.document(nil))
            } else {
                try report.table.print()
            }
            return .done
        }
    }
}

extension TopicStore {
    /// These offsets, those of the topic and partition that are named, moved to a point; `nil` for
    /// topics that do not exist any more.
    func offsets(
        _ offsets: [TopicPartition: Int64],
        movedTo point: StartPoint,
        topic: String?,
        partition: String?
    ) throws -> [TopicPartition: Int64?] {
        var moved: [TopicPartition: Int64?] = [:]
        for place in offsets.keys where topic == nil || place.topic == topic {
            guard partition == nil || partition == String(place.partition) else { continue }
            guard try describe(place.topic) != nil else {
                moved[place] = .some(nil)
                continue
            }
            moved[place] = try offset(of: place, at: point)
        }
        return moved
    }
}
