import CSVFormat
import ConnectorSDK
import ConnectorTesting
import Testing

@Suite("A CSV record by itself")
struct CSVRecordAloneTests {
    private static func fields(
        _ record: String,
        _ values: [String: String] = [:],
        context: String?
    ) throws -> [[CapturedRecord.Field]] {
        try FormatReading(
            CSVFormat(configuration: Configuration(values)),
            record: Array(record.utf8),
            context: context
        ).records.map(\.fields)
    }

    @Test("is read with the names of its file's header row, which is not looked for in it")
    func header() throws {
        let format = try CSVFormat(configuration: Configuration(["skip.lines": "1"]))
        let whole = try FormatReading(format, Array("skipped\nid,\"a,\"\"b\"\n1,x\n2\n".utf8))
        #expect(whole.rejections.map { String(decoding: $0.value, as: UTF8.self) } == ["2"])
        let alone = try Self.fields("2,y\n", ["skip.lines": "1"], context: whole.recordContext)
        #expect(alone == [[.init("id", .int(2)), .init("a,\"b", .string("y"))]])
    }

    @Test("is read with the columns of the configuration when it names them")
    func columns() throws {
        let alone = try Self.fields("2,y", ["columns": "n,t"], context: "\"id\",\"name\"")
        #expect(alone == [[.init("n", .int(2)), .init("t", .string("y"))]])
    }

    @Test("cannot be read when nobody knows its columns, and the error says what to set")
    func unknown() throws {
        let error = #expect(throws: ConnectorError.self) { try Self.fields("2,y", context: nil) }
        #expect(error?.configurationKey == "columns")
    }

    @Test("is marked when its rejection holds only its beginning")  // D6
    func cut() throws {
        let format = try CSVFormat(configuration: Configuration(["max.record.bytes": "1024"]))
        let long = String(repeating: "x", count: 2_000)
        let reading = try FormatReading(format, Array("a\n\(long)\n1,2\n".utf8))
        #expect(reading.rejections.map(\.isCut) == [true, false])
    }
}
