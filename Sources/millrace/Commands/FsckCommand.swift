import ArgumentParser
import ConnectorSDK
import JSONDocuments
import TopicLog

/// The command `millrace fsck`.
struct FsckCommand: MillraceCommand {
    static let configuration = CommandConfiguration(
        commandName: "fsck",
        abstract: "Check the data directory: every batch, index and offset.",
        discussion: """
            Without options nothing is changed, and a worker may run meanwhile. --repair builds \
            indexes anew and drops what was never committed. --quarantine also takes damaged \
            records out of the way, so that reading goes on behind them; the damaged file is kept. \
            Exits with 1 when something is left that is not as it should be.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Flag(help: "Put right what loses nothing.")
    var repair = false

    @Flag(help: "Also take damaged records out of the way.")
    var quarantine = false

    mutating func execute() async throws -> ExitStatus {
        guard try shared.brokerValues().isEmpty else {
            throw Failure.usage(
                "fsck looks at a data directory; topics on a cluster are the brokers' to check.",
                hint: "Leave out --broker and MILLRACE_BROKER. `millrace doctor FILE` looks at a "
                    + "cluster."
            )
        }
        try DataDirectory.requireExistence(shared)
        let report = try EmbeddedTopicStore.fsck(
            directory: shared.dataDirectory,
            repair: repair || quarantine,
            quarantine: quarantine,
            logger: shared.logger
        )
        if shared.json {
            try StandardOutput.print(report.document)
        } else {
            try StandardOutput.printLine(report.description)
        }
        return report.isClean ? .done : .failed
    }
}

extension FsckReport {
    fileprivate var document: JSONDocument {
        let problems = problems.map { problem -> JSONDocument in
            [
                "kind": .string(problem.kind.rawValue),
                "topic": .optional(problem.partition?.topic),
                "partition": .optional(problem.partition.map { Int64($0.partition) }),
                "firstOffset": .optional(problem.offsets?.lowerBound),
                "endOffset": .optional(problem.offsets?.upperBound),
                "message": .string(problem.message), "repaired": .bool(problem.isRepaired),
                "loss": .bool(problem.isLoss),
            ]
        }
        return [
            "clean": .bool(isClean), "live": .bool(isLive), "topics": .int(Int64(topics)),
            "partitions": .int(Int64(partitions)), "segments": .int(Int64(segments)),
            "batches": .int(Int64(batches)), "records": .int(Int64(records)),
            "bytes": .int(bytes), "problems": .array(problems),
        ]
    }
}
