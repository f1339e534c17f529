import ConnectorSDK
import Converters
import Testing

@Suite("String and bytes converters")
struct OpaqueConverterTests {
    @Test("values stay what they are; text that is no UTF-8 is rejected")
    func decodes() throws {
        let records = [
            TopicRecord("text"), TopicRecord(bytes: [0xFF]), TopicRecord(nil), TopicRecord("é"),
        ]
        let string = try StringConverter(configuration: Configuration([:]))
        try string.decodeAll(records, schemas: MemoryRegistry()) { batch in
            #expect(batch.schema.isOpaque)
            #expect(batch.takeRejections().map(\.value) == [[0xFF]])
            let written = try string.encodeAll(batch, schemas: MemoryRegistry())
            #expect(written.map(\.text) == ["text", nil, "é"])
            #expect(batch[0, 0].tag == .string)
        }
        let bytes = try BytesConverter(configuration: Configuration([:]))
        try bytes.decodeAll(records, schemas: MemoryRegistry()) { batch in
            let written = try bytes.encodeAll(batch, schemas: MemoryRegistry())
            #expect(written.map(\.value) == records.map(\.value))
            #expect(batch[0, 0].tag == .bytes)
        }
    }

    @Test("a key becomes one field, and a key of one field its text")
    func keys() throws {
        let string = try StringConverter(configuration: Configuration([:]))
        let batch = TopicRecord.batch([TopicRecord("v", key: "k"), TopicRecord("v")])
        try string.decodeKeys(batch)
        #expect(batch.keySchema?.names == ["key"])
        #expect(try string.encodeKey(batch, row: 0).map { Array($0) } == Array("k".utf8))
        #expect(try string.encodeKey(batch, row: 1) == nil)
        batch.addKeys(Schema(["id"]))
        batch.keyRow(0)?.pointee = .int(42)
        batch.keyRow(1)?.pointee = Cell(tag: .date, bits: 0)
        #expect(try string.encodeKey(batch, row: 0).map { Array($0) } == Array("42".utf8))
        #expect(try string.encodeKey(batch, row: 1).map { Array($0) } == Array("1970-01-01".utf8))
        batch.addKeys(Schema(["a", "b"]))
        batch.keyRow(0)?[1] = .bool(true)
        #expect(try string.encodeKey(batch, row: 0).map { Array($0) } == Array(#"{"b":true}"#.utf8))
    }

    @Test("fields are written as JSON")
    func fields() throws {
        let bytes = try BytesConverter(configuration: Configuration([:]))
        let batch = RecordBatch()
        batch.append(["a": .int(1), "b": .string("x")])
        let written = try bytes.encodeAll(batch, schemas: MemoryRegistry())
        #expect(written.map(\.text) == [#"{"a":1,"b":"x"}"#])
    }

    @Test("every built-in converter has a name of its own")
    func names() {
        let names = builtInConverters.map { $0.name }
        #expect(Set(names).count == names.count)
        #expect(names.contains("json"))
    }
}
