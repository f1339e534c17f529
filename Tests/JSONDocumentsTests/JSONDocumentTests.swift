import JSONDocuments
import Testing

@Suite("JSON documents")
struct JSONDocumentTests {
    @Test(
        "what is written is read back as it was",
        arguments: [
            #"null"#, #"true"#, #"-9223372036854775808"#, #""""#, #"[]"#, #"{}"#,
            #"[null,false,[1,{"a":[]}],"b"]"#, #"{"b":1,"a":{"b":"x"},"":"\"\\\n\t\r\u0001é😀"}"#,
        ]
    )
    func roundTrip(text: String) throws {
        let document = try #require(JSONDocument(parsing: text))
        #expect(document.text == text)
        #expect(JSONDocument(parsing: document.indentedText)?.text == text)
    }

    @Test("escapes are read, also those that are never written")
    func escapes() throws {
        let text = #" { "a\/b" : "\u0041\b\f\ud83d\ude00" } "#
        let document = try #require(JSONDocument(parsing: text))
        #expect(document["a/b"]?.string == "A\u{8}\u{c}😀")
    }

    // D9: texts come from files that anybody may have changed.
    @Test(
        "anything else is refused",
        arguments: [
            "", "{", "[1,", "[1 2]", "{\"a\"}", "{\"a\":1,}", "tru", "1.5", "1e3", "\"", "\"\\x\"",
            "\"\\ud83d\"", "\"\\u12\"", "\"\n\"", "9223372036854775808", "1 2", "nullnull",
            String(repeating: "[", count: 100_000),
        ]
    )
    func refused(text: String) {
        #expect(JSONDocument(parsing: text)?.text == nil)
    }

    @Test("an object that is written field by field is the same text")
    func fieldByField() {
        var object = JSONObjectText()
        object.add("path", String("a \"b\""))
        object.add("byte", Int64(7))
        object.add("done", Bool(false))
        object.add("by", .array(["x", 1]))
        let document: JSONDocument = [
            "path": "a \"b\"", "byte": 7, "done": false, "by": ["x", 1],
        ]
        #expect(object.closed() == document.text)
    }
}
