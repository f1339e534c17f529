import ConnectorSDK
import Testing

@testable import Transforms
@testable import ValueConversion

@Suite("Cast")
struct CastTests {
    static func cast(_ values: [String: String]) throws -> Cast {
        try Cast(configuration: Configuration(values))
    }

    /// Casts one value; `nil` when the record is rejected.
    static func cast(_ value: Value, to type: String) throws -> Value? {
        let batch = makeBatch([["before": .int(1), "x": value]])
        try cast(["spec": "x:\(type)"]).apply(batch)
        guard batch.count == 1 else {
            #expect(batch.rejections.map(\.error.configurationKey) == ["spec.x"])
            return nil
        }
        #expect(batch.value(0, "before") == .int(1))
        return batch.value(0, "x")
    }

    @Test(
        "values become the type if they are such values",
        arguments: [
            (.int(127), "int8", .int(127)), (.int(128), "int8", nil),
            (.int(-128), "int8", .int(-128)),
            (.int(32_768), "int16", nil), (.int(-32_768), "int16", .int(-32_768)),
            (.string("2147483647"), "int32", .int(2_147_483_647)),
            (.string("2147483648"), "int32", nil),
            (.string("9223372036854775807"), "int64", .int(.max)),
            (.string("-9223372036854775808"), "int64", .int(.min)),
            (.string("9223372036854775808"), "int64", nil),
            (.string(" 7 "), "int64", .int(7)), (.string("+7"), "int64", .int(7)),
            (.string("007"), "int64", .int(7)), (.string("12.0"), "int64", .int(12)),
            (.string("12.5"), "int64", nil), (.string(""), "int64", nil),
            (.string("1e3"), "int64", .int(1_000)), (.string("x"), "int64", nil),
            (.string("1 2"), "int64", nil), (.double(3), "int64", .int(3)),
            (.double(3.5), "int64", nil), (.double(1e19), "int64", nil),
            (.double(.nan), "int64", nil), (.bool(true), "int32", .int(1)),
            (.decimal("1e400"), "int64", nil), (.json("[1]"), "int64", nil),
            (.date(5), "int32", .int(5)), (.timestamp(7_000), "int64", .int(7)),
            (.timestamp(7_001), "int64", nil), (.bytes([49]), "int64", nil),
        ] as [(Value, String, Value?)]
    )
    func integers(value: Value, type: String, expected: Value?) throws {
        #expect(try Self.cast(value, to: type) == expected)
    }

    @Test(
        "decimals are exact",
        arguments: [
            (.string("12.50"), .decimal("12.50")), (.string("-0.001"), .decimal("-0.001")),
            (.string("12"), .decimal("12")), (.int(5), .decimal("5")),
            (.double(0.1), .decimal("0.1")), (.double(1e300), .decimal("1e+300")),
            (.double(.infinity), nil), (.double(-2.5), .decimal("-2.5")),
            (.string("123456789012345678"), .decimal("123456789012345678")),
            (.string("1234567890123456789.25"), .decimal("1234567890123456789.25")),
            (.string("0.123456789012345678"), .decimal("0.123456789012345678")),
            (.string("0.1234567890123456789"), .decimal("0.1234567890123456789")),
            (.string("1e5"), .decimal("1e5")), (.string("-0"), .decimal("-0")),
            (.string("1."), nil), (.string(".5"), nil), (.string("1,5"), nil),
            (.string("NaN"), nil), (.string("0x10"), nil), (.bool(true), .decimal("1")),
            (.string("+0012.5"), .decimal("12.5")),
            (.string("+00123456789012345678901"), .decimal("123456789012345678901")),
            (.decimal("7.7"), .decimal("7.7")), (.date(1), nil),
        ] as [(Value, Value?)]
    )
    func decimals(value: Value, expected: Value?) throws {
        let found = try Self.cast(value, to: "decimal")
        // Digits count, not how a double of many digits is spelt.
        if case .decimal(let text) = found, text.contains("e+") {
            #expect(text.replacing("E", with: "e") == "1e+300")
        } else if case .decimal("1e300") = found {
            #expect(value == .double(1e300))
        } else {
            #expect(found == expected)
        }
    }

    @Test(
        "other types",
        arguments: [
            (.string("0.1"), "float64", .double(0.1)), (.string("1e400"), "float64", nil),
            (.int(3), "float64", .double(3)), (.decimal("2.5"), "float64", .double(2.5)),
            (.string("0.1"), "float32", .double(0.1)), (.double(1e39), "float32", nil),
            (.double(16_777_217), "float32", .double(16_777_216)),
            (.string("TRUE"), "boolean", .bool(true)), (.string("false"), "boolean", .bool(false)),
            (.string("yes"), "boolean", nil), (.int(0), "boolean", .bool(false)),
            (.int(-2), "boolean", .bool(true)), (.decimal("0e5"), "boolean", .bool(false)),
            (.int(-5), "string", .string("-5")), (.decimal("1.50"), "string", .string("1.50")),
            (.bool(true), "string", .string("true")),
            (.json("{\"a\":1}"), "string", .string("{\"a\":1}")),
            (.date(0), "string", .string("1970-01-01")),
            (.timestamp(1), "string", .string("1970-01-01T00:00:00.000001Z")),
            (.bytes([1, 2, 3]), "string", .string("AQID")),
            (.string("a\"b"), "string", .string("a\"b")),
            (.string("2024-02-29"), "date", .date(19_782)), (.string("2023-02-29"), "date", nil),
            (.string("1969-12-31"), "date", .date(-1)), (.string("2024-2-9"), "date", nil),
            (.string("0000-03-01"), "date", .date(-719_468)),
            (.string("9999-12-31"), "date", .date(2_932_896)),
            (.timestamp(-1), "date", .date(-1)), (.int(3), "date", .date(3)),
            (.string("01:02:03.5"), "time", .time(3_723_500_000)),
            (.string("24:00:01"), "time", nil),
            (.int(1), "time", .time(1_000)), (.int(86_400_000), "time", nil),
            (.string("1970-01-01T00:00:01Z"), "timestamp", .timestamp(1_000_000)),
            (.string("1970-01-01 00:00:01"), "timestamp", .timestamp(1_000_000)),
            (.string("1970-01-01T02:00:00.000001+02:00"), "timestamp", .timestamp(1)),
            (.string("1970-01-01T00:00-0130"), "timestamp", .timestamp(5_400_000_000)),
            (.string("1970-01-01T00:00:00.1234567Z"), "timestamp", nil),
            (.string("1970-01-01T00:00:00.1234560Z"), "timestamp", .timestamp(123_456)),
            (.string("1970-01-02"), "timestamp", .timestamp(86_400_000_000)),
            (.string("yesterday"), "timestamp", nil), (.int(5), "timestamp", .timestamp(5_000)),
            (.int(.max), "timestamp", nil), (.date(1), "timestamp", .timestamp(86_400_000_000)),
            (.localTimestamp(9), "timestamp", .timestamp(9)),
            (.string("ab"), "bytes", .bytes([97, 98])), (.int(1), "bytes", nil),
        ] as [(Value, String, Value?)]
    )
    func others(value: Value, type: String, expected: Value?) throws {
        #expect(try Self.cast(value, to: type) == expected)
    }

    @Test("null and absence stay", arguments: CastType.allCases.map(\.rawValue))
    func keepsNull(type: String) throws {
        #expect(try Self.cast(.null, to: type) == .null)
        #expect(try Self.cast(.missing, to: type) == .missing)
    }

    @Test("the schema declares the types, and is the same object for the same input")
    func declaresTypes() throws {
        let cast = try Self.cast(["spec.a": "decimal", "spec.b": "int32", "spec.c": "date"])
        let first = makeBatch([["a": .int(1), "b": .int(2), "z": .int(3)]])
        let schema = first.schema
        try cast.apply(first)
        #expect(
            first.schema.fields.map(\.type) == [.decimal(precision: nil, scale: nil), .int32, .any]
        )
        let second = RecordBatch()
        second.reset(topic: "t", schema: schema)
        second.appendRow()
        try cast.apply(second)
        #expect(second.schema === first.schema)
    }

    // D6: a record is never changed to fit.
    @Test("a value that does not fit rejects its record alone, without naming the value")
    func rejects() throws {
        let batch = makeBatch([
            ["a": .string("1"), "b": .string("2")], ["a": .string("secret"), "b": .string("x")],
            ["a": .string("3"), "b": .string("y")], ["a": .string("4"), "b": .string("5")],
        ])
        try Self.cast(["spec": "a:int32,b:int64"]).apply(batch)
        #expect(batch.column("a") == [.int(1), .int(4)])
        #expect(batch.rejections.map(\.row) == [1, 2])
        #expect(
            batch.rejections.map(\.error.code.rawValue) == ["transform.cast", "transform.cast"]
        )
        #expect(batch.rejections.map(\.error.disposition) == [.rejectRecord, .rejectRecord])
        #expect(batch.rejections.allSatisfy { !"\($0.error)".contains("secret") })
        #expect(batch.rejections[1].error.message.contains("field b"))
    }

    @Test("JSON is still copied when no value looks different")
    func keepsRaw() throws {
        let same = makeBatch([["a": .int(1), "b": .string("x")]])
        same.rawIsJSON = true
        try Self.cast(["spec": "a:decimal,b:string"]).apply(same)
        #expect(same.rawIsJSON)
        let changed = makeBatch([["a": .int(1)]])
        changed.rawIsJSON = true
        try Self.cast(["spec": "a:string"]).apply(changed)
        #expect(!changed.rawIsJSON)
    }

    @Test("a whole value is cast")
    func wholeValue() throws {
        let batch = makeOpaqueBatch(["12", "x", "-3"])
        try Self.cast(["spec": "int32"]).apply(batch)
        #expect(batch.indices.map { Value(batch[$0, 0]) } == [.int(12), .int(-3)])
        #expect(batch.rejections.map(\.value) == [Array("x".utf8)])
        let text = makeOpaqueBatch(["größe"])
        try Self.cast(["spec": "string"]).apply(text)
        #expect(Value(text[0, 0]) == .string("größe"))
    }

    @Test(
        "a wrong configuration is refused, with its key",
        arguments: [
            (["spec": "a:integer"], "spec.a"), (["spec.a.b": "txt"], "spec.a.b"), ([:], "spec"),
            (["spec": "int32", "spec.a": "int32"], "spec"), (["spec": "number"], "spec"),
        ] as [([String: String], String)]
    )
    func validates(values: [String: String], key: String) {
        #expect(failure { _ = try Self.cast(values) } == "configuration.invalid \(key)")
    }

    @Test("a type for whole values does not do for records with fields")
    func refusesFields() throws {
        let cast = try Self.cast(["spec": "int32"])
        #expect(
            failure { try cast.apply(makeBatch([["a": .int(1)]])) } == "configuration.invalid spec"
        )
    }
}
