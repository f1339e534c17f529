import ConnectorSDK
import Foundation
import SQLiteClient
import TestServices
import Testing

@testable import RowTransforms

@Suite("Lookup")
struct LookupTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func write(_ text: String, to name: String = "t.csv") throws -> String {
        let path = directory.file(name)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func makeLookup(_ path: String, _ values: [String: String] = [:]) throws -> Lookup {
        let all = ["field": "c", "path": path, "key.column": "code"].merging(values) { $1 }
        return try Lookup(configuration: Configuration(all))
    }

    private func look(_ transform: Lookup, _ codes: [Value]) throws -> [[String: Value]] {
        let batch = makeBatch(codes.map { ["c": $0] })
        try transform.apply(batch)
        return batch.indices.map { batch.fields($0) }
    }

    @Test("a CSV file's row becomes fields")
    func csv() throws {
        let path = try write("code,name,note\nNO,Norway,\"a,\n\"\"b\"\"\"\nSE,Sweden,\n47,x,y\n")
        let transform = try makeLookup(path)
        #expect(
            try look(transform, [.string("NO"), .string("SE"), .int(47), .string("DK"), .null]) == [
                ["c": .string("NO"), "name": .string("Norway"), "note": .string("a,\n\"b\"")],
                ["c": .string("SE"), "name": .string("Sweden"), "note": .null],
                ["c": .int(47), "name": .string("x"), "note": .string("y")],
                ["c": .string("DK"), "name": .null, "note": .null],
                ["c": .null, "name": .null, "note": .null],
            ]
        )
        let some = try makeLookup(path, ["values": "name", "prefix": "country_"])
        #expect(
            try look(some, [.string("SE")]) == [
                ["c": .string("SE"), "country_name": .string("Sweden")]
            ]
        )
    }

    @Test("a SQLite table's row becomes fields with their types")
    func sqlite() throws {
        let path = directory.file("t.db")
        let database = try SQLiteHandle(path: path, mode: .create)
        try database.execute(
            """
            CREATE TABLE "a ""b" (code INTEGER, name TEXT, n REAL);
            INSERT INTO "a ""b" VALUES (1, 'one', 1.5), (2, NULL, 2), (NULL, 'none', 0);
            """
        )
        let transform = try makeLookup(path, ["table": "a \"b"])
        #expect(
            try look(transform, [.int(1), .string("2"), .int(3)]) == [
                ["c": .int(1), "name": .string("one"), "n": .double(1.5)],
                ["c": .string("2"), "name": .null, "n": .double(2)],
                ["c": .int(3), "name": .null, "n": .null],
            ]
        )
        #expect(
            failure { _ = try look(makeLookup(path), [.int(1)]) } == "configuration.invalid table"
        )
        #expect(
            failure { _ = try look(makeLookup(path, ["table": "nope"]), [.int(1)]) }
                == "transform.lookup_unreadable table"
        )
    }

    @Test("what is not in the table is refused or dropped, if asked to")
    func missing() throws {
        let path = try write("code,name\nNO,Norway\n")
        let codes: [Value] = [.string("x"), .string("NO"), .missing, .string("NO")]
        let known: [String: Value] = ["c": .string("NO"), "name": .string("Norway")]
        #expect(try look(makeLookup(path, ["on.missing": "drop"]), codes) == [known, known])
        let batch = makeBatch(codes.map { ["c": $0] })
        try makeLookup(path, ["on.missing": "reject"]).apply(batch)
        #expect(batch.count == 2)
        #expect(batch.rejections.map(\.row) == [0, 2])
    }

    @Test("a table that changes is read again, and one that is broken stops the task")
    func refresh() async throws {
        let path = try write("code,name\nNO,Norway\n")
        let transform = try makeLookup(path, ["refresh.interval": "100ms"])
        #expect(try look(transform, [.string("NO")]).first?["name"] == .string("Norway"))
        _ = try write("code,name\nNO,Norge\n")
        var name: Value?
        for _ in 0..<200 where name != .string("Norge") {
            try await Task.sleep(for: .milliseconds(50))
            name = try look(transform, [.string("NO")]).first?["name"]
        }
        #expect(name == .string("Norge"))
        // While it is gone the table of before is used.
        try FileManager.default.removeItem(atPath: path)
        try await Task.sleep(for: .milliseconds(150))
        #expect(try look(transform, [.string("NO")]).first?["name"] == .string("Norge"))
    }

    @Test(
        "a table that cannot be used is named, with the place",
        arguments: [
            ("code,name\nNO\n", [:], "transform.lookup path"), ("", [:], "transform.lookup path"),
            ("code,name\n\"NO,x\n", [:], "transform.lookup path"),
            ("code,code\n", [:], "transform.lookup path"),
            ("cod,name\nNO,x\n", [:], "configuration.invalid key.column"),
            ("code,name\nNO,x\n", ["values": "nam"], "configuration.invalid values"),
            ("code,name\nNO,x\n", ["table": "t"], "configuration.invalid table"),
            (
                "code,name\n" + String(repeating: "NO,x\n", count: 500), ["max.memory": "1KiB"],
                "transform.lookup max.memory"
            ),
        ] as [(String, [String: String], String)]
    )
    func broken(text: String, values: [String: String], expected: String) throws {
        let path = try write(text)
        #expect(failure { _ = try look(makeLookup(path, values), [.string("NO")]) } == expected)
        let nowhere = directory.file("nowhere.csv")
        #expect(failure { _ = try look(makeLookup(nowhere), [.int(1)]) } == "file_system path")
    }
}
