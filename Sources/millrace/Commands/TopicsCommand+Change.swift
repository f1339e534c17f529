import ArgumentParser
import ConnectorSDK
import JSONDocuments
import PipelineEngine
import PipelineFile
import Topics

extension TopicsCommand {
    /// Settings given on the command line.
    struct SettingOptions: ParsableArguments {
        @Option(
            name: .customLong("config"),
            help: ArgumentHelp(
                "A setting, such as retention.ms=7d; may be repeated.",
                valueName: "key=value"
            )
        )
        var entries: [String] = []

        /// The entries as a map, checked against the topic's keys.
        func values() throws -> [String: String] {
            var values: [String: String] = [:]
            for entry in entries {
                guard let equals = entry.firstIndex(of: "=") else {
                    throw Failure.usage("`--config \(entry)` must be written key=value.")
                }
                values[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
            }
            if let issue = TopicSettings.configuration.validate(values).first {
                throw Failure.usage(
                    "\(issue.key) \(issue.message).",
                    hint: issue.suggestion.map { "Did you mean `\($0)`?" }
                )
            }
            return values
        }
    }

    /// The command `millrace topics create`.
    struct Create: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Create a topic."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The topic's name.")
        var topic: String

        @Option(help: "The number of partitions; it cannot be changed later.")
        var partitions: Int32 = 1

        @OptionGroup var settings: SettingOptions

        mutating func execute() async throws -> ExitStatus {
            if let problem = TopicName.problem(topic) {
                throw Failure.usage("The topic's name \(problem).")
            }
            var values = try settings.values()
            values["partitions"] = String(partitions)
            let definition = try TopicDefinition(name: topic, Configuration(values))
            let store = try TopicPlace.open(shared, for: .writing)
            defer { store.close() }
            try store.create(
                topic,
                partitions: definition.partitions,
                settings: definition.settings
            )
            try TopicsCommand.report(shared, topic, "created")
            return .done
        }
    }

    /// The command `millrace topics alter`.
    struct Alter: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "alter",
            abstract: "Change a topic's settings."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The topic.")
        var topic: String

        @OptionGroup var settings: SettingOptions

        mutating func execute() async throws -> ExitStatus {
            let changes = try settings.values()
            guard !changes.isEmpty else {
                throw Failure.usage("There is nothing to change.", hint: "Give --config key=value.")
            }
            let store = try TopicPlace.open(shared, for: .writing)
            defer { store.close() }
            let entries = try store.requireTopic(topic).settings.entries
            let values = Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) })
                .merging(changes) { _, new in new }
            try store.alter(topic, settings: try TopicSettings(Configuration(values)))
            try TopicsCommand.report(shared, topic, "altered")
            return .done
        }
    }

    /// The command `millrace topics delete`.
    struct Delete: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Delete a topic and its records, for good."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The topic.")
        var topic: String

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .writing)
            defer { store.close() }
            _ = try store.requireTopic(topic)
            try store.delete(topic)
            try TopicsCommand.report(shared, topic, "deleted")
            return .done
        }
    }

    private static func report(_ shared: SharedOptions, _ topic: String, _ what: String) throws {
        if shared.json {
            try StandardOutput.print(["topic": .string(topic), "result": .string(what)])
        } else {
            try StandardOutput.printLine("\(topic): \(what)")
        }
    }
}
