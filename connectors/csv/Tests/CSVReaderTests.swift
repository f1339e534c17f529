import CSVFormat
import ConnectorSDK
import ConnectorTesting
import Testing

@Suite("Reading CSV")
struct CSVReaderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var keys: [String: String] = [:]
        var rows: [String] = []
        var rejections: [String] = []
        var testDescription: String { name }
    }

    static let syntax: [Case] = [
        Case(
            name: "rows end with LF",
            text: "a,b\n1,x\n2,y\n",
            rows: ["a=int:1 b='x'", "a=int:2 b='y'"]
        ),
        Case(name: "rows end with CRLF", text: "a,b\r\n1,x\r\n", rows: ["a=int:1 b='x'"]),
        Case(
            name: "rows end with CR",
            text: "a,b\r1,x\r2,y",
            rows: ["a=int:1 b='x'", "a=int:2 b='y'"]
        ),
        Case(name: "the last row needs no end", text: "a,b\n1,", rows: ["a=int:1 b=null"]),
        Case(name: "a byte order mark is no text", text: "\u{FEFF}a\n1\n", rows: ["a=int:1"]),
        Case(
            name: "quoted line ends",
            text: "a,b\n\"x\r\ny\nz\",2\n",
            rows: ["a='x\r\ny\nz' b=int:2"]
        ),
        Case(
            name: "doubled quotes",
            text: "a,b\n\"\"\"x\"\"\",\"\"\"\"\n",
            rows: ["a='\"x\"' b='\"'"]
        ),
        Case(name: "quoted delimiters", text: "a,b\n\"1,2\",3\n", rows: ["a='1,2' b=int:3"]),
        Case(
            name: "a quote inside text is text",
            text: "a,b\n5\" pipe,x\"y\"\n",
            rows: ["a='5\" pipe' b='x\"y\"'"]
        ),
        Case(
            name: "empty is null, quoted empty is text",
            text: "a,b\n,\"\"\n",
            rows: ["a=null b=''"]
        ),
        Case(
            name: "blank lines are no records",
            text: "\n\na,b\n\n1,2\n\n\n3,4\n\n",
            rows: ["a=int:1 b=int:2", "a=int:3 b=int:4"]
        ),
        Case(
            name: "a blank line is null in one column",
            text: "a\n\n1\n",
            rows: ["a=null", "a=int:1"]
        ),
        Case(
            name: "names may be quoted",
            text: "\"a,b\",\"c\"\"d\"\n1,2\n",
            rows: ["a,b=int:1 c\"d=int:2"]
        ),
        Case(name: "characters beyond ASCII", text: "é,日本\nö,\"𝄞\"\n", rows: ["é='ö' 日本='𝄞'"]),
        Case(name: "only a header", text: "a,b\n"),
        Case(name: "only a byte order mark", text: "\u{FEFF}"),
    ]

    static let dialects: [Case] = [
        Case(
            name: "tabs",
            text: "a\tb\n1\tx,y\n",
            keys: ["delimiter": "\\t"],
            rows: ["a=int:1 b='x,y'"]
        ),
        Case(
            name: "another quote",
            text: "a;b\n'x;y';\"z\"\n",
            keys: ["delimiter": ";", "quote": "'"],
            rows: ["a='x;y' b='\"z\"'"]
        ),
        Case(
            name: "no quotes",
            text: "a,b\n\"x,y\"\n",
            keys: ["quote": "none"],
            rows: ["a='\"x' b='y\"'"]
        ),
        Case(
            name: "escapes",
            text: "a,b\n\"x\\\"y\\\\\",p\\,q\n",
            keys: ["escape": "\\"],
            rows: ["a='x\"y\\' b='p,q'"]
        ),
        Case(
            name: "escaped line ends",
            text: "a,b\nx\\\ny\\\r\nz,1\n2,3\n",
            keys: ["escape": "\\"],
            rows: ["a='x\ny\r\nz' b=int:1", "a=int:2 b=int:3"]
        ),
        Case(
            name: "an escape before anything else is text",
            text: "a\nC:\\tmp\n",
            keys: ["escape": "\\"],
            rows: ["a='C:\\tmp'"]
        ),
        Case(
            name: "null words",
            text: "a,b\n\\N,NULL\n\"NULL\",x\n",
            keys: ["null.values": "NULL,\\N", "escape": "\\"],
            rows: ["a=null b=null", "a='NULL' b='x'"]
        ),
        Case(
            name: "trimmed cells",
            text: " a , b\n 1 ,\t\"x \" \n",
            keys: ["trim": "true"],
            rows: ["a=int:1 b='x '"]
        ),
        Case(
            name: "comments",
            text: "# one\na,b\n#x,y\n1,#2\n# end",
            keys: ["comment": "#"],
            rows: ["a=int:1 b='#2'"]
        ),
        Case(
            name: "skipped lines",
            text: "Report\r\n\"of\n a,b\n1,2\n",
            keys: ["skip.lines": "2"],
            rows: [" a=int:1 b=int:2"]
        ),
        Case(
            name: "no header",
            text: "1,x\n2,y\n",
            keys: ["header": "false"],
            rows: ["c1=int:1 c2='x'", "c1=int:2 c2='y'"]
        ),
        Case(
            name: "given names",
            text: "1,x\n",
            keys: ["header": "false", "columns": "id,name"],
            rows: ["id=int:1 name='x'"]
        ),
        Case(
            name: "given names replace the header",
            text: ",a\n1,x\n",
            keys: ["columns": "id,name"],
            rows: ["id=int:1 name='x'"]
        ),
    ]

    static let broken: [Case] = [
        Case(
            name: "too many and too few cells",
            text: "a,b\n1,2,3\nx\n4,5\n",
            rows: ["a=int:4 b=int:5"],
            rejections: ["csv.cell_count 2 4", "csv.cell_count 3 10"]
        ),
        Case(
            name: "text behind a quote",
            text: "a,b\n\"x\"y,1\n2,\"a\"\"b\" \n3,4\n",
            rows: ["a=int:3 b=int:4"],
            rejections: ["csv.quotes 2 4", "csv.quotes 3 11"]
        ),
        Case(
            name: "a quote that is never closed",
            text: "a,b\n1,2\n3,\"x\ny\n4,5",
            rows: ["a=int:1 b=int:2"],
            rejections: ["csv.quotes 3 8"]
        ),
        Case(
            name: "lines are counted through quotes",
            text: "a,b\n\"x\r\n\ny\",1\n1\n",
            rows: ["a='x\r\n\ny' b=int:1"],
            rejections: ["csv.cell_count 5 14"]
        ),
        Case(
            name: "a declared type that does not fit",
            text: "a,b\n1,x\ny,z\n",
            keys: ["types.a": "int"],
            rows: ["a=int:1 b='x'"],
            rejections: ["csv.type 3 8"]
        ),
    ]

    @Test("follows RFC 4180", arguments: syntax)
    func readsSyntax(_ item: Case) throws { try check(item) }

    @Test("follows the dialect that is configured", arguments: dialects)
    func readsDialects(_ item: Case) throws { try check(item) }

    // D6: nothing is dropped in silence, and one bad record does not cost the others.
    @Test("rejects bad records with their place and goes on", arguments: broken)
    func rejects(_ item: Case) throws { try check(item) }

    private func check(_ item: Case) throws {
        let file = try CSVFile(item.text, item.keys)
        #expect(file.rows == item.rows)
        #expect(file.rejections == item.rejections)
        #expect(file.error == nil)
    }

    @Test("rejects records that are not UTF-8")
    func rejectsInvalidText() throws {
        let bad: [[UInt8]] = [
            [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xE2, 0x82],
            [0x80],
        ]
        for bytes in bad {
            let file = try CSVFile(Array("a,b\nx,é\n".utf8) + bytes + Array(",1\ny,2\n".utf8))
            #expect(file.rows == ["a='x' b='é'", "a='y' b=int:2"])
            #expect(file.rejections == ["csv.encoding 3 9"])
        }
    }

    @Test("names the counts, the column and the line, and shows no value")
    func describesRejections() throws {
        #expect(
            try CSVFile("a,b\nsecret\n").message
                == "The record at line 2, byte 4 does not have 2 cells but 1."
        )
        let type = try CSVFile("a,b\nsecret,1\n", ["types.a": "decimal"]).message
        #expect(
            type == "In the record at line 2, byte 4 the field `a` is not a decimal such as -12.50."
        )
        let quote = try CSVFile("a,b\n1,\"x\n\n").message
        #expect(
            quote == "The input ends inside the quotes opened at line 2, in the record at byte 4."
        )
    }

    @Test(
        "refuses headers that cannot name columns",
        arguments: [
            ("a,b,a\n1,2,3\n", "Columns 1 and 3 of the header row at line 1 are both called `a`."),
            ("\n\na,,c\n", "Column 2 of the header row at line 3 has no name."),
        ]
    )
    func refusesHeaders(_ text: String, _ message: String) throws {
        let file = try CSVFile(text)
        #expect(file.error == "csv.header")
        #expect(file.message == message)
    }

    @Test("refuses settings that contradict each other or the file")
    func refusesSettings() throws {
        func error(_ keys: [String: String]) -> ConnectorError? {
            do throws(ConnectorError) {
                _ = try CSVFormat(configuration: Configuration(keys))
                return nil
            } catch {
                return error
            }
        }
        #expect(error(["delimiter": "ab"])?.configurationKey == "delimiter")
        #expect(error(["delimiter": "\n"])?.configurationKey == "delimiter")
        #expect(error(["quote": ","])?.configurationKey == "quote")
        #expect(error(["comment": "\""])?.configurationKey == "comment")
        #expect(error(["types.a": "integer"])?.configurationKey == "types.a")
        #expect(error(["columns": "a,a"])?.configurationKey == "columns")
        #expect(try CSVFile("a,b\n1,2\n", ["types.c": "int"]).error == "configuration.invalid")
        #expect(try CSVFile("a,b\n1,2\n", ["columns": "x"]).error == "configuration.invalid")
    }
}
