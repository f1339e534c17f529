import ConnectorSDK
import Converters
import Testing

@Suite("JSON schema converter")
struct JSONSchemaConverterTests {
    private func make() throws -> JSONSchemaConverter {
        try JSONSchemaConverter(configuration: Configuration([:]))
    }

    /// An envelope around `payload`, with Connect's way of writing fields.
    private func envelope(_ fields: [String], _ payload: String) -> String {
        "{\"schema\":{\"type\":\"struct\",\"fields\":[\(fields.joined(separator: ","))],"
            + "\"optional\":false},\"payload\":\(payload)}"
    }

    private func field(_ name: String, _ type: String, _ logical: String = "") -> String {
        "{\"type\":\"\(type)\",\"optional\":true\(logical),\"field\":\"\(name)\"}"
    }

    private func logical(_ name: String, _ parameters: String = "") -> String {
        ",\"name\":\"\(name)\",\"version\":1\(parameters)"
    }

    private var fields: [String] {
        let connect = "org.apache.kafka.connect.data."
        let scale = ",\"parameters\":{\"scale\":\"2\"}"
        return [
            field("i8", "int8"), field("i64", "int64"), field("f", "float"), field("d", "double"),
            field("b", "boolean"), field("s", "string"), field("raw", "bytes"),
            field("n", "bytes", logical(connect + "Decimal", scale)),
            field("day", "int32", logical(connect + "Date")),
            field("at", "int32", logical(connect + "Time")),
            field("ts", "int64", logical(connect + "Timestamp")),
            "{\"type\":\"array\",\"items\":{\"type\":\"int32\"},\"optional\":true,\"field\":\"l\"}",
            field("z", "string", logical("io.debezium.time.ZonedTimestamp")),
            field("us", "int64", logical("io.debezium.time.MicroTimestamp")),
            field("j", "string", logical("io.debezium.data.Json")),
        ]
    }

    @Test("reads every type that Connect writes")
    func reads() throws {
        let payload = """
            {"i8":-1,"i64":9007199254740993,"f":1.5,"d":0.1,"b":true,"s":"x","raw":"AP8=",\
            "n":"BNI=","day":20761,"at":5134001,"ts":1793755534001,"l":[1, 2],\
            "z":"2026-11-04T01:25:34+02:00","us":1,"j":"{\\"a\\":[1]}"}
            """
        var rows: [String] = []
        let records = [
            TopicRecord(envelope(fields, payload)), TopicRecord(envelope(fields, "{\"i8\":null}")),
            TopicRecord(envelope(fields, payload)), TopicRecord(envelope(fields, "null")),
            TopicRecord(nil),
        ]
        try make().decodeAll(records, schemas: MemoryRegistry()) { batch in
            #expect(batch.takeRejections().isEmpty)
            rows += batch.indices.map { batch.describe($0) }
            #expect(batch.schema.fields[0].type == .int16)
            #expect(batch.schema.fields[7].type == .decimal(precision: nil, scale: 2))
            #expect(batch[metadata: 3].isTombstone && batch[metadata: 4].isTombstone)
        }
        let first = """
            i8=int(-1) i64=int(9007199254740993) f=double(1.5) d=double(0.1) b=bool(true) \
            s=string("x") raw=bytes([0, 255]) n=decimal("12.34") day=date(20761) \
            at=time(5134001000) ts=timestamp(1793755534001000) l=json("[1, 2]") \
            z=timestamp(1793748334000000) us=localTimestamp(1) j=json("{\\"a\\":[1]}")
            """
        #expect(rows == [first, "i8=null", first, "", ""])
    }

    @Test("reads values without a schema, of one value, and with the parts in any order")
    func readsOddEnvelopes() throws {
        let records = [
            #"{"schema":null,"payload":{"a":1}}"#, #"{"payload":{"a":2},"schema":null}"#,
            #"{"schema":{"type":"string","optional":false},"payload":"x\n"}"#,
            #"{"schema":{"type":"int64"},"payload":5}"#,
            "{ \"schema\" : {\"type\":\"struct\",\"fields\":[]} ,\n \"payload\" : {} } ",
        ].map { TopicRecord($0) }
        var rows: [String] = []
        try make().decodeAll(records, schemas: MemoryRegistry()) { batch in
            #expect(batch.takeRejections().isEmpty)
            rows += batch.indices.map { batch.describe($0) }
        }
        #expect(rows == ["a=int(1)", "a=int(2)", #"value=string("x\n")"#, "value=int(5)", ""])
    }

    @Test("what contradicts its schema, or has no envelope, is rejected alone")
    func rejects() throws {
        let good = envelope([field("a", "int32")], #"{"a":1}"#)
        let bad = [
            envelope([field("a", "int32")], #"{"a":"1"}"#),
            envelope([field("a", "int32")], "{\"a\":}"),
            #"{"a":1}"#, "5", "", "nonsense", #"{"schema":{"type":"int7"},"payload":1}"#,
            #"{"schema":5,"payload":1}"#, #"{"schema":{"type":"int32"}}"#,
            envelope([field("a", "bytes")], #"{"a":"*"}"#),
            envelope([field("a", "string", logical("io.debezium.data.Json"))], #"{"a":"{"}"#),
        ]
        var rows: [String] = []
        var rejected: [Int64] = []
        let records = bad.flatMap { [TopicRecord(good), TopicRecord($0)] }
        try make().decodeAll(records, schemas: MemoryRegistry()) { batch in
            rows += batch.indices.map { batch.describe($0) }
            rejected += batch.takeRejections().map(\.offset)
        }
        let expectedRows = [String](repeating: "a=int(1)", count: bad.count)
        let expectedRejected: [Int64] = bad.indices.map { Int64($0 * 2 + 1) }
        #expect(rows == expectedRows)
        #expect(rejected == expectedRejected)
    }

    @Test("typed values survive the way through a topic")
    func typesSurvive() throws {
        let source = JSONConverterTests.typedBatch()
        let records = try make().encodeAll(source, schemas: MemoryRegistry())
        #expect(records.allSatisfy { $0.schemaID == nil })
        let converter = try make()
        var row = 0
        try converter.decodeAll(records, schemas: MemoryRegistry()) { batch in
            #expect(batch.takeRejections().isEmpty)
            for index in batch.indices {
                #expect(batch.describe(index) == source.describe(row))
                row += 1
            }
        }
        #expect(row == source.count)
    }

    @Test("writes schemas as Connect does, and keeps them while the values allow it")
    func writesSchemas() throws {
        let batch = RecordBatch()
        batch.append(["id": .int(1), "n": .decimal("5"), "day": .date(0)])
        batch.append(["id": .int(2), "n": .null])
        batch[0, 1] = .decimal(1_234, scale: 2)
        let written = try make().encodeAll(batch, schemas: MemoryRegistry()).compactMap(\.text)
        let scale = ",\"parameters\":{\"scale\":\"2\"}"
        let schema = [
            field("id", "int64"),
            field("n", "bytes", logical("org.apache.kafka.connect.data.Decimal", scale)),
            field("day", "int32", logical("org.apache.kafka.connect.data.Date")),
        ]
        let expected: [String] = [
            envelope(schema, #"{"id":1,"n":"BNI=","day":0}"#),
            envelope(schema, #"{"id":2,"n":null}"#),
        ]
        #expect(written == expected)
    }

    @Test(
        "decimals of any length and sign survive",
        arguments: [
            "0", "1", "-1", "127", "128", "-128", "-129", "255", "256", "-32768", "0.00", "-0.01",
            "9223372036854775807", "-9223372036854775808", "9223372036854775808",
            "-123456789012345678901234567890.123456789", "1e3", "1.50E-2", "-0", "-0.0",
            "0.000000000000000000000000000001",
        ]
    )
    func decimals(text: String) throws {
        let batch = RecordBatch()
        batch.append(["n": .decimal(text)])
        let records = try make().encodeAll(batch, schemas: MemoryRegistry())
        try make().decodeAll(records, schemas: MemoryRegistry()) { batch in
            let expected = ["1e3": "1000", "1.50E-2": "0.0150", "-0": "-0.0"][text] ?? text
            let value = batch.value(0, "n")
            switch value {
            case .decimal(let found): #expect(found == expected)
            case .int(let found): #expect(String(found) == expected)
            case .double(let found): #expect("\(found)" == expected)
            default: Issue.record("\(value)")
            }
        }
    }

    @Test("a number that no decimal holds is refused")
    func refusesHugeNumbers() throws {
        let batch = RecordBatch()
        batch.append(["n": .decimal("1e999999999")])
        #expect(throws: ConnectorError.self) {
            try make().encodeAll(batch, schemas: MemoryRegistry())
        }
    }

    @Test("keys have envelopes too, and are read without one as well")
    func keys() throws {
        let converter = try make()
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema(["v"]), keySchema: Schema([Field("id", .int64)]))
        batch.appendRow()
        batch.keyRow(0)?[0] = .int(7)
        let key = try #require(try converter.encodeKey(batch, row: 0))
        let text = String(decoding: key, as: UTF8.self)
        #expect(text == envelope([field("id", "int64")], #"{"id":7}"#))
        let read = TopicRecord.batch(
            [text, #"{"id":8}"#, "plain"].map { TopicRecord("{}", key: $0) }
        )
        try converter.decodeKeys(read)
        #expect(read.keySchema?.names == ["id", "key"])
        #expect(read.keyRow(0)?.pointee.int64 == 7)
        #expect(read.keyRow(1)?.pointee.int64 == 8)
    }
}
