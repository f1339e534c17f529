import ConnectorSDK
import Glibc
import JSONRecords
import Testing

@Suite("JSON writer")
struct WriterTests {
    private func write(_ cell: (RecordBatch) -> Cell) throws -> String {
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema(["v"]))
        let row = batch.appendRow()
        batch[row, 0] = cell(batch)
        let output = OutputBuffer(capacity: 1)
        try JSONRecordWriter().writeObject(batch.row(row), of: batch.schema, into: output)
        let text = String(decoding: output.bytes, as: UTF8.self)
        #expect(text.hasPrefix("{\"v\":") && text.hasSuffix("}"))
        return String(text.dropFirst(5).dropLast())
    }

    static let inline: [(Cell, String)] = [
        (.null, "null"), (.bool(true), "true"), (.bool(false), "false"),
        (.int(0), "0"), (.int(9), "9"), (.int(10), "10"), (.int(-99), "-99"), (.int(100), "100"),
        (.int(.max), "9223372036854775807"), (.int(.min), "-9223372036854775808"),
        (.decimal(275_413, scale: 2), "2754.13"), (.decimal(5, scale: 2), "0.05"),
        (.decimal(-5, scale: 1), "-0.5"), (.decimal(1_200, scale: 3), "1.200"),
        (.decimal(7, scale: 0), "7"), (.decimal(0, scale: 2), "0.00"),
        (.decimal(.min, scale: 18), "-9.223372036854775808"),
        (.decimal(1, scale: 18), "0.000000000000000001"),
        (.double(0.1), "0.1"), (.double(1), "1.0"), (.double(-0.0), "-0.0"),
        (.double(0.1 + 0.2), "0.30000000000000004"), (.double(1e100), "1e+100"),
        (.double(.leastNonzeroMagnitude), "5e-324"),
        (.double(.greatestFiniteMagnitude), "1.7976931348623157e+308"),
        (Cell(tag: .date, bits: 0), "\"1970-01-01\""),
        (Cell(tag: .date, bits: 20_761), "\"2026-11-04\""),
        (Cell(tag: .date, bits: UInt64(bitPattern: -719_529)), "\"-0001-12-31\""),
        (Cell(tag: .date, bits: 2_932_897), "\"+10000-01-01\""),
        (Cell(tag: .date, bits: 11_016), "\"2000-02-29\""),
        (Cell(tag: .time, bits: 0), "\"00:00:00\""),
        (Cell(tag: .time, bits: 5_134_000_001), "\"01:25:34.000001\""),
        (Cell(tag: .time, bits: 86_400_000_000), "\"24:00:00\""),
        (.timestamp(microseconds: 1_793_755_534_000_000), "\"2026-11-04T01:25:34Z\""),
        (.timestamp(microseconds: -1), "\"1969-12-31T23:59:59.999999Z\""),
        (
            .timestamp(microseconds: 1_793_755_534_000_000, offsetSeconds: 7_200),
            "\"2026-11-04T03:25:34+02:00\""
        ),
        (
            .timestamp(microseconds: 0, offsetSeconds: -12_630),
            "\"1969-12-31T20:29:30-03:30:30\""
        ),
        (Cell(tag: .localTimestamp, bits: 1_500_000), "\"1970-01-01T00:00:01.500000\""),
    ]

    @Test("writes each inline value so that it reads back the same", arguments: inline)
    func writesInline(cell: Cell, text: String) throws {
        #expect(try write { _ in cell } == text)
    }

    @Test("a double is written as the shortest text that reads back as the same one")
    func writesDoubles() throws {
        var random = SystemRandomNumberGenerator()
        var values: [Double] = [0.0001, 0.00009, 999_999_999_999_999, 1e15, 1e16, 9_999_999.999999]
        for _ in 0..<20_000 {
            // Decimals of few places, their neighbours, and any bits at all.
            let places = Double.random(in: 0...8, using: &random).rounded()
            let limit = Double.random(in: 0...16, using: &random)
            let digits = Double.random(in: 0...pow(10, limit), using: &random).rounded()
            let value = digits / pow(10, places)
            values += [value, -value, value.nextUp, -value.nextDown]
            values.append(Double(bitPattern: random.next()))
        }
        for value in values where value.isFinite {
            #expect(try write { _ in .double(value) } == value.description)
        }
    }

    @Test("every power of ten and its neighbours keep their digits")
    func writesAllLengths() throws {
        var power: Int64 = 1
        for _ in 0..<19 {
            for value in [power - 1, power, power + 1, -power] {
                #expect(try write { _ in .int(value) } == String(value))
            }
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
    }

    @Test("writes slices: text escaped, numbers as they are, bytes as base64, nested on one line")
    func writesSlices() throws {
        let cases: [(Value, String)] = [
            (.string(""), #""""#), (.string("plain"), #""plain""#),
            (
                .string("\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}"),
                #""\"\\/\b\f\n\r\t\u0001\u001f"# + "\u{7f}\""
            ),
            (.string("é€😀\u{2028}"), "\"é€😀\u{2028}\""),
            (.decimal("-1.50e+300"), "-1.50e+300"),
            (.bytes([]), #""""#), (.bytes([0]), #""AA==""#), (.bytes([0xFF, 0xFE]), #""//4=""#),
            (.bytes([1, 2, 3]), #""AQID""#), (.json("{\"a\": [1, 2]}"), "{\"a\": [1, 2]}"),
            (.json("{\n  \"a b\": [1,\r\n 2, \"x \\\" y\"]\n}"), "{\"a b\":[1,2,\"x \\\" y\"]}"),
        ]
        for (value, text) in cases {
            #expect(try write { $0.makeCell(value) } == text)
        }
    }

    @Test("escapes at every place of a long text, in a buffer that must grow")
    func escapesEverywhere() throws {
        for count in 0..<70 {
            for place in 0..<max(count, 1) {
                var text = Array(repeating: Character("x"), count: count)
                var expected = text.map(String.init)
                if count > 0 {
                    text[place] = "\n"
                    expected[place] = "\\n"
                }
                let written = try write { $0.makeCell(.string(String(text))) }
                #expect(written == "\"\(expected.joined())\"")
                let output = OutputBuffer(capacity: 1)
                JSONText.appendString(String(text), to: output)
                #expect(String(decoding: output.bytes, as: UTF8.self) == written)
            }
        }
        let control = String(repeating: "\u{1}", count: 5_000)
        #expect(try write { $0.makeCell(.string(control)) }.utf8.count == 30_002)
    }

    // D6: what JSON cannot express is refused, not changed.
    @Test(
        "refuses what JSON has no text for, and leaves the output as it was",
        arguments: [
            Cell.double(.nan), .double(.infinity), .double(-.infinity),
            Cell(tag: .time, bits: 86_400_000_001), Cell(tag: .time, bits: .max),
            Cell(tag: .date, bits: UInt64(Int64.max)), Cell(tag: .date, bits: 1 << 63),
            .timestamp(microseconds: .max, offsetSeconds: 60),
            .timestamp(microseconds: 0, offsetSeconds: 86_400),
        ]
    )
    func refuses(cell: Cell) throws {
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema(["a", "v"]))
        let row = batch.appendRow()
        batch[row, 0] = .int(1)
        batch[row, 1] = cell
        let output = OutputBuffer(capacity: 1)
        output.append("before")
        let error = #expect(throws: ConnectorError.self) {
            try JSONRecordWriter().writeObject(batch.row(row), of: batch.schema, into: output)
        }
        #expect(error?.disposition == .rejectRecord && error?.code == .inexpressibleInJSON)
        #expect(String(decoding: output.bytes, as: UTF8.self) == "before")
        #expect(!JSONText.appendCell(cell, to: output))
        #expect(String(decoding: output.bytes, as: UTF8.self) == "beforenull")
    }

    @Test("leaves missing fields out and writes null ones")
    func missingIsNotNull() throws {
        let schema = Schema(["a", "b", "a name longer than thirty-two bytes, \"quoted\""])
        let cases: [([Cell], String)] = [
            ([.missing, .missing, .missing], "{}"), ([.missing, .null, .missing], #"{"b":null}"#),
            (
                [.int(1), .missing, .int(2)],
                #"{"a":1,"a name longer than thirty-two bytes, \"quoted\"":2}"#
            ),
        ]
        for (cells, text) in cases {
            let output = OutputBuffer(capacity: 1)
            try cells.withUnsafeBufferPointer { cells in
                let base = try #require(cells.baseAddress)
                try JSONRecordWriter().writeObject(base, of: schema, into: output)
            }
            #expect(String(decoding: output.bytes, as: UTF8.self) == text)
        }
    }

    @Test(
        "reads its own dates and times back",
        arguments: [
            (FieldType.date, "2026-11-04"), (.date, "-0044-03-15"), (.date, "+12026-01-01"),
            (.time, "01:25:34"), (.time, "23:59:59.999999"), (.time, "24:00:00"),
            (.timestamp, "2026-11-04T01:25:34Z"), (.timestamp, "2026-11-04T01:25:34.000100+05:30"),
            (.timestamp, "1883-11-18T12:03:58-07:52:58"),
            (.localTimestamp, "2026-11-04T01:25:34.500000"),
        ]
    )
    func readsTimesBack(type: FieldType, text: String) throws {
        let cell = try #require(Array(text.utf8).withUnsafeBytes { TimeText.cell($0, as: type) })
        #expect(try write { _ in cell } == "\"\(text)\"")
    }

    @Test("base64 of every length reads back, and other texts are refused")
    func base64() {
        for count in 0..<50 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            let output = OutputBuffer()
            let chunk = Chunk(copying: bytes)
            let slice = UnsafeRawBufferPointer(start: chunk.base, count: count)
            JSONText.appendCell(.slice(.bytes, slice), to: output)
            let text = Array(output.bytes.dropFirst().dropLast())
            #expect(decode(text) == bytes)
        }
        for text in ["A", "AA", "AA=", "A===", "AB==", "AAB=", "A*==", "AA==AA==", "=AAA", "AA\n="]
        {
            #expect(decode(Array(text.utf8)) == nil, "\(text)")
        }
    }

    private func decode(_ text: [UInt8]) -> [UInt8]? {
        withUnsafeTemporaryAllocation(byteCount: text.count + 1, alignment: 1) { room in
            guard let target = room.baseAddress else { return nil }
            let count = text.withUnsafeBytes { Base64.decode($0, to: target) }
            return count.map { Array(room.prefix($0)) }
        }
    }
}
