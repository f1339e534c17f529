import ConnectorSDK
import ConnectorTesting
import Testing

import LinesFormat

@Suite("Lines format")
struct LinesFormatTests {
    static func format(_ values: [String: String] = [:]) throws -> LinesFormat {
        try LinesFormat(configuration: Configuration(values))
    }

    @Test("keeps the format contract", arguments: FormatRequirement.allCases)
    func conformance(_ requirement: FormatRequirement) throws {
        let scenario = FormatScenario(format: { try Self.format() }) { count in
            Array(
                (0..<count).map { "line \($0)" + String(repeating: "ü", count: $0 % 7) + "\n" }
                    .joined().utf8
            )
        }
        try scenario.verify(requirement)
    }

    @Test("keeps the contract with line ends of Windows", arguments: FormatRequirement.allCases)
    func windows(_ requirement: FormatRequirement) throws {
        let scenario = FormatScenario(format: { try Self.format() }) { count in
            Array((0..<count).map { "line \($0)\r\n" }.joined().utf8)
        }
        try scenario.verify(requirement)
    }

    @Test(
        "a line is what stands before its end",
        arguments: [
            ("", []),
            ("a", ["a"]),
            ("a\n", ["a"]),
            ("a\nb", ["a", "b"]),
            ("a\r\nb\r\n", ["a", "b"]),
            ("\n\n", ["", ""]),
            ("\r\n", [""]),
            ("a\rb\n", ["a\rb"]),
            ("a\r", ["a\r"]),
            ("\u{0}\n", ["\u{0}"]),
        ]
    )
    func lines(_ text: String, _ wanted: [String]) throws {
        for pieces in [1, 2, Int.max] {
            let reading = try FormatReading(Self.format(), Array(text.utf8), pieces: pieces)
            #expect(reading.records.map(\.text) == wanted)
            #expect(reading.records.map(\.line) == wanted.indices.map { Int64($0) + 1 })
        }
    }

    @Test("bytes that are no UTF-8 pass untouched")
    func invalidUTF8() throws {
        let reading = try FormatReading(Self.format(), [0xff, 0xc3, 0x0a, 0x80])
        #expect(reading.records.map { $0[""] } == [.bytes([0xff, 0xc3]), .bytes([0x80])])
    }

    @Test("a line that is too long is rejected with a sample, and the next one is read")
    func longLine() throws {
        let long = String(repeating: "x", count: 5_000)
        let text = "a\n\(long)\nb\n\(long)"
        for pieces in [7, Int.max] {
            let reading = try FormatReading(
                Self.format(["max.record.bytes": "100"]),
                Array(text.utf8),
                pieces: pieces
            )
            #expect(reading.records.map(\.text) == ["a", "b"])
            #expect(reading.records.map(\.line) == [1, 3])
            #expect(reading.records.map(\.offset) == [0, 5_003])
            #expect(reading.rejections.map(\.line) == [2, 4])
            #expect(reading.rejections.map(\.offset) == [2, 5_005])
            #expect(reading.rejections.allSatisfy { $0.value.count == 1_024 })
            #expect(reading.rejections.first?.error.code.rawValue == "lines.too_long")
            #expect(reading.rejections.first?.error.message.contains("5000 bytes") == true)
        }
    }

    @Test("a line without end does not grow memory")
    func endlessLine() throws {
        // D7: 300 MiB of one line, seen through windows of at most a few megabytes.
        var left = 300 << 20
        let input = ByteInput { room throws(ConnectorError) in
            let count = min(room.count, left)
            room.prefix(count).initializeMemory(as: UInt8.self, repeating: 0x78)
            left -= count
            return count
        }
        let reader = try Self.format(["max.record.bytes": "1MiB"]).makeReader(at: nil)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        #expect(try !reader.read(input, into: batch))
        #expect(batch.count == 0)
        #expect(batch.rejections.count == 1)
        #expect(reader.position == ReaderPosition(byte: 300 << 20, line: 2, record: 1))
        #expect(input.chunk.capacity <= 4 << 20)
    }

    @Test(
        "a value that is no line is rejected, and nothing of the batch is written",
        arguments: [Value.bytes(Array("a\nb".utf8)), .null]
    )
    func unwritable(_ value: Value) throws {
        let batch = RecordBatch()
        batch.reset(topic: "t")
        for value in [.bytes([0x61]), value] {
            let row = batch.appendRow()
            batch[row, 0] = batch.makeCell(value)
        }
        let output = OutputBuffer()
        output.append("before")
        let writer = try Self.format().makeWriter()
        let error = #expect(throws: ConnectorError.self) {
            try writer.write(batch, rows: 0..<2, into: output)
        }
        #expect(error?.disposition == .rejectRecord)
        #expect(String(decoding: output.bytes, as: UTF8.self) == "before")
    }

    @Test("escaped line ends and backslashes come back as they were")
    func escapes() throws {
        let values = ["a\nb", "\r\n", "back\\slash\\n", "", "\\", "plain"]
        let batch = RecordBatch()
        batch.reset(topic: "t")
        for value in values { batch[batch.appendRow(), 0] = batch.makeCell(.string(value)) }
        let format = try Self.format(["lines.escape": "true"])
        let output = OutputBuffer()
        try format.makeWriter().write(batch, rows: batch.indices, into: output)
        #expect(output.bytes.count { $0 == 0x0a } == values.count)
        let reading = try FormatReading(format, Array(output.bytes), pieces: 3)
        #expect(reading.records.map(\.text) == values)
    }
}
