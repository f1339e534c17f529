import CSVFormat
import ConnectorSDK
import Testing

@Suite("Types of CSV cells")
struct CSVTypesTests {
    // D6: a cell is never changed to fit.
    @Test(
        "infers a type only where no digit is lost",
        arguments: [
            ("0", "int:0"), ("42", "int:42"), ("-7", "int:-7"),
            ("9223372036854775807", "int:9223372036854775807"),
            ("-9223372036854775808", "int:-9223372036854775808"),
            ("9223372036854775808", "'9223372036854775808'"), ("007", "'007'"), ("+1", "'+1'"),
            ("-0", "'-0'"), ("1.50", "dec:1.50"), ("-0.5", "dec:-0.5"), ("0.0", "dec:0.0"),
            ("-0.0", "dec:-0.0"), ("00.5", "'00.5'"), (".5", "'.5'"), ("5.", "'5.'"),
            ("1.2.3", "'1.2.3'"), ("1e5", "'1e5'"), ("0x10", "'0x10'"), ("1_000", "'1_000'"),
            ("123456789012345678", "int:123456789012345678"),
            ("1.23456789012345678", "dec:1.23456789012345678"),
            ("1234567890.123456789012345", "dec:1234567890.123456789012345"),
            ("true", "true"), ("false", "false"), ("True", "'True'"), ("truex", "'truex'"),
            ("tru", "'tru'"), ("null", "'null'"), ("NaN", "'NaN'"), ("-", "'-'"), (" 1", "' 1'"),
            ("2026-11-21", "'2026-11-21'"), ("\"42\"", "'42'"), ("\"true\"", "'true'"),
        ]
    )
    func infers(_ cell: String, _ value: String) throws {
        let file = try CSVFile("a,b\n\(cell),x\n")
        #expect(file.rows == ["a=\(value) b='x'"])
    }

    @Test(
        "reads declared types",
        arguments: [
            ("string", "42", "'42'"), ("int", "007", "int:7"), ("int", "+5", "int:5"),
            ("int", "\"42\"", "int:42"), ("int", "\"\"", "null"), ("int", "", "null"),
            ("decimal", "5", "dec:5"), ("decimal", ".5", "dec:0.5"),
            ("decimal", "-07.10", "dec:-7.10"),
            ("decimal", "+12345678901234567890.5", "dec:12345678901234567890.5"),
            ("double", "1.5e3", "double:1500.0"), ("double", "-.5", "double:-0.5"),
            ("boolean", "YES", "true"), ("boolean", "0", "false"), ("date", "1970-01-02", "date:1"),
            ("date", "1969-12-31", "date:-1"), ("date", "2000-02-29", "date:11016"),
            ("time", "01:02:03.5", "time:3723500000"), ("time", "23:59", "time:86340000000"),
            ("timestamp", "1970-01-01T00:00:01Z", "ts:1000000"),
            ("timestamp", "1970-01-01 02:00:00.000001+02:00", "ts:1"),
            ("timestamp", "1969-12-31T23:59:59-0030", "ts:1799000000"),
            ("local_timestamp", "1970-01-02 00:00:00.1", "local:86400100000"),
            ("json", "\"{\"\"a\"\":[1,null]}\"", "json:{\"a\":[1,null]}"), ("infer", "1", "int:1"),
        ]
    )
    func readsDeclared(_ type: String, _ cell: String, _ value: String) throws {
        let file = try CSVFile("a,b\n\(cell),x\n", ["types.a": type])
        #expect(file.rows == ["a=\(value) b='x'"])
    }

    @Test(
        "rejects cells that do not fit their type",
        arguments: [
            ("int", "1.0"), ("int", "9223372036854775808"), ("int", "x"), ("int", "-"),
            ("int", "1 "), ("decimal", "1e5"), ("decimal", "."), ("decimal", "1,5"),
            ("double", "nan"), ("double", "0x1p3"), ("double", "1e999"), ("double", "1e"),
            ("boolean", "2"), ("date", "2026-02-29"), ("date", "2026-1-1"), ("date", "2026-13-01"),
            ("time", "24:00:01"), ("time", "1:02"), ("timestamp", "2026-11-21T10:00:00"),
            ("timestamp", "2026-11-21"), ("timestamp", "2026-11-21T10:00:00.1234567Z"),
            ("local_timestamp", "2026-11-21T10:00:00Z"), ("json", "1"), ("json", "{a:1}"),
            ("json", "[1,]"), ("json", "[1"), ("json", "[01]"),
        ]
    )
    func rejects(_ type: String, _ cell: String) throws {
        let quoted =
            "\""
            + cell.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
        let file = try CSVFile("a,b\n\(quoted),x\n", ["types.a": type])
        #expect(file.rows.isEmpty)
        #expect(file.rejections == ["csv.type 2 4"])
    }

    @Test("`types: string` reads text, and one column may differ")
    func readsText() throws {
        let file = try CSVFile("a,b,c\n1,true,\n", ["types": "string", "types.b": "boolean"])
        #expect(file.rows == ["a='1' b=true c=null"])
    }

    @Test("declares the types in the schema")
    func declares() throws {
        let keys = [
            "header": "false", "columns": "a,b,c", "types.a": "int", "types.b": "timestamp",
        ]
        let reader = try CSVFormat(configuration: Configuration(keys)).makeReader(at: nil)
        let batch = RecordBatch()
        batch.reset(topic: "t")
        var rest = Array("1,2026-11-21T10:00:00Z,x\n".utf8)
        let input = ByteInput { room throws(ConnectorError) in
            room.copyBytes(from: rest)
            defer { rest = [] }
            return rest.count
        }
        #expect(try reader.read(input, into: batch))
        #expect(batch.schema.fields.map(\.type) == [.int64, .timestamp, .any])
    }
}
