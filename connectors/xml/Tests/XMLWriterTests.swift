import ConnectorSDK
import ConnectorTesting
import Testing
import XMLFormat

@Suite("Writing XML")
struct XMLWriterTests {
    private func write(_ batch: RecordBatch, _ keys: [String: String] = [:]) throws(ConnectorError)
        -> String
    {
        let writer = try XMLFormat(configuration: Configuration(keys)).makeWriter()
        let output = OutputBuffer(capacity: 16)
        try writer.begin(batch, into: output)
        try writer.write(batch, rows: batch.indices, into: output)
        try writer.end(into: output)
        return String(decoding: output.bytes, as: UTF8.self)
    }

    private func batch(_ fields: KeyValuePairs<String, Value>) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "t")
        batch.append(fields)
        return batch
    }

    @Test(
        "writes every type as XML",
        arguments: [
            (Value.missing, ""), (.null, "<v xsi:nil=\"true\"/>"), (.bool(true), "<v>true</v>"),
            (.int(-42), "<v>-42</v>"), (.double(1.5), "<v>1.5</v>"), (.double(.nan), "<v>NaN</v>"),
            (.decimal("12.50"), "<v>12.50</v>"), (.string(""), "<v></v>"),
            (.string("<a> & \"b\" ]]>\r\n"), "<v>&lt;a&gt; &amp; \"b\" ]]&gt;&#13;\n</v>"),
            (.bytes([0, 255]), "<v>AP8=</v>"), (.date(1), "<v>1970-01-02</v>"),
            (
                .json("[1,\"x\",{\"@k\":\"v\\n\",\"b\":null},true]"),
                "<v>1</v><v>x</v><v k=\"v&#10;\"><b xsi:nil=\"true\"/></v><v>true</v>"
            ),
            (.json("{\"b\":{\"c\":[]},\"#text\":\"t\",\"@a\":1}"), "<v a=\"1\"><b></b>t</v>"),
            (.json("{\"e\":\"\\u00e9\\ud834\\udd1e\\\"\\/\"}"), "<v><e>é𝄞\"/</e></v>"),
        ] as [(Value, String)]
    )
    func writes(_ value: Value, _ xml: String) throws {
        let text = try write(batch(["v": value, "@id": .int(1)]))
        let content = xml.isEmpty ? "<record id=\"1\"/>" : "<record id=\"1\">\(xml)</record>"
        #expect(text.contains("\n  \(content)\n"), "\(text)")
    }

    @Test("writes attributes, text and names as configured")
    func writesDocument() throws {
        let text = try write(
            batch(["a": .int(1), "@k": .string("\"<\n"), "#text": .string("t")]),
            ["xml.root": "orders", "xml.record": "order"]
        )
        #expect(
            text == """
                <?xml version="1.0" encoding="UTF-8"?>
                <orders xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
                  <order k="&quot;&lt;&#10;"><a>1</a>t</order>
                </orders>

                """
        )
    }

    @Test(
        "rejects what XML cannot express, names the field, and leaves nothing behind",
        arguments: [
            ("a b", Value.int(1)), ("1a", .int(1)), ("", .int(1)), ("p:a", .int(1)), ("@", .int(1)),
            ("v", .string("\u{0}")), ("v", .string("\u{1F}")), ("v", .string("\u{FFFE}")),
            ("@v", .null), ("@v", .json("{}")), ("#text", .json("[]")), ("v", .json("[[1]]")),
            ("v", .json("{\"a b\":1}")), ("v", .json("{\"@x\":{}}")),
            ("v", .json("{\"#text\":null}")),
            (
                "v",
                .json(
                    String(repeating: "{\"a\":", count: 300) + "1"
                        + String(repeating: "}", count: 300)
                )
            ),
        ] as [(String, Value)]
    )
    func rejects(_ name: String, _ value: Value) throws {
        let writer = try XMLFormat(configuration: Configuration([:])).makeWriter()
        let batch = RecordBatch()
        batch.reset(topic: "t")
        batch.append(["ok": .int(1)])
        batch.append(["ok": .int(2)])
        batch.set(1, name, value)
        let output = OutputBuffer()
        let error = #expect(throws: ConnectorError.self) {
            try writer.write(batch, rows: batch.indices, into: output)
        }
        #expect(error?.disposition == .rejectRecord)
        #expect(error?.message.contains("`\(name)`") == true)
        #expect(output.count == 0)
        try writer.write(batch, rows: 0..<1, into: output)
        #expect(String(decoding: output.bytes, as: UTF8.self) == "  <record><ok>1</ok></record>\n")
    }

    @Test("what the reader made is read back as it was")
    func roundTrips() throws {
        let text = """
            <records><record id='&#10;&#9;&quot;'><a> x </a><a k='1'>&#13;]]&gt;</a>
            <b><c/><c>2</c></b>mixed</record>
            <record xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>
            <n xsi:nil='true'/><é>ü</é></record></records>
            """
        let format = try XMLFormat(configuration: Configuration([:]))
        let records = try FormatReading(format, Array(text.utf8)).records
        let written = try FormatReading.rewrite(format, Array(text.utf8), rowsAtATime: 1)
        #expect(try FormatReading(format, written).records.map(\.fields) == records.map(\.fields))
        #expect(records.count == 2)
    }
}
