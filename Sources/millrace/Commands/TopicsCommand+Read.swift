import ArgumentParser
import ConnectorSDK
import Glibc
import Topics

extension TopicsCommand {
    /// The command `millrace topics read`.
    struct Read: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "read",
            abstract: "Print records, one line each.",
            discussion: """
                Prints values; with --json also topic, partition, offset, timestamp, key and \
                headers: a JSON value stands as it is, other text as a string, other bytes as \
                {"base64":"..."}. Partitions are printed one after the other.
                """
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The topic.")
        var topic: String

        @Option(help: "Only this partition.")
        var partition: Int32?

        @Option(help: ArgumentHelp("Where to begin: \(StartPoint.help)", valueName: "where"))
        var from: StartPoint = .beginning

        @Option(help: "Stop after this many records.")
        var max: Int?

        @Flag(help: "Wait for new records until interrupted.")
        var follow = false

        mutating func validate() throws {
            if let max, max < 0 { throw ValidationError("--max must not be negative.") }
        }

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .reading)
            defer { store.close() }
            let description = try store.requireTopic(topic)
            if let partition { try store.requirePartition(partition, of: description) }
            var partitions = try (0..<description.partitions)
                .filter { partition == nil || $0 == partition }
                .map { number in
                    let place = TopicPartition(topic, number)
                    let start = try store.offset(of: place, at: from)
                    return OpenPartition(number, try store.makeReader(place, from: start))
                }
            var session = Session(
                remaining: max ?? .max,
                printer: RecordPrinter(asJSON: shared.json)
            )
            try session.printAll(&partitions, topic: topic)
            while follow, session.remaining > 0 {
                // 100 ms: as good as at once for a person, and idle for the machine.
                usleep(100_000)
                try session.printAll(&partitions, topic: topic)
            }
            return .done
        }
    }

    private struct OpenPartition {
        var number: Int32
        var reader: any PartitionReader

        init(_ number: Int32, _ reader: any PartitionReader) {
            self.number = number
            self.reader = reader
        }
    }

    /// What is still to be printed, and how.
    private struct Session {
        var remaining: Int
        let printer: RecordPrinter
        private let batch = RecordBatch()

        init(remaining: Int, printer: RecordPrinter) {
            self.remaining = remaining
            self.printer = printer
        }

        /// Prints every partition to its present end.
        mutating func printAll(_ partitions: inout [OpenPartition], topic: String) throws {
            var output = StandardOutput()
            for partition in partitions {
                while remaining > 0 {
                    batch.reset(topic: topic)
                    guard try partition.reader.read(into: batch) > 0 else { break }
                    for row in batch.indices.prefix(remaining) {
                        let line = printer.line(
                            of: batch,
                            row: row,
                            topic: topic,
                            partition: partition.number
                        )
                        try output.writeLine(line)
                    }
                    remaining -= Swift.min(remaining, batch.count)
                }
            }
            try output.flush()
        }
    }
}
