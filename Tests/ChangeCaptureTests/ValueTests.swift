import ConnectorSDK
import ConnectorTesting
import Testing

@testable import ChangeCapture

@Suite("Values of captured columns")
struct ValueTests {
    private static let time: [CapturedColumn] = [
        CapturedColumn("id", .int64), CapturedColumn("d", .date), CapturedColumn("t", .time),
        CapturedColumn("t3", .time, secondsPrecision: 3), CapturedColumn("l", .localTimestamp),
        CapturedColumn("l0", .localTimestamp, secondsPrecision: 0),
        CapturedColumn("z", .timestamp),
    ]
    private static let timeValues: [Value] = [
        .int(1), .date(19_000), .time(1_234_567), .time(1_234_000), .localTimestamp(-1),
        .localTimestamp(5_000_000), .timestamp(1_700_000_000_000_000),
    ]

    private func after(
        _ configuration: [String: String],
        _ columns: [CapturedColumn],
        _ values: [Value]
    ) async throws -> (json: String?, fields: [Field]) {
        let bench = try CaptureBench(configuration)
        let table = try bench.orders(columns)
        bench.begin()
        bench.append(.create, table, after: values)
        let field = table.schema.fields[1]
        guard case .object(let fields) = field.type else { return (nil, []) }
        return (try await bench.send().first?.json("after"), fields)
    }

    @Test(
        "times are written as the mode says",
        arguments: [
            (
                "isostring",
                #""d":"2022-01-08","t":"00:00:01.234567","t3":"00:00:01.234000","#
                    + #""l":"1969-12-31T23:59:59.999999","l0":"1970-01-01T00:00:05","#
            ),
            ("adaptive", #""d":19000,"t":1234567,"t3":1234,"l":-1,"l0":5000,"#),
            (
                "adaptive_time_microseconds",
                #""d":19000,"t":1234567,"t3":1234000,"l":-1,"l0":5000,"#
            ),
            ("connect", #""d":19000,"t":1234,"t3":1234,"l":-1,"l0":5000,"#),
            ("microseconds", #""d":19000,"t":1234567,"t3":1234000,"l":-1,"l0":5000000,"#),
            (
                "nanoseconds",
                #""d":19000,"t":1234567000,"t3":1234000000,"l":-1000,"l0":5000000000,"#
            ),
        ]
    )
    func times(mode: String, expected: String) async throws {
        let row = try await after(["time.precision.mode": mode], Self.time, Self.timeValues)
        #expect(row.json == #"{"id":1,"# + expected + #""z":"2023-11-14T22:13:20Z"}"#)
        let types = row.fields.map(\.type)
        #expect(types.last == .timestamp)
        #expect(
            types[1...5].allSatisfy { type in
                (type == .int64 || type == .int32) == (mode != "isostring")
            }
        )
    }

    @Test(
        "exact numbers are exact, rounded or text",
        arguments: [
            (
                "precise", #""price":12345678901234567890.12"#,
                FieldType.decimal(precision: 22, scale: 2)
            ),
            ("double", #""price":1.2345678901234567e+19"#, .double),
            ("string", #""price":"12345678901234567890.12""#, .string),
        ]
    )
    func decimals(mode: String, expected: String, type: FieldType) async throws {
        let column = CapturedColumn(
            "price",
            .decimal(precision: 22, scale: 2),
            nativeType: "postgres.numeric"
        )
        let row = try await after(
            ["decimal.handling.mode": mode],
            [column],
            [.decimal("12345678901234567890.12")]
        )
        #expect(row.json == "{\(expected)}")
        #expect(row.fields[0].type == type)
        #expect(row.fields[0].nativeType == (mode == "precise" ? "postgres.numeric" : nil))
    }

    @Test(
        "bytes are typed, or text in one of three forms",
        arguments: [
            ("bytes", "+/8=", FieldType.bytes), ("base64", "+/8=", .string),
            ("base64-url-safe", "-_8=", .string), ("hex", "fbff", .string),
        ]
    )
    func binary(mode: String, expected: String, type: FieldType) async throws {
        let row = try await after(
            ["binary.handling.mode": mode],
            [CapturedColumn("b", .bytes)],
            [.bytes([0xFB, 0xFF])]
        )
        #expect(row.json == #"{"b":"\#(expected)"}"#)
        #expect(row.fields[0].type == type)
    }

    @Test("what JSON has no number for is its name, and the type stays")
    func notANumber() async throws {
        let columns = ["a", "b", "c", "d"].map { CapturedColumn($0, .double) }
        let values: [Value] = [
            .double(.nan), .double(.infinity), .double(-.infinity), .double(0.5),
        ]
        let row = try await after([:], columns, values)
        #expect(row.json == #"{"a":"NaN","b":"Infinity","c":"-Infinity","d":0.5}"#)
        #expect(row.fields.allSatisfy { $0.type == .double })
    }

    @Test("columns can be left out, also of the key's table, but the key stays whole")
    func filters() async throws {
        let bench = try CaptureBench(["column.exclude.list": "public.orders.(id|price)"])
        let table = try bench.orders()
        bench.begin()
        bench.append(.create, table, after: [.int(3), .string("n"), .decimal("1")])
        let record = try #require(try await bench.send().first)
        #expect(record.json("after") == #"{"name":"n"}"#)
        #expect(record.key == [.init("id", .int(3))])
    }

    @Test("an include list keeps what it names, whatever the case")
    func includes() async throws {
        let row = try await after(
            ["column.include.list": "PUBLIC.orders.a.*"],
            [CapturedColumn("a1", .int64), CapturedColumn("b", .int64)],
            [.int(1), .int(2)]
        )
        #expect(row.json == #"{"a1":1}"#)
    }

    @Test("masked values cannot be read, null and absent ones stay")
    func masks() async throws {
        let row = try await after(
            [
                "column.mask.with.5.chars": "public.orders.a",
                "column.mask.hash.v2.SHA-256.with.salt.pepper": ".*.b",
                "column.mask.hash.SHA-512.columns": ".*.c", "column.mask.hash.salt": "pepper",
                "column.truncate.to.2.chars": ".*[.]d, .*[.]e",
            ],
            ["a", "b", "c", "d", "e", "f"].map { CapturedColumn($0, .string) },
            [
                .int(7), .string("secret"), .null, .string("größe"), .missing, .string("plain"),
            ]
        )
        // printf peppersecret | sha256sum
        let hash = "744a9101f7182a6ae0d978121ff74e33cac8d2832579c0637c1c37e9bbb6c065"
        #expect(row.json == #"{"a":"*****","b":"\#(hash)","c":null,"d":"gr","f":"plain"}"#)
        #expect(row.fields.allSatisfy { $0.type == .string })
    }

    @Test("values that the database did not give are absent, or a text that is asked for")
    func unavailable() async throws {
        for (setting, expected) in [(nil, #"{"id":1}"#), ("?", #"{"id":1,"name":"?"}"#)] {
            let bench = try CaptureBench(
                setting.map { ["unavailable.value.placeholder": $0] } ?? [:]
            )
            let table = try bench.orders([
                CapturedColumn("id", .int64), CapturedColumn("name", .string),
            ])
            bench.begin()
            bench.append(.update, table, before: [.int(1), .missing], after: [.int(1), .missing])
            let record = try #require(try await bench.send().first)
            #expect(record.json("after") == expected)
            #expect(record.json("before") == #"{"id":1}"#)
        }
    }

    @Test("a chosen key takes the place of the primary key, and must exist")
    func chosenKey() async throws {
        let rules = "public.lines:id;.*orders: name , id"
        let bench = try CaptureBench(["message.key.columns": rules])
        let table = try bench.orders(key: [])
        bench.begin()
        bench.append(.create, table, after: [.int(3), .string("n"), .null])
        let record = try #require(try await bench.send().first)
        #expect(record.key == [.init("name", .string("n")), .init("id", .int(3))])
        #expect(throws: ConnectorError.self) {
            let bench = try CaptureBench(["message.key.columns": "public.orders:nope"])
            _ = try bench.orders()
        }
    }

    @Test("where types are not enforced, the schema follows the values")
    func looseTypes() async throws {
        let bench = try CaptureBench(source: .file)
        let table = try bench.orders(
            [CapturedColumn("v", .int64)],
            namespace: nil,
            key: [],
            enforcesTypes: false
        )
        func types(_ batch: RecordBatch) -> [FieldType] {
            batch.schema.fields.prefix(2).compactMap { field in
                guard case .object(let fields) = field.type else { return nil }
                return fields.first?.type
            }
        }
        bench.begin()
        let values: [Value] = [
            .int(1), .int(2), .string("x"), .bytes([1]), .bytes([2]), .double(.infinity), .int(3),
        ]
        for value in values { bench.append(.create, table, after: [value]) }
        bench.append(.update, table, before: [.bytes([1])], after: [.string("AQ==")])
        let batches = bench.stream.pending
        #expect(batches.map(\.count) == [2, 1, 2, 1, 1, 1])
        #expect(
            batches.map(types) == [
                [.int64, .int64], [.int64, .any], [.int64, .bytes], [.int64, .double],
                [.int64, .any], [.bytes, .any],
            ]
        )
    }

    @Test(
        "settings that cannot work are refused, and a salt is never repeated",
        arguments: [
            ["table.include.list": "a", "table.exclude.list": "b"],
            ["column.include.list": "a", "column.exclude.list": "b"],
            ["column.mask.with.x.chars": "a"], ["column.truncate.to.-1.chars": "a"],
            ["column.mask.with.3.chars": ""], ["column.mask.hash.MD5.with.salt.geheim": "a"],
            ["column.mask.hash.SHA-256.columns": "a"], ["column.truncate.to.3.chars": "("],
            ["topic.prefix": ""], ["topic.prefix": "a b"], ["message.key.columns": "a"],
            ["table.include.list": "("], ["skipped.operations": "x"],
        ]
    )
    func refused(values: [String: String]) throws {
        let error = #expect(throws: ConnectorError.self) { try CaptureBench(values) }
        #expect(error?.kind == .configuration)
        #expect(error?.configurationKey != nil)
        #expect(error?.debugDescription.contains("geheim") == false)
    }
}
