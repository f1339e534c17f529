import ArgumentParser
import ConnectorSDK
import PipelineEngine
import Topics

extension OffsetsCommand {
    /// The command `millrace offsets set`.
    struct Set: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: "Set where a connector goes on in one part of what it reads.",
            discussion: """
                A source's part and offset are written as `millrace offsets show CONNECTOR --json` \
                prints them, under `partition` and `offset`:
                  millrace offsets set inbox --partition 'fe01-2a' --offset '{"byte":4096}'
                A sink's are a partition's number and the offset of the record to read next.

                A source reads again what lies behind the new place, and never reads what it \
                passes over. It is refused while the connector runs.
                """
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The connector's name in its pipeline file.")
        var connector: String

        @Option(help: "The part, or the partition's number.")
        var partition: String

        @Option(help: "The place in it.")
        var offset: String

        @Option(help: "Of a sink that reads several topics, the topic.")
        var topic: String?

        @Flag(help: "Take a part that the source has not seen yet.")
        var new = false

        @Option(help: StateChoice.help)
        var state: StateChoice?

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .writing)
            defer { store.close() }
            let forgets = try StateChoice.forgets(state, connector, in: store)
            if state == .only {
                throw Failure.usage("Only `millrace offsets reset` takes `--state only`.")
            }
            switch try ConnectorOffsets.of(connector, in: store) {
            case .source(_, let positions): try set(positions, in: store)
            case .consumer(_, let offsets): try set(offsets, in: store)
            }
            if forgets { try store.removeTransformStates(of: connector) }
            let after = try ConnectorOffsets.of(connector, in: store)
            if shared.json {
                try StandardOutput.print(try after.document(in: store))
            } else {
                try after.table(in: store).print()
            }
            return .done
        }

        private func set(_ positions: [String: String], in store: any TopicStore) throws {
            guard topic == nil else {
                throw Failure.usage("`\(connector)` is a source.", hint: "Leave out --topic.")
            }
            guard new || positions[partition] != nil else {
                throw Failure.usage(
                    "`\(connector)` has no part `\(partition)`.",
                    hint: "`millrace offsets show \(connector)` lists its parts; --new adds one."
                )
            }
            let model = positions[partition] ?? positions.min { $0.key < $1.key }?.value
            if let model, let problem = OffsetShape(model).problem(with: OffsetShape(offset)) {
                throw Failure.usage(
                    "The offset does not look like those of `\(connector)`: \(problem).",
                    hint: "They look like \(model)"
                )
            }
            try store.setPositions(of: connector, to: [partition: offset])
        }

        private func set(
            _ offsets: [TopicPartition: Int64],
            in store: any TopicStore
        ) throws {
            let topics = Swift.Set(offsets.keys.map(\.topic))
            guard let name = topic ?? (topics.count == 1 ? topics.first : nil) else {
                throw Failure.usage(
                    "`\(connector)` reads several topics.",
                    hint:
                        "Name one of them with --topic: \(topics.sorted().joined(separator: ", "))."
                )
            }
            guard let number = Int32(partition), let next = Int64(offset) else {
                throw Failure.usage(
                    "`\(connector)` is a sink; its partition and offset are whole numbers."
                )
            }
            let description = try store.requireTopic(name)
            try store.requirePartition(number, of: description)
            let place = TopicPartition(name, number)
            let range = try store.offsets(of: place)
            guard (range.start...range.end).contains(next) else {
                throw Failure.usage(
                    "\(place) has the offsets \(range.start) to \(range.end), and not \(next).",
                    hint: "\(range.end) is where the next record comes."
                )
            }
            try OffsetReset.request([place: next], of: connector, in: store)
        }
    }
}
