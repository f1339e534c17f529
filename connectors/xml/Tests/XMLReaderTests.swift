import Glibc
import ConnectorSDK
import ConnectorTesting
import Testing
import XMLFormat

@Suite("Reading XML")
struct XMLReaderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var keys: [String: String] = [:]
        var rows: [String] = []
        var testDescription: String { name }
    }

    static let mapping: [Case] = [
        Case(
            name: "elements and attributes are fields",
            text: "<o><r id='1' n=\"x\"><a>text</a><b/></r></o>",
            rows: ["@id='1' @n='x' a='text' b=''"]
        ),
        Case(
            name: "repeated elements are an array",
            text: "<o><r><a>1</a><b>2</b><a>3</a><a/></r></o>",
            rows: ["a=[\"1\",\"3\",\"\"] b='2'"]
        ),
        Case(
            name: "an element with attributes is an object",
            text: "<o><r><a x='1'>t</a><b y='2'/></r></o>",
            rows: ["a={\"@x\":\"1\",\"#text\":\"t\"} b={\"@y\":\"2\"}"]
        ),
        Case(
            name: "nesting is objects and arrays",
            text: "<o><r><a><b>1</b><c><d>2</d></c><b>3</b></a></r></o>",
            rows: ["a={\"b\":[\"1\",\"3\"],\"c\":{\"d\":\"2\"}}"]
        ),
        Case(
            name: "repeated objects are an array",
            text: "<o><r><a><b>1</b></a><a>2</a></r></o>",
            rows: ["a=[{\"b\":\"1\"},\"2\"]"]
        ),
        Case(
            name: "mixed content is `#text`",
            text: "<o><r>one<a/> two<b>x</b>\n</r><r><p>a<i>b</i>c</p></r></o>",
            rows: ["a='' b='x' #text='one two'", "p={\"i\":\"b\",\"#text\":\"ac\"}"]
        ),
        Case(
            name: "a record of text only",
            text: "<o><r>text</r><r/><r x='1'>t</r></o>",
            rows: ["#text='text'", "", "#text='t' @x='1'"]
        ),
        Case(
            name: "white space in text is kept, between elements dropped",
            text: "<o>\n <r>\n  <a> x\n</a>\n  <b> </b>\n  <c k=''> </c> </r>\n</o>",
            rows: ["a=' x\n' b=' ' c={\"@k\":\"\",\"#text\":\" \"}"]
        ),
        Case(
            name: "comments and instructions are dropped",
            text:
                "<?xml version='1.0'?><!--x--><o><?pi?><r><a>1<!-- <a> -->2</a><?p?></r></o><!--y-->",
            rows: ["a='12'"]
        ),
        Case(
            name: "CDATA is text",
            text: "<o><r><a><![CDATA[<b> & ]]>c<![CDATA[]]]]></a></r></o>",
            rows: ["a='<b> & c]]'"]
        ),
        Case(
            name: "text in pieces, as it stands and not",
            text:
                "<o><r><a>1<![CDATA[2]]>3</a><b>4&lt;5</b><c>6<!-- -->7\r\n8</c><d>é9é</d></r></o>",
            rows: ["a='123' b='4<5' c='67\n8' d='é9é'"]
        ),
        Case(
            name: "characters by number and XML's own entities",
            text: "<o><r a='&lt;&quot;&#9;'><b>&amp;&#233;&#x1D11E;&gt;&apos;</b></r></o>",
            rows: ["@a='<\"\t' b='&é𝄞>''"]
        ),
        Case(
            name: "JSON text is escaped",
            text: "<o><r><a k='\"\\'>&#10;\"x\"</a></r></o>",
            rows: ["a={\"@k\":\"\\\"\\\\\",\"#text\":\"\\n\\\"x\\\"\"}"]
        ),
        Case(
            name: "`xsi:nil` is null",
            text:
                "<o xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><r><a xsi:nil='true'/>"
                + "<b><c xsi:nil='1'/></b><d xsi:nil='true'>x</d></r></o>",
            rows: ["a=null b={\"c\":null} d={\"@nil\":\"true\",\"#text\":\"x\"}"]
        ),
        Case(
            name: "records have different fields",
            text: "<o><r><a>1</a></r><r><b>2</b></r><r><c/><a>3</a></r></o>",
            rows: ["a='1'", "b='2'", "a='3' c=''"]
        ),
        Case(
            name: "line ends become line feeds",
            text: "<o><r><a>1\r\n2\r3</a></r></o>",
            rows: ["a='1\n2\n3'"]
        ),
        Case(
            name: "ampersands in attributes",
            text: "<o><r a='&amp;' b='1 &#38; 2 &amp;amp; &amp;#38;'><c d='&amp;&amp;'/></r></o>",
            rows: ["@a='&' @b='1 & 2 &amp; &#38;' c={\"@d\":\"&&\"}"]
        ),
        Case(
            name: "a `>` in an attribute",
            text: "<o><r a='x > y' b=\"it's\"><c d='/>'/></r></o>",
            rows: ["@a='x > y' @b='it's' c={\"@d\":\"/>\"}"]
        ),
        Case(name: "no records", text: "<o>\n</o>"),
    ]

    static let configured: [Case] = [
        Case(
            name: "a path",
            text: "<a><b><c>1</c></b><x><c>2</c></x><c>3</c></a>",
            keys: ["record.path": "/a/b/c"],
            rows: ["#text='1'"]
        ),
        Case(
            name: "any name in a path",
            text: "<a><b><c>1</c></b><x><c>2</c></x></a>",
            keys: ["record.path": "/a/*/c"],
            rows: ["#text='1'", "#text='2'"]
        ),
        Case(
            name: "at any depth",
            text: "<a><c><c>1</c></c><x><c>2</c></x></a>",
            keys: ["record.path": "//c"],
            rows: ["c='1'", "#text='2'"]
        ),
        Case(
            name: "the root itself",
            text: "<a><b>1</b></a>",
            keys: ["record.path": "/a"],
            rows: ["b='1'"]
        ),
        Case(
            name: "forced arrays by name",
            text: "<o><r><t>1</t><s><t/></s></r><r><u/></r></o>",
            keys: ["force.array": "t"],
            rows: ["t=[\"1\"] s={\"t\":[\"\"]}", "u=''"]
        ),
        Case(
            name: "forced arrays by path",
            text: "<o><r><t>1</t><s><t/></s></r></o>",
            keys: ["force.array": "s/t,/x/r/t"],
            rows: ["t='1' s={\"t\":[\"\"]}"]
        ),
        Case(
            name: "a forced array of an object",
            text: "<o><r><t><x/></t></r></o>",
            keys: ["force.array": "/o/*/t"],
            rows: ["t=[{\"x\":\"\"}]"]
        ),
        Case(
            name: "local names",
            text: "<p:o xmlns:p='u'><p:r p:a='1' xml:lang='en'><p:b/></p:r></p:o>",
            rows: ["@a='1' @lang='en' b=''"]
        ),
        Case(
            name: "prefixed names",
            text: "<p:o xmlns:p='u'><p:r p:a='1' xml:lang='en'><p:b/></p:r></p:o>",
            keys: ["namespaces": "prefix", "record.path": "/p:o/p:r"],
            rows: ["@p:a='1' @xml:lang='en' p:b=''"]
        ),
        Case(name: "undeclared prefixes", text: "<o><x:r><x:b/></x:r></o>", rows: ["b=''"]),
    ]

    @Test("maps elements to fields", arguments: mapping)
    func maps(_ item: Case) throws { try check(item) }

    @Test("maps elements to the same fields where a record can be at any depth", arguments: mapping)
    func mapsAnywhere(_ item: Case) throws {
        var item = item
        item.keys["record.path"] = "//r"
        try check(item)
    }

    @Test("follows its configuration", arguments: configured)
    func isConfigured(_ item: Case) throws { try check(item) }

    private func check(_ item: Case) throws {
        let file = try XMLFile(item.text, item.keys)
        #expect(file.error == nil, "\(file.message)")
        #expect(file.rows.map(Self.sorted) == item.rows.map(Self.sorted))
        #expect(file.raw.allSatisfy { $0.hasPrefix("<") && $0.hasSuffix(">") })
    }

    /// The order of fields of different names says nothing.
    private static func sorted(_ row: String) -> [Substring] { row.split(separator: " ").sorted() }

    @Test("declarations are no obstacle, and their defaults are not in the record")
    func readsDeclarations() throws {
        let text = """
            <?xml version="1.0"?>
            <!DOCTYPE o SYSTEM "missing.dtd" [
              <!ELEMENT o (r)*>
              <!ATTLIST r kind CDATA "plain" xmlns CDATA #FIXED "urn:x">
              <!ENTITY unused SYSTEM "file:///etc/passwd">
            ]>
            <o><r id="1"/></o>
            """
        #expect(try XMLFile(text).rows == ["@id='1'"])
    }

    @Test("keeps each record as it arrived, with its line and byte")
    func keepsPlaces() throws {
        let text = "\u{FEFF}<o>\n<r\n a='é'><b/></r>\n\n<r>&amp;</r></o>"
        let file = try XMLFile(text)
        #expect(file.raw == ["<r\n a='é'><b/></r>", "<r>&amp;</r>"])
        let format = try XMLFormat(configuration: Configuration([:]))
        let reading = try FormatReading(format, Array(text.utf8))
        #expect(reading.records.map(\.line) == [2, 5])
        #expect(reading.records.map(\.offset) == [7, 28])
    }

    @Test("decodes what the document declares, unless a character set is configured")
    func decodes() throws {
        let text = "<?xml version='1.0' encoding='%'?><o><r><a>é</a></r></o>"
        func bytes(_ encoding: String) -> [UInt8] {
            let document = text.split(separator: "%", omittingEmptySubsequences: false)
                .joined(separator: encoding)
            switch encoding {
            case "ISO-8859-1": return document.unicodeScalars.map { UInt8($0.value) }
            case "UTF-16":
                return [0xFE, 0xFF] + document.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            default: return Array(document.utf8)
            }
        }
        for encoding in ["UTF-8", "ISO-8859-1", "UTF-16"] {
            #expect(try XMLFile(bytes(encoding)).rows == ["a='é'"], "\(encoding)")
        }
        let utf8 = Array(text.split(separator: "%").joined(separator: "ISO-8859-1").utf8)
        #expect(try XMLFile(utf8, ["charset": "windows-1252"]).rows == ["a='é'"])
        #expect(XMLFormat.decodesCharset)
    }

    @Test("reads the MIME types of a Debian machine")
    func readsMimeTypes() throws {
        let path = "/usr/share/mime/packages/freedesktop.org.xml"
        guard let file = fopen(path, "r") else { return }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            bytes += buffer.prefix(count)
        }
        let keys = ["record.path": "/mime-info/mime-type"]
        let format = try XMLFormat(configuration: Configuration(keys))
        let whole = try FormatReading(format, bytes)
        #expect(whole.records.count > 500)
        #expect(try FormatReading(format, bytes, pieces: 1_000).records == whole.records)
        let written = try FormatReading.rewrite(
            XMLFormat(
                configuration: Configuration(
                    keys.merging(["xml.root": "mime-info", "xml.record": "mime-type"]) { $1 }
                )
            ),
            bytes,
            rowsAtATime: 100
        )
        let again = try FormatReading(format, written)
        #expect(
            again.records.map(\.fields) == whole.records.prefix(again.records.count).map(\.fields)
        )
    }
}
