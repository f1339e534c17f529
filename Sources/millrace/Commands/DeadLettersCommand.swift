import ArgumentParser
import ConnectorSDK
import JSONDocuments
import PipelineEngine
import Topics

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
            commandName: "list",
            abstract: "List topics that hold dead letters."
        )

        @OptionGroup var shared: SharedOptions

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .reading)
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
            commandName: "show",
            abstract: "Show dead letters: where each came from, what was wrong, what it holds."
        )

        @OptionGroup var shared: SharedOptions
        @OptionGroup var letters: LetterOptions

        @Flag(help: "Print the value of the one at --offset, byte for byte, and nothing else.")
        var value = false

        mutating func validate() throws {
            if value, letters.offset == nil { throw ValidationError("--value needs --offset.") }
            if value, shared.json { throw ValidationError("--value cannot be JSON too.") }
        }

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .reading)
            defer { store.close() }
            let dead = DeadLetters(store: store)
            let topic = try DeadLettersCommand.choose(letters.topic, dead)
            var selection = letters.selection
            // More than a screen holds is asked for.
            selection.limit = min(selection.limit, letters.max ?? 100)
            var found: [DeadLetter] = []
            try dead.forEach(in: topic, selection) { (letter) throws(ConnectorError) in
                found.append(letter)
                return true
            }
            if letters.offset != nil, found.isEmpty { throw letters.notFound(in: topic) }
            if value {
                var output = StandardOutput()
                for letter in found { output.write(letter.value ?? []) }
                try output.flush()
            } else if shared.json {
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

    /// The command `millrace dlq discard`.
    struct Discard: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "discard",
            abstract: "Mark dead letters as seen to without replaying them."
        )

        @OptionGroup var shared: SharedOptions
        @OptionGroup var letters: LetterOptions

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .writing)
            defer { store.close() }
            let dead = DeadLetters(store: store)
            let topic = try DeadLettersCommand.choose(letters.topic, dead)
            let count = try dead.discard(topic, letters.selection)
            if letters.offset != nil, count == 0 { throw letters.notFound(in: topic) }
            if shared.json {
                try StandardOutput.print(
                    ["topic": .string(topic), "discarded": .int(Int64(count))]
                )
            } else {
                try StandardOutput.printLine("\(topic): \(Quantity.count(Int64(count))) discarded")
            }
            return .done
        }
    }
}

/// Which dead letters a command is about.
struct LetterOptions: ParsableArguments {
    @Argument(help: "The dead letter topic; needed when there are several.")
    var topic: String?

    @Option(help: "Only the one at this offset of the topic.")
    var offset: Int64?

    @Option(help: "Only those in this partition.")
    var partition: Int32?

    @Option(help: "At most this many, the oldest first.")
    var max: Int?

    mutating func validate() throws {
        if let max, max < 0 { throw ValidationError("--max must not be negative.") }
        if let offset, offset < 0 { throw ValidationError("--offset must not be negative.") }
    }

    var selection: DeadLetterSelection {
        DeadLetterSelection(partition: partition, offset: offset, limit: max ?? .max)
    }

    func notFound(in topic: String) -> Failure {
        .usage(
            "\(topic) has no dead letter at offset \(offset ?? 0).",
            hint: "`millrace dlq show \(topic)` lists those that were neither replayed nor "
                + "discarded."
        )
    }
}

extension DeadLettersCommand {
    /// The topic that was named, or the only one there is.
    static func choose(_ topic: String?, _ letters: DeadLetters) throws -> String {
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
}
