import CSVFormat
import ConnectorSDK
import ConnectorTesting
import Testing

@Suite("Writing CSV")
struct CSVWriterTests {
    private func write(
        _ batch: RecordBatch,
        _ keys: [String: String] = [:]
    ) throws(ConnectorError) -> String {
        let writer = try CSVFormat(configuration: Configuration(keys)).makeWriter()
        let output = OutputBuffer(capacity: 16)
        try writer.begin(batch, into: output)
        try writer.write(batch, rows: batch.indices, into: output)
        try writer.end(into: output)
        return String(decoding: output.bytes, as: UTF8.self)
    }

    private func batch(_ rows: KeyValuePairs<String, Value>...) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "t")
        for row in rows { batch.append(row) }
        return batch
    }

    @Test(
        "writes every type, in quotes only where they are needed",
        arguments: [
            (Value.missing, ""), (.null, ""), (.bool(true), "true"), (.int(-42), "-42"),
            (.double(1.5), "1.5"), (.double(.infinity), "Infinity"), (.decimal("12.50"), "12.50"),
            (.string("plain text"), "plain text"), (.string(""), "\"\""),
            (.string("a,b"), "\"a,b\""),
            (.string("a\"b"), "\"a\"\"b\""), (.string("a\r\nb"), "\"a\r\nb\""),
            (.string(" a"), "\" a\""), (.string("a\t"), "\"a\t\""), (.string("é;x'"), "é;x'"),
            (.string("42"), "\"42\""), (.string("1.0"), "\"1.0\""), (.string("true"), "\"true\""),
            (.string("007"), "007"), (.string("2026-11-21"), "2026-11-21"),
            (.string("a long text, longer than 16"), "\"a long text, longer than 16\""),
            (.json("{\"a\":[1]}"), "\"{\"\"a\"\":[1]}\""), (.bytes([0, 255]), "AP8="),
            (.date(1), "1970-01-02"),
            (.timestamp(1_500_000), "1970-01-01T00:00:01.500000Z"),
        ] as [(Value, String)]
    )
    func writes(_ value: Value, _ text: String) throws {
        let batch = batch(["v": value, "w": .string("x")])
        #expect(try write(batch) == "v,w\n\(text),x\n")
    }

    @Test("a first name that looks like a byte order mark is quoted")
    func quotesByteOrderMark() throws {
        #expect(try write(batch(["\u{FEFF}a": .int(1)])) == "\"\u{FEFF}a\"\n1\n")
    }

    @Test("writes other dialects, and only the columns asked for")
    func writesDialects() throws {
        let batch = batch(["a": .string("x;y"), "b": .int(1)], ["b": .int(2)])
        #expect(try write(batch, ["delimiter": ";"]) == "a;b\n\"x;y\";1\n;2\n")
        #expect(try write(batch, ["header": "false"]) == "x;y,1\n,2\n")
        #expect(try write(batch, ["columns": "b,c,a"]) == "b,c,a\n1,,x;y\n2,,\n")
        let keys = ["quote": "none", "escape": "\\", "delimiter": ";"]
        #expect(try write(batch, keys) == "a;b\nx\\;y;1\n;2\n")
        #expect(try write(self.batch(["a": .string("42")]), ["types": "string"]) == "a\n42\n")
    }

    @Test("rejects what the file has no place for, names it, and leaves nothing behind")
    func rejects() throws {
        let format = try CSVFormat(configuration: Configuration(["columns": "a"]))
        let writer = try format.makeWriter()
        let batch = batch(["a": .int(1)], ["a": .int(2), "secret": .string("hidden")])
        let output = OutputBuffer()
        try writer.begin(batch, into: output)
        let start = output.count
        let error = #expect(throws: ConnectorError.self) {
            try writer.write(batch, rows: batch.indices, into: output)
        }
        #expect(error?.disposition == .rejectRecord)
        #expect(error?.message == "The file has no column for the fields `secret`.")
        #expect(output.count == start)
        try writer.write(batch, rows: 0..<1, into: output)
        #expect(String(decoding: output.bytes, as: UTF8.self) == "a\n1\n")
        #expect(throws: ConnectorError.self) {
            try write(self.batch(["a": .string("x,y")]), ["quote": "none"])
        }
        let opaque = RecordBatch()
        opaque.reset(topic: "t")
        #expect(throws: ConnectorError.self) { try write(opaque) }
    }

    @Test("what is written is read back as it was")
    func roundTrips() throws {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "a", ",", "\"", "\n", "\r", " ", "é", "1", ".", "-", "0", "true", "\t", "#", "\\", "N",
            "",
        ]
        for keys in [
            [:], ["escape": "\\"], ["delimiter": "tab", "quote": "'"],
            ["comment": "#", "null.values": "N"],
        ] {
            let batch = RecordBatch()
            batch.reset(topic: "t")
            for _ in 0..<300 {
                let text = (0..<Int.random(in: 0...5, using: &random))
                    .map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
                let number = Int64.random(in: .min ... .max, using: &random)
                let mantissa = Int64.random(in: -999_999...999_999, using: &random)
                batch.append([
                    "s": .string(text),
                    "i": .int(number >> Int64.random(in: 0...63, using: &random)),
                    "n": .null, "b": .bool(number > 0), "d": .missing,
                ])
                batch[batch.count - 1, 4] = .decimal(mantissa, scale: 3)
            }
            let wanted = CapturedRecord.all(of: batch).map(\.fields)
            let written = try write(batch, keys)
            let format = try CSVFormat(configuration: Configuration(keys))
            let reading = try FormatReading(format, Array(written.utf8))
            #expect(reading.rejections.isEmpty)
            #expect(reading.records.map(\.fields) == wanted)
        }
    }
}
