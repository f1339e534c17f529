import ConnectorSDK
import Testing

@testable import RecordFields

@Suite("Field paths")
struct FieldPathTests {
    @Test(
        "dots lead into objects, backquotes enclose what has dots",
        arguments: [
            ("a", ["a"]), ("a.b.c", ["a", "b", "c"]), ("`a.b`.c", ["a.b", "c"]),
            ("a.`b.c`", ["a", "b.c"]), ("`a`", ["a"]), ("a.", ["a", ""]), (".a", ["", "a"]),
            ("a`b.c", ["a`b", "c"]), ("`a`b.c`.d", ["a`b.c", "d"]),
            (#"`a\`.b`.c"#, ["a`.b", "c"]), (#"`a\\`.b`"#, [#"a\`.b"#]),
            ("größe.é", ["größe", "é"]),
            ("``a`.b", ["`a", "b"]), ("``.b", ["", "b"]), ("a..b", ["a", "", "b"]),
        ] as [(String, [String])]
    )
    func parsesNested(text: String, steps: [String]) throws {
        #expect(try FieldPath(text, syntax: .nested).steps == steps)
    }

    @Test("a plain name is a name, dots, backquotes and all", arguments: ["a.b", "`a", "", "a"])
    func parsesPlain(text: String) throws {
        #expect(try FieldPath(text, syntax: .plain).steps == [text])
    }

    @Test(
        "a backquote without another, or nothing at all, is refused",
        arguments: ["`a", "a.`b", #"`a\`"#, "`", "", "`a`b"]
    )
    func refuses(text: String) {
        #expect(throws: ConfigValueError.self) { try FieldPath(text, syntax: .nested) }
    }

    @Test("a path says itself as it would be written")
    func describes() throws {
        #expect("\(try FieldPath("`a.b`.c", syntax: .nested))" == "`a.b`.c")
        #expect("\(FieldPath(name: "a.b"))" == "a.b")
    }
}

@Suite("Places of fields")
struct FieldPlaceTests {
    static let text =
        #"{"city":"Oslo","geo":{"lat":59.91,"tags":["a"]},"z\u0069p":"0\u0031","n":null}"#

    static func place(_ path: String, in batch: RecordBatch) throws -> FieldPlace {
        try #require(FieldPlace(try FieldPath(path, syntax: .nested), in: batch.schema))
    }

    static func batch() -> RecordBatch {
        makeBatch([["id": .int(7), "home": .json(text)]])
    }

    @Test(
        "a value is read where it is",
        arguments: [
            ("id", .int(7)), ("home.city", .string("Oslo")), ("home.geo.lat", .decimal("59.91")),
            ("home.geo.tags", .json(#"["a"]"#)), ("home.zip", .string("01")), ("home.n", .null),
            ("home.nope", .missing), ("home.n.x", .missing), ("home", .json(text)),
            ("home.city.x", nil), ("id.x", nil), ("home.geo.tags.x", nil),
        ] as [(String, Value?)]
    )
    func reads(path: String, expected: Value?) throws {
        let batch = Self.batch()
        let cell = try Self.place(path, in: batch).read(batch.row(0), in: batch)
        #expect(cell.map { Value($0) } == expected)
    }

    @Test("a field that the schema does not have is nowhere")
    func findsNothing() throws {
        #expect(FieldPlace(FieldPath(name: "nope"), in: Self.batch().schema) == nil)
        #expect(FieldPlace(FieldPath(name: "home.city"), in: Self.batch().schema) == nil)
    }

    @Test("of fields with one name the last counts")
    func takesLast() throws {
        let batch = makeBatch([["a": .json(#"{"x":1,"x":2}"#)]])
        let cell = try Self.place("a.x", in: batch).read(batch.row(0), in: batch)
        #expect(cell.map { Value($0) } == .int(2))
    }

    @Test("a name with a backslash is not the text of an escaped one")
    func comparesNames() throws {
        let batch = makeBatch([["a": .json(#"{"x\\y":1,"x\\\\y":2}"#)]])
        for (path, value) in [(#"a.x\y"#, Value.int(1)), (#"a.x\\y"#, .int(2))] {
            let cell = try Self.place(path, in: batch).read(batch.row(0), in: batch)
            #expect(cell.map { Value($0) } == value)
        }
    }

    @Test("declared types of nested fields come back")
    func restoresTypes() throws {
        let inner = [Field("day", .date), Field("deep", .object([Field("b", .bytes)]))]
        let schema = Schema([Field("a", .object(inner))])
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: schema)
        batch.appendRow()
        batch[0, 0] = batch.makeCell(.json(#"{"day":"1970-01-03","deep":{"b":"AQI="}}"#))
        let day = try Self.place("a.day", in: batch)
        #expect(day.read(batch.row(0), in: batch).map { Value($0) } == .date(2))
        #expect(day.field == Field("day", .date))
        let bytes = try Self.place("a.deep.b", in: batch)
        #expect(bytes.read(batch.row(0), in: batch).map { Value($0) } == .bytes([1, 2]))
    }

    @Test(
        "a value is replaced where it is, and everything else stays",
        arguments: [
            ("a.x", #"{"x":"n\"w","y":{"z":2}}"#), ("a.y.z", #"{"x":1,"y":{"z":"n\"w"}}"#),
            ("a.y", #"{"x":1,"y":"n\"w"}"#), ("a.new", #"{"x":1,"y":{"z":2},"new":"n\"w"}"#),
            ("a.y.q.r", #"{"x":1,"y":{"z":2,"q":{"r":"n\"w"}}}"#),
        ]
    )
    func replaces(path: String, expected: String) throws {
        let batch = makeBatch([["a": .json(#"{"x": 1, "y":{"z":2}}"#), "b": .int(1)]])
        let place = try Self.place(path, in: batch)
        #expect(place.replace(batch.row(0), in: batch, with: batch.makeCell(.string("n\"w"))))
        #expect(batch.fields(0) == ["a": .json(expected), "b": .int(1)])
    }

    @Test("objects that are not there are made for a value, and nothing else gives way to it")
    func replacesNothing() throws {
        for start in [Value.null, .missing] {
            let batch = makeBatch([["a": start]])
            let place = try Self.place("a.b.c", in: batch)
            #expect(place.replace(batch.row(0), in: batch, with: .int(1)))
            #expect(batch.value(0, "a") == .json(#"{"b":{"c":1}}"#))
        }
        for start in [Value.int(5), .json("[1]"), .json(#"{"b":"text"}"#)] {
            let batch = makeBatch([["a": start]])
            let place = try Self.place("a.b.c", in: batch)
            #expect(!place.replace(batch.row(0), in: batch, with: .int(1)))
            #expect(batch.value(0, "a") == start)
        }
        let batch = makeBatch([["a": .json(#"{"b":null}"#)]])
        #expect(try Self.place("a.b.c", in: batch).replace(batch.row(0), in: batch, with: .int(1)))
        #expect(batch.value(0, "a") == .json(#"{"b":{"c":1}}"#))
    }

    @Test("what JSON cannot say is not put into an object")
    func refusesValues() throws {
        let batch = makeBatch([["a": .json(#"{"b":1}"#)]])
        let place = try Self.place("a.b", in: batch)
        #expect(!place.replace(batch.row(0), in: batch, with: .double(.nan)))
        #expect(batch.value(0, "a") == .json(#"{"b":1}"#))
    }

    @Test(
        "a value is taken out, and what is not there is no matter",
        arguments: [
            ("a.x", #"{"y":{"z":2}}"#), ("a.y.z", #"{"x":1,"y":{}}"#), ("a.y", #"{"x":1}"#),
            ("a.q", #"{"x":1,"y":{"z":2}}"#), ("a.x.y", #"{"x":1,"y":{"z":2}}"#),
        ]
    )
    func removes(path: String, expected: String) throws {
        let batch = makeBatch([["a": .json(#"{"x":1,"y":{"z":2}}"#)]])
        try Self.place(path, in: batch).remove(batch.row(0), in: batch)
        #expect(batch.value(0, "a") == .json(expected))
    }

    @Test("several values of one object are changed at once, and renamed")
    func rewrites() throws {
        let paths = ["a.x", "a.y.z", "a.y.w", "a.q"]
        let tree = EditTree(try paths.map { (try FieldPath($0, syntax: .nested), $0) })
        let batch = makeBatch([["a": .json(#"{"x":1,"k":[1, 2],"y":{"w":true,"z":2}}"#)]])
        var seen: [String: Value] = [:]
        let rewriter = NestedRewriter()
        let node = try #require(tree.node("a"))
        let isDone = rewriter.rewrite(&batch.row(0)[0], node, in: batch) { cell, path in
            seen[path] = Value(cell)
            return switch path {
            case "a.x": .rename("ex")
            case "a.y.z": .replace(.null)
            case "a.y.w": .remove
            default: .keep
            }
        }
        #expect(isDone)
        #expect(batch.value(0, "a") == .json(#"{"ex":1,"k":[1, 2],"y":{"z":null}}"#))
        let expected: [String: Value] = [
            "a.x": .int(1), "a.y.z": .int(2), "a.y.w": .bool(true), "a.q": .missing,
        ]
        #expect(seen == expected)
    }
}
