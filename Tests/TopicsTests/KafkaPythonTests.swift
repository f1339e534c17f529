import ConnectorSDK
import Foundation
import TestServices
import Testing

@testable import Topics

/// Compares with kafka-python's code for record batches; `scripts/setup test` installs it.
@Suite(
    "Batches and kafka-python",
    .enabled(if: FileManager.default.isExecutableFile(atPath: Products.python))
)
struct KafkaPythonTests {
    static func run(_ arguments: [String]) async throws -> String {
        let script = Products.root + "/Tests/TopicsTests/kafka_records.py"
        let result = try await Command.run([Products.python, script] + arguments, in: "/tmp")
        try #require(result.exitCode == 0, "\(result.errors)")
        return result.output
    }

    static func hex(_ bytes: [UInt8]?) -> String {
        guard let bytes else { return "-" }
        return "'" + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// A record as the script prints it; the headers are given.
    static func line(_ record: TestRecord, headers: String) -> String {
        [
            "\(record.offset)", "\(record.timestamp)", hex(record.key), hex(record.value), headers,
        ].joined(separator: " ")
    }

    @Test(
        "it reads what we write, and finds the checksum right",
        arguments: TopicSettings.CompressionType.allCases
    )
    func readsOurs(compression: TopicSettings.CompressionType) async throws {
        let records = BatchRoundTripTests.records
        let more = (0..<300).map { index in
            TestRecord(
                offset: Int64(1_000 + index),
                timestamp: 1_700_000_000_000 + Int64(index),
                key: "key \(index)",
                value: "value \(index)"
            )
        }
        let directory = try TemporaryDirectory()
        let path = directory.file("segment.log")
        let segment =
            try encode(records, compression: compression)
            + encode(more, at: 1_000, compression: compression)
        try Data(segment).write(to: URL(filePath: path))
        let expected = (records + more).map { record in
            Self.line(record, headers: record.headerCount == 3 ? "'61='31,'=-,'61='" : "")
        }
        let output = try await Self.run(["read", path])
        #expect(output.split(separator: "\n").map(String.init) == expected)
    }

    @Test("we read what it writes, with every codec", arguments: 0...4)
    func readsTheirs(codec: Int) async throws {
        let output = try await Self.run(["write", "\(codec)"])
        let data = bytes(hex: output)
        #expect(data.withUnsafeBytes { RecordBatchHeader($0) }?.attributes.codec == UInt16(codec))
        let value = String(repeating: "value ", count: 100)
        let headers = BatchRoundTripTests.header("h", "x") + BatchRoundTripTests.header("", nil)
        let expected = [
            TestRecord(offset: 0, timestamp: 1_000, value: value),
            TestRecord(offset: 1, timestamp: 1_001, key: "", value: value),
            TestRecord(
                offset: 2,
                timestamp: 1_002,
                key: "key",
                value: nil,
                headers: headers,
                headerCount: 2
            ),
        ]
        #expect(try decode(data) == expected)
    }
}
