import ConnectorSDK
import ConnectorTesting
import Testing
import XMLFormat

@Suite("An XML record by itself")
struct XMLRecordAloneTests {
    @Test(
        "is read as it was, below whatever path and with prefixes declared further out",
        arguments: [
            ("<o><r a='1'>x</r><r><b>&lt;</b></r></o>", [:]),
            (
                "<?xml version='1.0' encoding='UTF-8'?><a><b><c><i>1</i></c><d/></b></a>",
                ["record.path": "/a/b/c"]
            ),
            ("<o xmlns:p='u:p'><p:r p:a='1'><p:b/></p:r></o>", ["namespaces": "prefix"]),
            ("<o xmlns:p='u:p' xmlns='u:d'><p:r p:a='1'><b>2</b></p:r></o>", [:]),
            ("<o><r><t>1</t></r></o>", ["force.array": "r/t"]),
            ("<o><r><t>1</t></r></o>", ["force.array": "/o/r/t"]),
            ("<o><r><t>1</t></r></o>", ["force.array": "/x/r/t"]),
            ("<a><o><r><t>1</t></r></o></a>", ["force.array": "o/r/t", "record.path": "//r"]),
            ("<a><o><r><t>1</t></r></o></a>", ["force.array": "x/r/t", "record.path": "//r"]),
            ("<r><t>1</t></r>", ["force.array": "/r/t", "record.path": "/r"]),
        ]
    )
    func alone(_ text: String, _ values: [String: String]) throws {
        let format = try XMLFormat(configuration: Configuration(values))
        let whole = try FormatReading(format, Array(text.utf8))
        #expect(!whole.records.isEmpty)
        for (record, text) in zip(whole.records, whole.texts) {
            let alone = try FormatReading(format, record: text, context: whole.recordContext)
            #expect(alone.records.map(\.fields) == [record.fields])
        }
    }

    @Test("is marked when its rejection holds only its beginning")  // D6
    func cut() throws {
        let format = try XMLFormat(configuration: Configuration(["max.record.bytes": "1024"]))
        let long = String(repeating: "x", count: 2_000)
        let reading = try FormatReading(format, Array("<o><r>\(long)</r><r/></o>".utf8))
        #expect(reading.rejections.map(\.isCut) == [true])
        #expect(reading.records.count == 1)
    }
}
