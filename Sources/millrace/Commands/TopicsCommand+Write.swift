import ArgumentParser
import ConnectorSDK
import Glibc
import JSONDocuments
import Topics

extension TopicsCommand {
    /// The command `millrace topics write`.
    struct Write: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "write",
            abstract: "Append the lines of standard input to a topic, one record each.",
            discussion: "Returns when the records are durable."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The topic.")
        var topic: String

        @Option(help: "The key of all records; without one they spread over the partitions.")
        var key: String?

        @Option(help: "The partition of all records.")
        var partition: Int32?

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .writing)
            defer { store.close() }
            let description = try store.requireTopic(topic)
            if let partition { try store.requirePartition(partition, of: description) }
            var writer = LineWriter(
                topic: description,
                producer: try store.makeProducer(),
                key: key.map { Array($0.utf8) },
                partition: partition ?? -1
            )
            var input = LineInput()
            while let line = try input.next() {
                try writer.append(line, mayWait: input.hasLine)
            }
            let count = try writer.finish()
            if shared.json {
                try StandardOutput.print(["topic": .string(topic), "records": .int(count)])
            } else {
                ErrorScreen.shared.writeLine("\(topic): \(Quantity.count(count)) record(s) written")
            }
            return .done
        }
    }

    /// Gathers lines into batches.
    private struct LineWriter {
        private let topic: TopicDescription
        private let producer: any TopicProducer
        private let key: [UInt8]?
        private let wanted: Int32
        private var partitioner: Partitioner
        private var builder: RecordBatchBuilder?
        private var ticket: Int64 = 0
        private var count: Int64 = 0

        init(
            topic: TopicDescription,
            producer: any TopicProducer,
            key: [UInt8]?,
            partition: Int32
        ) {
            self.topic = topic
            self.producer = producer
            self.key = key
            wanted = partition
            partitioner = Partitioner(count: topic.partitions)
        }

        /// Adds a record, and hands over what was gathered when no more input waits.
        mutating func append(_ line: ArraySlice<UInt8>, mayWait: Bool) throws {
            let builder = builder ?? producer.makeBuilder()
            self.builder = builder
            line.withUnsafeBytes { value in
                if let key {
                    key.withUnsafeBytes {
                        builder.append(timestamp: RecordMetadata.noTimestamp, key: $0, value: value)
                    }
                } else {
                    builder.append(timestamp: RecordMetadata.noTimestamp, key: nil, value: value)
                }
            }
            count += 1
            let isFull =
                builder.count >= RecordBatch.rowLimit || builder.byteCount >= RecordBatch.byteLimit
            if isFull || !mayWait { try submit() }
        }

        /// Waits until everything is durable; returns the number of records.
        mutating func finish() throws -> Int64 {
            try submit()
            if ticket > 0 { _ = try producer.waitUntilDurable(through: ticket, deadline: nil) }
            producer.close()
            return count
        }

        private mutating func submit() throws {
            guard let builder, builder.count > 0 else { return }
            self.builder = nil
            var clock = timespec()
            clock_gettime(CLOCK_REALTIME, &clock)
            let batch = try builder.finish(
                compression: topic.settings.compressionType,
                now: Int64(clock.tv_sec) * 1_000 + Int64(clock.tv_nsec) / 1_000_000,
                timestampType: topic.settings.timestampType
            )
            let number = (key ?? []).withUnsafeBytes {
                partitioner.partition(wanted: wanted, key: key == nil ? nil : $0)
            }
            var unit = CommitUnit()
            unit.batches = [(TopicPartition(topic.name, number ?? 0), batch)]
            ticket = try producer.submit(unit)
            partitioner.batchIsComplete()
        }
    }
}
