import ConnectorSDK
import ConnectorTesting
import JSONFormat
import Testing

@Suite("A JSON record by itself")
struct JSONRecordAloneTests {
    private func format(_ values: [String: String] = [:]) throws -> JSONFormat {
        try JSONFormat(configuration: Configuration(values))
    }

    @Test(
        "is read as it was wherever it was found",
        arguments: [
            ("{\"a\":1,\"b\":[{}]}\n{\"a\":2}\n", [:]),
            ("[{\"a\":1}, {\"a\":\n2}]", [:]),
            ("{\"data\":{\"items\":[{\"a\":1},{\"a\":2}]}}", ["record.path": "/data/items"]),
            ("[[1,2],[3]]", [:]), ("1\n\"text\"\n", [:]),
        ]
    )
    func alone(_ text: String, _ values: [String: String]) throws {
        let whole = try FormatReading(format(values), Array(text.utf8))
        #expect(whole.records.count == 2 || whole.records.count == 1)
        for (record, text) in zip(whole.records, whole.texts) {
            let alone = try FormatReading(
                format(values),
                record: text,
                context: whole.recordContext
            )
            #expect(alone.records.map(\.fields) == [record.fields])
        }
    }

    @Test("may be mended over several lines, but must be one value")
    func mended() throws {
        let alone = try FormatReading(
            format(["json.style": "lines"]),
            record: Array("{\n  \"a\": 1\n}\n".utf8),
            context: nil
        )
        #expect(alone.records.map { $0["a"] } == [.int(1)])
        #expect(throws: ConnectorError.self) {
            try FormatReading(format(), record: Array("{\"a\":1}}".utf8), context: nil)
        }
    }

    @Test("is marked when its rejection holds only its beginning")  // D6
    func cut() throws {
        let long = "{\"a\":\"" + String(repeating: "x", count: 2_000) + "\"}"
        let reading = try FormatReading(
            format(["max.record.bytes": "1024"]),
            Array("\(long)\n{\"a\":\n".utf8)
        )
        #expect(reading.rejections.map(\.isCut) == [true, false])
    }
}
