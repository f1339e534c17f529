import ConnectorSDK
import TableMapping
import Testing

@Suite("Table sinks: the tables of records")
struct TableRouterTests {
    private static func parts(
        _ format: String,
        _ batch: RecordBatch,
        _ grouping: TableRouter.Grouping = .byTable
    ) throws -> [String] {
        var router = TableRouter(try settings(["table.name.format": format]), grouping: grouping)
        return try router.parts(of: batch).map { part in
            let rows = part.batch.indices.map { part.batch[$0, 1].int64 }
            return "\(part.table): \(rows.map(String.init).joined(separator: " "))"
        }
    }

    private static func batch(_ names: [String]) -> RecordBatch {
        makeBatch(
            names.enumerated().map { index, name in
                Row(Int64(index), ["a": .string(name), "b": .int(Int64(index))])
            }
        )
    }

    @Test("records that go to one table stay one batch, which is not copied")
    func oneTable() throws {
        for format in ["in.${topic}-${partition}$", "${field:a}", "${table}"] {
            let batch = Self.batch(["x", "x", "x"])
            var router = TableRouter(try settings(["table.name.format": format]))
            let parts = try router.parts(of: batch)
            #expect(parts.count == 1)
            #expect(parts[0].batch === batch)
        }
        #expect(
            try Self.parts("in.${topic}-${partition}$", Self.batch(["x"])) == ["in.orders-0$: 0"]
        )
        #expect(try Self.parts("t", Self.batch([])) == [])
    }

    @Test("records are gathered by table, or stay in their order")
    func grouping() throws {
        let batch = Self.batch(["x", "y", "y", "x", "z", "x"])
        #expect(
            try Self.parts("t_${field:a}", batch) == ["t_x: 0 3 5", "t_y: 1 2", "t_z: 4"]
        )
        #expect(
            try Self.parts("t_${field:a}", batch, .inOrder)
                == ["t_x: 0", "t_y: 1 2", "t_x: 3", "t_z: 4", "t_x: 5"]
        )
    }

    @Test("a copied record keeps its key, place and headers")
    func copies() throws {
        let batch = Self.batch(["x", "y"])
        batch.metadata(1).pointee.isTombstone = true
        var router = TableRouter(try settings(["table.name.format": "${field:a}"]))
        let part = try router.parts(of: batch)[1].batch
        #expect(part.keyRow(0)?[0].int64 == 1)
        #expect(part[metadata: 0].offset == 1)
        #expect(part[metadata: 0].isTombstone)
    }

    @Test(
        "a record whose table has no name that the database can have is rejected (D9)",
        arguments: ["", String(repeating: "t", count: 64), "nul\0"]
    )
    func rejected(_ name: String) {
        let error = #expect(throws: ConnectorError.self) {
            try Self.parts("${field:a}", Self.batch(["x", name]))
        }
        #expect(error?.code.rawValue == "table.table_name")
        #expect(error?.disposition == .rejectRecord)
    }

    @Test("bytes that are not UTF-8 are no name (D9)")
    func notUTF8() {
        let batch = makeBatch([Row(1, ["a": .bytes([0xff])])])
        let error = #expect(throws: ConnectorError.self) { try Self.parts("${field:a}", batch) }
        #expect(error?.disposition == .rejectRecord)
    }
}
