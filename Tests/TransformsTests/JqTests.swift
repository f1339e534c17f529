import ConnectorSDK
import Testing

@testable import Expressions
@testable import Transforms

@Suite("Jq")
struct JqTests {
    static func transform(_ program: String, _ more: [String: String] = [:]) throws -> Jq {
        let values = more.merging(["program": program]) { own, _ in own }
        return try Jq(configuration: Configuration(values))
    }

    /// The JSON of each result: objects by their fields, others as their text.
    static func texts(_ batches: [RecordBatch]) -> [String] {
        batches.flatMap { batch in
            batch.indices.map { row in
                if batch.metadata(row).pointee.isTombstone { return "tombstone" }
                guard batch.schema.isOpaque else {
                    return batch.schema.names.filter { batch.value(row, $0) != .missing }
                        .map { "\($0)=\(batch.value(row, $0))" }.joined(separator: " ")
                }
                return String(decoding: batch[row, 0].slice, as: UTF8.self)
            }
        }
    }

    static func orders() -> RecordBatch {
        makeBatch([
            ["id": .int(1), "lines": .json(#"[{"sku":"a","n":2},{"sku":"b","n":1}]"#)],
            ["id": .int(2), "lines": .json("[]")],
            ["id": .int(3), "lines": .json(#"[{"sku":"c","n":5}]"#)],
        ])
    }

    @Test("objects become records with their fields, none or many of one record")
    func many() throws {
        let batch = Self.orders()
        for row in batch.indices { batch.metadata(row).pointee.timestamp = Int64(row) }
        let parts = try Self.transform("{id} + .lines[]").split(batch)
        #expect(
            parts.count == 1
                && Self.texts(parts) == [
                    "id=int(1) sku=string(\"a\") n=int(2)", "id=int(1) sku=string(\"b\") n=int(1)",
                    "id=int(3) sku=string(\"c\") n=int(5)",
                ]
        )
        #expect(parts[0].indices.map { parts[0].metadata($0).pointee.timestamp } == [0, 0, 2])
        #expect(batch.takeRejections().isEmpty)
    }

    @Test("keys and headers stay with every result")
    func keys() throws {
        let batch = Self.orders()
        batch.addKeys(Schema([Field("id")]))
        for row in batch.indices { batch.keyRow(row)?.pointee = .int(Int64(row) + 10) }
        let parts = try Self.transform(".lines[] | {sku}").split(batch)
        #expect(parts[0].indices.map { parts[0].keyRow($0)?.pointee.int64 } == [10, 10, 12])
    }

    @Test("other values are records of their JSON text, null is a tombstone")
    func others() throws {
        let results = try Self.transform(".id, [.id], null, {id}, \"a\\u00e9\\n\"").split(
            makeBatch([["id": .int(7)]])
        )
        #expect(
            Self.texts(results) == ["7", "[7]", "tombstone", "id=int(7)", #""aé\n""#]
        )
        let raw = try Self.transform("\"a\\n\", 7", ["raw.output": "true"]).split(
            makeBatch([["id": .int(7)]])
        )
        #expect(Self.texts(raw) == ["a\n", "7"])
    }

    @Test("a line of text is a string")
    func lines() throws {
        let parts = try Self.transform("split(\" \") | {first: .[0], count: length}").split(
            makeOpaqueBatch(["GET /a", "POST /b c"])
        )
        #expect(
            Self.texts(parts) == [
                "first=string(\"GET\") count=int(2)", "first=string(\"POST\") count=int(3)",
            ]
        )
    }

    @Test("$record is the record around the value")
    func record() throws {
        let batch = makeBatch([["a": .int(1)]], topic: "t")
        batch.metadata(0).pointee.partition = 3
        batch.metadata(0).pointee.timestamp = 1_700_000_000_000
        let headers = OutputBuffer(capacity: 64)
        HeaderWriter.append("h", "x", to: headers)
        batch.metadata(0).pointee.headers = batch.arena.copy(headers.bytes)
        batch.metadata(0).pointee.headerCount = 1
        batch.addKeys(Schema([Field("key")]))
        batch.keyRow(0)?.pointee = .int(9)
        let parts = try Self.transform(
            "{a, t: $record.topic, p: $record.partition, h: $record.headers.h, k: $record.key, "
                + "s: ($record.timestamp / 1000 | todate), o: $record.offset}"
        ).split(batch)
        #expect(
            Self.texts(parts) == [
                "a=int(1) t=string(\"t\") p=int(3) h=string(\"x\") k=int(9) "
                    + "s=string(\"2023-11-14T22:13:20Z\") o=null"
            ]
        )
    }

    // D6
    @Test("an error rejects its record as a whole, and no other")
    func errors() throws {
        let batch = Self.orders()
        let program = ".id, if .id == 2 then error(\"no lines\") else {id} end"
        let parts = try Self.transform(program).split(batch)
        #expect(Self.texts(parts) == ["1", "id=int(1)", "3", "id=int(3)"])
        let rejected = batch.takeRejections()
        #expect(rejected.map(\.error.message) == ["The program raised an error: no lines."])
        #expect(rejected.map(\.row) == [1])
    }

    // D6
    @Test(
        "a number that jq would change rejects its record, unless it may be rounded",
        arguments: [
            ("9007199254740993", false), ("9007199254740992", true), ("-9007199254740993", false),
            ("0.1", true), ("123456789012.345", true), ("12345678901234567.5", false),
            ("0.30000000000000004", true), ("1e400", false), ("100000000000000000000", true),
            ("\"9007199254740993\"", true), ("[{\"a\":9007199254740993}]", false),
            ("\"\\\"\", 9007199254740993", false), ("1234567890123456789012345678e-28", false),
        ]
    )
    func numbers(_ text: String, _ isExact: Bool) throws {
        let batch = makeBatch([["v": .json("[\(text)]")]])
        _ = try Self.transform("{n: 1}").split(batch)
        #expect(batch.takeRejections().isEmpty == isExact)
        let rounded = makeBatch([["v": .json("[\(text)]")]])
        let parts = try Self.transform("{n: 1}", ["numbers": "double"]).split(rounded)
        #expect(rounded.takeRejections().isEmpty && Self.texts(parts) == ["n=int(1)"])
    }

    @Test("tombstones pass, without being seen by the program")
    func tombstones() throws {
        let batch = makeBatch([["id": .int(1)], [:]])
        batch.metadata(1).pointee.isTombstone = true
        #expect(
            Self.texts(try Self.transform("{b: .id}").split(batch)) == ["b=int(1)", "tombstone"]
        )
    }

    @Test("the limits of a program reject the record that it runs for")
    func limits() throws {
        let batch = makeBatch([["id": .int(1)], ["id": .int(2)]])
        let program = "if .id == 1 then def f: f; f else {id} end"
        let parts = try Self.transform(program, ["timeout.ms": "50ms"]).split(batch)
        #expect(Self.texts(parts) == ["id=int(2)"])
        #expect(batch.takeRejections().map(\.error.code.rawValue) == ["jq.limit"])
    }

    // D6, D7
    @Test("records with which libjq cannot go on are rejected, and in the end stop the task")
    func refused() throws {
        let transform = try Self.transform("{id: [1][(.id | tonumber):]}")
        let batch = makeBatch([["id": .string("0")], ["id": .string("nan")]])
        #expect(Self.texts(try transform.split(batch)) == ["id=json(\"[1]\")"])
        #expect(batch.takeRejections().map(\.error.code.rawValue) == ["jq.refused"])
        let filter = try Filter(
            configuration: Configuration(["condition": "[1][(.id | tonumber):] == []"])
        )
        for transform in [transform as any Transform, filter] {
            let many = { makeBatch((0..<1_000).map { _ in ["id": .string("nan")] }) }
            _ = try? transform.split(many())
            #expect(failure { _ = try transform.split(many()) } == "jq.exhausted ")
        }
    }

    @Test("a text that is no program is refused, with the line")
    func syntax() {
        #expect(failure { _ = try Self.transform(".a |") } == "configuration.invalid program")
        #expect(JqKeys.problem(with: ".\n|foo")?.contains("foo/0 is not defined in line 2") == true)
    }

    @Test(
        "conditions beyond comparisons are programs",
        arguments: [
            (".tags | index(\"eu\")", [0]), (".customer.country == \"SE\"", [1]),
            (".id % 2 == 1", [0]), ("[.id] | inside([2, 3])", [1]), ("empty", []),
            (".tags[]? == \"us\"", [0]), ("$record.topic == \"orders\"", [0, 1]),
            ("false, 1", [0, 1]), (".id >= 2", [1]),
            ("(.id + 1) == 2 or (.id|tostring) == \"=\"", [0]), ("(.id|.) <= 1", [0]),
        ]
    )
    func conditions(_ condition: String, _ kept: [Int]) throws {
        let batch = makeBatch([
            ["id": .int(1), "tags": .json(#"["us","eu"]"#), "customer": .json("{}")],
            ["id": .int(2), "tags": .json("[]"), "customer": .json(#"{"country":"SE"}"#)],
        ])
        try Filter(configuration: Configuration(["condition": condition])).apply(batch)
        #expect(batch.column("id") == kept.map { .int(Int64($0) + 1) })
        #expect(batch.takeRejections().isEmpty)
    }

    @Test(
        "a condition that is neither is refused by who knows more of it",
        arguments: [
            (".amount >", "before the end at character 10"), (".a | foo", "foo/0 is not defined"),
            (".a = 1", "has an assignment"), (".a[0] |= 1", "has an assignment"),
        ]
    )
    func conditionErrors(_ condition: String, _ message: String) {
        #expect(RecordCondition.problem(with: condition)?.contains(message) == true)
    }
}
