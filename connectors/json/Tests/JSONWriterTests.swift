import ConnectorSDK
import JSONFormat
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
    private func read(_ text: String) throws -> [RecordBatch] {
        let reader = try JSONFormat(configuration: Configuration([:])).makeReader(at: nil)
        let bytes = Array(text.utf8)
        var at = 0
        let input = ByteInput { room in
            let count = min(room.count, bytes.count - at)
            room.copyBytes(from: bytes[at..<(at + count)])
            at += count
            return count
        }
        var batches: [RecordBatch] = []
        var goesOn = true
        while goesOn {
            let batch = RecordBatch()
            goesOn = try reader.read(input, into: batch)
            if batch.count > 0 { batches.append(batch) }
        }
        return batches
    }

    static let lines = """
        {"id":1,"amount":12.50,"note":"caf\\u00e9 \\"x\\"","tags":[1, 2],"gone":null}
        { "id" : 2 }
        {"id":3,"id":4}
        {"amount":-0,"id":1e3}
        42

        """

    @Test("lines that nobody changed are written as they were, byte for byte")
    func copiesLines() throws {
        #expect(try JSONStream.write(read(Self.lines)) == Self.lines)
    }

    @Test("a document on several lines becomes one line")
    func joinsLines() throws {
        let batches = try read("{\n \"a\": 1,\n \"b\": [\n  1]\n}\n{\"a\":2}")
        #expect(try JSONStream.write(batches) == "{\"a\":1,\"b\":[1]}\n{\"a\":2}\n")
    }

    @Test("an array holds all records of all batches, and reads back")
    func writesArrays() throws {
        let batches = try read("{\"a\":1,\"b\":1}\n{\"b\":2,\"a\":2}\n3\n")
        let text = try JSONStream.write(batches, ["json.style": "array"])
        #expect(text == "[\n{\"a\":1,\"b\":1},\n{\"b\":2,\"a\":2},\n3\n]\n")
        #expect(try JSONStream.read(text).texts == [#"{"a":1,"b":1}"#, #"{"b":2,"a":2}"#, "3"])
    }

    @Test("fields, opaque values and tombstones each have a line")
    func writesOtherValues() throws {
        let opaque = RecordBatch()
        let chunk = Chunk(copying: Array("a\nb".utf8))
        opaque.retain(chunk)
        opaque.appendOpaque(UnsafeRawBufferPointer(start: chunk.base, count: 3), tag: .string)
        opaque.appendOpaque(UnsafeRawBufferPointer(start: chunk.base, count: 3))
        opaque.appendRow()
        opaque[metadata: 2].isTombstone = true
        let fields = RecordBatch()
        fields.append(["a": .string("x"), "b": .timestamp(0), "c": .missing])
        #expect(
            try JSONStream.write([opaque, fields])
                == "\"a\\nb\"\n\"YQpi\"\nnull\n{\"a\":\"x\",\"b\":\"1970-01-01T00:00:00Z\"}\n"
        )
    }

    @Test("a batch with a value that JSON has not writes nothing at all")
    func refusesBatch() throws {
        let batch = RecordBatch()
        batch.append(["a": .double(1)])
        batch.append(["a": .double(.nan)])
        for style in ["lines", "array"] {
            let format = try JSONFormat(configuration: Configuration(["json.style": style]))
            let writer = try format.makeWriter()
            let output = OutputBuffer()
            try writer.begin(batch, into: output)
            let start = output.count
            let error = #expect(throws: ConnectorError.self) {
                try writer.write(batch, rows: batch.indices, into: output)
            }
            #expect(error?.disposition == .rejectRecord && output.count == start)
            try writer.write(batch, rows: 0..<1, into: output)
            try writer.end(into: output)
            let text = String(decoding: output.bytes, as: UTF8.self)
            #expect(text == (style == "array" ? "[\n{\"a\":1.0}\n]\n" : "{\"a\":1.0}\n"))
        }
    }
}
