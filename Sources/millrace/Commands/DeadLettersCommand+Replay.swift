import ArgumentParser
import ConnectorSDK
import JSONDocuments
import PipelineEngine
import PipelineFile
import Synchronization
import Topics

extension DeadLettersCommand {
    /// The command `millrace dlq replay`.
    struct Replay: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay",
            abstract: "Put dead letters back where they came from, after the cause was mended.",
            discussion: """
                What a sink rejected goes to the end of its partition again, where every sink of \
                the topic reads it. What a source rejected is read again as its pipeline file now \
                says: format, transforms, key, converters. What cannot be read stays a dead \
                letter, with the reason, and the exit code is 1.

                To correct a record by hand:
                  millrace dlq show orders-dlq --offset 0 --value > record
                  (edit the file `record`)
                  millrace dlq replay orders-dlq --offset 0 --value-from record
                """
        )

        @OptionGroup var shared: SharedOptions
        @OptionGroup var letters: LetterOptions

        @Option(
            name: .customLong("pipeline"),
            help: ArgumentHelp(
                "The pipeline file of the source, if it is not where it was; may be repeated.",
                valueName: "file"
            ),
            completion: .file()
        )
        var pipelines: [String] = []

        @Option(
            help: ArgumentHelp(
                "Take the value of the one dead letter from a file, or - for standard input; a line end at its end is left out.",
                valueName: "file"
            ),
            completion: .file()
        )
        var valueFrom: String?

        mutating func execute() async throws -> ExitStatus {
            let lookup = try PipelineLookup(files: pipelines)
            let store = try TopicPlace.open(shared, for: .writing)
            defer { store.close() }
            let dead = DeadLetters(store: store)
            let topic = try DeadLettersCommand.choose(letters.topic, dead)
            var value: [UInt8]?
            if let valueFrom {
                try requireOne(of: topic, dead)
                value = Self.withoutLineEnd(try WholeInput.read(valueFrom))
            }
            let outcome = try dead.replay(
                topic,
                letters.selection,
                mended: value,
                catalog: BuiltinConnectors.catalog
            ) { (context) throws(ConnectorError) in try lookup.pipeline(of: context) }
            if letters.offset != nil, outcome.replayed + outcome.kept.count == 0 {
                throw letters.notFound(in: topic)
            }
            try report(outcome, topic)
            return outcome.kept.isEmpty ? .done : .failed
        }

        /// A value can be meant for one dead letter only.
        private func requireOne(of topic: String, _ dead: DeadLetters) throws {
            var selection = letters.selection
            selection.limit = min(selection.limit, 2)
            var count = 0
            try dead.forEach(in: topic, selection) { (_) throws(ConnectorError) in
                count += 1
                return true
            }
            if count == 0, letters.offset != nil { throw letters.notFound(in: topic) }
            guard count == 1 else {
                throw Failure.usage(
                    count == 0
                        ? "\(topic) has no dead letters." : "\(topic) has several dead letters.",
                    hint: count == 0 ? nil : "Say with --offset which one the value is for."
                )
            }
        }

        /// Editors end a file with a line end that is no part of the value.
        private static func withoutLineEnd(_ bytes: [UInt8]) -> [UInt8] {
            guard bytes.last == UInt8(ascii: "\n") else { return bytes }
            let text = bytes.dropLast()
            return Array(text.last == UInt8(ascii: "\r") ? text.dropLast() : text)
        }

        private func report(_ outcome: ReplayOutcome, _ topic: String) throws {
            for kept in outcome.kept {
                let reason = Failure(kept.reason).description
                ErrorScreen.shared.writeLine("\(kept.place), offset \(kept.offset): \(reason)")
            }
            guard !shared.json else {
                let kept = outcome.kept.map { kept -> JSONDocument in
                    [
                        "partition": .int(Int64(kept.place.partition)),
                        "offset": .int(kept.offset), "error": Failure(kept.reason).fields,
                    ]
                }
                return try StandardOutput.print([
                    "topic": .string(topic), "replayed": .int(Int64(outcome.replayed)),
                    "kept": .array(kept),
                ])
            }
            let replayed = Quantity.count(Int64(outcome.replayed))
            let kept = Quantity.count(Int64(outcome.kept.count))
            try StandardOutput.printLine(
                "\(topic): \(replayed) replayed" + (outcome.kept.isEmpty ? "" : ", \(kept) kept")
            )
        }
    }

    /// Finds the pipelines of sources that rejected records.
    private final class PipelineLookup: Sendable {
        private let given: [PipelineDefinition]
        private let read = Mutex<[String: PipelineFileSet]>([:])

        /// Reads the files that were named; without any, each dead letter names its own.
        init(files: [String]) throws {
            let set = PipelineFileSet(paths: files, catalog: BuiltinConnectors.catalog)
            try set.requireNoErrors()
            given = set.definitions
        }

        func pipeline(
            of context: DeadLetterContext
        ) throws(ConnectorError) -> PipelineDefinition {
            let connector = context.connector ?? "?"
            let own = given.first { $0.connectors.contains { $0.name == connector } }
            if let found = own ?? given.first { return found }
            guard let file = context.pipelineFile else {
                throw ConnectorError(
                    .init("dlq.no_pipeline"),
                    .rejectRecord,
                    "The source `\(connector)` rejected it before it was in a topic.",
                    hint: "Name the source's pipeline file with --pipeline."
                )
            }
            let set = read.withLock { read in
                if let known = read[file] { return known }
                let set = PipelineFileSet(paths: [file], catalog: BuiltinConnectors.catalog)
                read[file] = set
                return set
            }
            guard !set.hasErrors, let pipeline = set.definitions.first else {
                let finding = set.findings.first { $0.severity == .error }
                throw ConnectorError(
                    .init("dlq.no_pipeline"),
                    .rejectRecord,
                    "The pipeline file of the source `\(connector)` cannot be used: "
                        + (finding?.description ?? file),
                    hint: "Name another with --pipeline."
                )
            }
            return pipeline
        }
    }
}
