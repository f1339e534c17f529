import ArgumentParser
import ConnectorSDK
import JSONDocuments
import PipelineEngine
import Topics

/// The command `millrace offsets`.
struct OffsetsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offsets",
        abstract: "Show, set or reset how far connectors have come.",
        discussion: """
            A source's positions say where it goes on in its files or tables. A consumer, which is a \
            sink or a source that reads topics, has offsets: which record of each partition it \
            reads next.
            """,
        subcommands: [Show.self, Set.self, Reset.self],
        defaultSubcommand: Show.self
    )

    /// The command `millrace offsets show`.
    struct Show: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a connector's place; without a name, all connectors that have one."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The connector's name in its pipeline file.")
        var connector: String?

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .reading)
            defer { store.close() }
            guard let connector else {
                try list(ConnectorOffsets.all(in: store))
                return .done
            }
            let offsets = try ConnectorOffsets.of(connector, in: store)
            if shared.json {
                try StandardOutput.print(try offsets.document(in: store))
            } else {
                try offsets.table(in: store).print()
            }
            return .done
        }

        private func list(_ all: [ConnectorOffsets]) throws {
            if shared.json {
                let documents = all.map { offsets -> JSONDocument in
                    ["connector": .string(offsets.connector), "type": .string(offsets.type)]
                }
                return try StandardOutput.print(["connectors": .array(documents)])
            }
            var table = TextTable([("connector", .left), ("type", .left), ("parts", .right)])
            for offsets in all {
                table.append([offsets.connector, offsets.type, String(offsets.partCount)])
            }
            try table.print()
        }
    }

    /// The command `millrace offsets reset`.
    struct Reset: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset",
            abstract: "Change where a connector goes on.",
            discussion: """
                A source forgets its positions and reads everything again. A sink goes on at --to, \
                also one that keeps offsets in its target, as sqlite does: what it reads once more \
                it writes once more, so use upserts or empty the table first. With --lost it goes \
                on behind records that retention removed before the sink had read them.

                Transforms that remember earlier records, such as Aggregate, forget them when the \
                connector starts over. Where only a part is reset, --state says what becomes of \
                what they remember.
                """
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The connector's name in its pipeline file.")
        var connector: String

        @Option(
            help: ArgumentHelp("Where a sink goes on: \(StartPoint.help)", valueName: "where")
        )
        var to: StartPoint = .beginning

        @Option(help: "Of a sink, only this topic.")
        var topic: String?

        @Option(help: "Of a sink, only this partition; of a source, only this part, as shown.")
        var partition: String?

        @Flag(help: "Of a sink, pass over what retention has removed, and change nothing else.")
        var lost = false

        @Option(help: StateChoice.help)
        var state: StateChoice?

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .writing)
            defer { store.close() }
            if state == .only {
                try StateChoice.forget(connector, in: store)
                if shared.json {
                    try StandardOutput.print(
                        try ConnectorOffsets.of(connector, in: store).document(in: store)
                    )
                } else {
                    try StandardOutput.printLine("\(connector): goes on without what it remembered")
                }
                return .done
            }
            let startsOver = to == .beginning && topic == nil && partition == nil && !lost
            let forgets = try StateChoice.forgets(
                state ?? (startsOver ? .drop : nil),
                connector,
                in: store
            )
            switch try ConnectorOffsets.of(connector, in: store) {
            case .source(_, let positions): try reset(positions, in: store)
            case .consumer where lost: try skipLost(in: store)
            case .consumer(_, let offsets): try reset(offsets, in: store)
            }
            if forgets { try store.removeTransformStates(of: connector) }
            let after = try ConnectorOffsets.all(in: store).first { $0.connector == connector }
            if shared.json {
                let document = try after?.document(in: store)
                try StandardOutput.print(
                    document ?? [
                        "connector": .string(connector), "type": "source", "positions": [],
                    ]
                )
            } else if let after, after.partCount > 0 {
                try after.table(in: store).print()
            } else {
                try StandardOutput.printLine("\(connector): starts over at the next run")
            }
            return .done
        }

        private func reset(_ positions: [String: String], in store: any TopicStore) throws {
            guard to == .beginning, topic == nil, !lost else {
                throw Failure.usage(
                    "`\(connector)` is a source, which can only start over.",
                    hint: "Leave out --to, --topic and --lost, or use `millrace offsets set`."
                )
            }
            if let partition, positions[partition] == nil {
                throw Failure.usage("`\(connector)` has no part `\(partition)`.")
            }
            let forgotten = positions.filter { partition == nil || $0.key == partition }
            try store.setPositions(of: connector, to: forgotten.mapValues { _ in nil })
        }

        private func skipLost(in store: any TopicStore) throws {
            guard to == .beginning, topic == nil, partition == nil else {
                throw Failure.usage("--lost goes without --to, --topic and --partition.")
            }
            guard try !OffsetReset.skipLost(of: connector, in: store).isEmpty else {
                throw Failure.usage("Retention has removed nothing that `\(connector)` lacks.")
            }
        }

        private func reset(
            _ offsets: [TopicPartition: Int64],
            in store: any TopicStore
        ) throws {
            let changed = try store.offsets(
                offsets,
                movedTo: to,
                topic: topic,
                partition: partition
            )
            guard !changed.isEmpty else {
                throw Failure.usage("`\(connector)` has no offsets of such a topic and partition.")
            }
            try OffsetReset.request(changed, of: connector, in: store)
        }
    }
}
