import ArgumentParser
import ConnectorSDK
import PipelineEngine
import TopicLog

/// The command `millrace dlq`.
struct DeadLettersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq",
        abstract: "Show, replay and discard dead letters: records that were rejected.",
        discussion: """
            What was replayed or discarded is not shown any more, but stays in the topic until its \
            retention removes it; `millrace topics read` shows it still.
            """,
        subcommands: [List.self, Show.self, Replay.self, Discard.self],
        defaultSubcommand: List.self
    )

    /// The command `millrace dlq list`.
    struct List: MillraceCommand {
        static let configuration = CommandConfiguration(
            abstract: "List topics that hold dead letters."
        )

        @OptionGroup var shared: SharedOptions

        mutating func execute() async throws -> ExitStatus {
            let store = try DataDirectory.open(shared, for: .reading)
            defer { store.close() }
            let topics = try DeadLetters(store: store).topics()
            if shared.json {
                let documents = topics.map { topic -> JSONDocument in
                    ["topic": .string(topic.name), "count": .int(topic.count)]
                }
                try StandardOutput.print(["topics": .array(documents)])
            } else {
                var table = TextTable([("topic", .left), ("dead letters", .right)])
                for topic in topics { table.append([topic.name, Quantity.count(topic.count)]) }
                try table.print()
            }
            return .done
        }
    }

    /// The command `millrace dlq show`.
    struct Show: MillraceCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show dead letters: where each came from, what was wrong, what it holds."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The dead letter topic; needed when there are several.")
        var topic: String?

        @Option(help: "At most this many.")
        var max = 100

        mutating func execute() async throws -> ExitStatus {
            let store = try DataDirectory.open(shared, for: .reading)
            defer { store.close() }
            let letters = DeadLetters(store: store)
            let topic = try DeadLettersCommand.choose(topic, letters)
            var found: [DeadLetter] = []
            if max > 0 {
                try letters.forEach(in: topic) { letter in
                    found.append(letter)
                    return found.count < max
                }
            }
            if shared.json {
                let documents = found.map(\.document)
                try StandardOutput.print(
                    ["topic": .string(topic), "letters": .array(documents)]
                )
            } else {
                var output = StandardOutput()
                for letter in found { for line in letter.lines { try output.writeLine(line) } }
                if found.isEmpty { try output.writeLine("\(topic): no dead letters") }
                try output.flush()
            }
            return .done
        }
    }

    /// The command `millrace dlq replay`.
    struct Replay: MillraceCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put dead letters back where they came from, after the cause was mended."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The dead letter topic; needed when there are several.")
        var topic: String?

        @Option(help: "At most this many, the oldest first.")
        var max: Int?

        mutating func execute() async throws -> ExitStatus {
            try DeadLettersCommand.handle(shared, topic, "replayed") { letters, topic in
                try letters.replay(topic, limit: max ?? .max)
            }
        }
    }

    /// The command `millrace dlq discard`.
    struct Discard: MillraceCommand {
        static let configuration = CommandConfiguration(
            abstract: "Mark dead letters as seen to without replaying them."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The dead letter topic; needed when there are several.")
        var topic: String?

        @Option(help: "At most this many, the oldest first.")
        var max: Int?

        mutating func execute() async throws -> ExitStatus {
            try DeadLettersCommand.handle(shared, topic, "discarded") { letters, topic in
                try letters.discard(topic, limit: max ?? .max)
            }
        }
    }
}

extension DeadLettersCommand {
    /// The topic that was named, or the only one there is.
    private static func choose(_ topic: String?, _ letters: DeadLetters) throws -> String {
        if let topic { return topic }
        let topics = try letters.topics()
        guard let first = topics.first else {
            throw Failure.usage("There are no dead letters.")
        }
        guard topics.count == 1 else {
            let names = topics.map { "`\($0.name)`" }.joined(separator: ", ")
            throw Failure.usage(
                "There are several dead letter topics.",
                hint: "Name one of \(names)."
            )
        }
        return first.name
    }

    private static func handle(
        _ shared: SharedOptions,
        _ topic: String?,
        _ what: String,
        _ body: (DeadLetters, String) throws -> Int
    ) throws -> ExitStatus {
        let store = try DataDirectory.open(shared, for: .writing)
        defer { store.close() }
        let letters = DeadLetters(store: store)
        let topic = try choose(topic, letters)
        let count = try body(letters, topic)
        if shared.json {
            try StandardOutput.print(
                .object([("topic", .string(topic)), (what, .int(Int64(count)))])
            )
        } else {
            try StandardOutput.printLine("\(topic): \(Quantity.count(Int64(count))) \(what)")
        }
        return .done
    }
}
