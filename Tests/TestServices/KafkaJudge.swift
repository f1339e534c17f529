import Foundation

/// A Kafka client that nobody here wrote, to fill a cluster's topics and to look at them.
public struct KafkaJudge: Sendable {
    /// A record as the cluster holds it.
    public struct Record: Codable, Equatable, Sendable {
        public var topic: String?
        public var partition: Int32
        public var offset: Int64?
        public var timestamp: Int64?
        public var key: String?
        public var value: String?
        public var headers: [[String?]]?

        /// Makes a record to be written, of texts.
        public init(
            _ topic: String,
            _ partition: Int32,
            key: String?,
            value: String?,
            headers: [(String, String?)] = [],
            timestamp: Int64? = nil
        ) {
            self.topic = topic
            self.partition = partition
            self.key = key.map { Self.hex($0) }
            self.value = value.map { Self.hex($0) }
            self.headers = headers.map { [$0.0, $0.1.map { Self.hex($0) }] }
            self.timestamp = timestamp
        }

        /// The value as text.
        public var text: String? { Self.text(value) }
        /// The key as text.
        public var keyText: String? { Self.text(key) }

        private static func hex(_ text: String) -> String {
            text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }

        private static func text(_ hex: String?) -> String? {
            guard let hex else { return nil }
            var bytes: [UInt8] = []
            var rest = hex[...]
            while let byte = UInt8(rest.prefix(2), radix: 16) {
                bytes.append(byte)
                rest = rest.dropFirst(2)
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private let bootstrap: String

    /// Makes a judge of a cluster.
    public init(_ broker: KafkaBroker) { bootstrap = broker.bootstrap }

    /// Creates a topic.
    public func create(_ topic: String, partitions: Int) async throws {
        _ = try await run("create", topic, String(partitions))
    }

    /// Adds partitions to a topic, so that there are so many.
    public func grow(_ topic: String, to partitions: Int) async throws {
        _ = try await run("grow", topic, String(partitions))
    }

    /// Deletes a topic.
    public func delete(_ topic: String) async throws { _ = try await run("delete", topic) }

    /// Removes the records of a partition before an offset.
    public func shorten(_ topic: String, _ partition: Int, to offset: Int) async throws {
        _ = try await run("shorten", topic, String(partition), String(offset))
    }

    /// Writes records.
    public func produce(_ records: [Record]) async throws {
        let encoder = JSONEncoder()
        let lines = try records.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
        _ = try await run("produce", input: lines.joined(separator: "\n") + "\n")
    }

    /// All records of a topic that are committed, by partition and offset.
    public func records(of topic: String) async throws -> [Record] {
        let decoder = JSONDecoder()
        return try await run("consume", topic).split(separator: "\n").map {
            try decoder.decode(Record.self, from: Data($0.utf8))
        }
    }

    private func run(_ arguments: String..., input: String = "") async throws -> String {
        let script = Products.root + "/Tests/TestServices/kafka_cluster.py"
        let command = try Command(
            [Products.python, script, bootstrap] + arguments,
            in: "/tmp",
            input: input
        )
        let result = try await command.wait()
        guard result.exitCode == 0 else {
            throw ProgramError("\(arguments): \(result.errors)")
        }
        return result.output
    }
}
