import ConnectorSDK
import Testing

@Suite("Transforms record by record")
struct RecordTransformTests {
    private static func orders(_ amounts: [Value]) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "orders", schema: Schema(["id", "amount", "status"]))
        for (index, amount) in amounts.enumerated() {
            batch.append(["id": .int(Int64(index)), "amount": amount, "status": .string("new")])
        }
        return batch
    }

    private static func ids(_ batch: RecordBatch) -> [Value] {
        batch.indices.map { batch.value($0, "id") }
    }

    @Test("a closure keeps what it says, and all that belongs to it")
    func filters() throws {
        let batch = Self.orders([.int(5), .decimal("7.5"), .double(1), .null, .string("9")])
        for row in batch.indices { batch.metadata(row).pointee.line = Int64(row) }
        try batch.filterRecords { record in record["amount"] > 2 }
        #expect(Self.ids(batch) == [.int(0), .int(1)])
        #expect(batch.indices.map { batch[metadata: $0].line } == [0, 1])
        try batch.filterRecords { record in record["amount"] == 7.5 }
        #expect(Self.ids(batch) == [.int(1)])
        #expect(batch[metadata: 0].line == 1)
    }

    @Test(
        "values compare by what they are",
        arguments: [
            (.int(3), true), (.decimal("3.0"), true), (.double(3), true), (.decimal("3.01"), false),
            (.decimal("3.0000000000000000000000000"), true), (.string("3"), false), (.null, false),
            (.missing, false), (.bool(true), false),
        ] as [(Value, Bool)]
    )
    func comparesNumbers(value: Value, isThree: Bool) throws {
        let batch = Self.orders([value])
        try batch.filterRecords { record in
            let field = record["amount"]
            #expect((field == 3) == isThree)
            #expect((field != 3) == !isThree)
            #expect((field >= 3 && field <= 3) == isThree)
            #expect(!(isThree && (field < 3 || field > 3)))
            #expect(field.value == batch.value(0, "amount"))
            #expect(record[named: "amount"].value == field.value)
            return true
        }
    }

    @Test("texts, truth values, absence and metadata are at hand")
    func fields() throws {
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema(["x", "text", "flag", "none"]))
        batch.append(["x": .int(7), "text": .string("grün"), "flag": .bool(false), "none": .null])
        try batch.filterRecords { record in
            #expect(record["x"].int == 7 && record["x"].double == 7 && record["x"].string == nil)
            #expect(record["text"] == "grün" && record["text"] != "grü" && record["text"] != "")
            #expect(record["text"].string == "grün" && Array(record["text"].slice).count == 5)
            #expect(record["flag"] == false && record["flag"] != true && record["flag"].bool != nil)
            #expect(record["none"].isNil && !record["none"].isMissing)
            #expect(record["nowhere"].isNil && record["nowhere"].isMissing)
            #expect(record["nowhere"] != "x" && record[named: "nowhere"].isMissing)
            #expect(record.topic == "t" && record.timestamp == nil && record.row == 0)
            return true
        }
    }

    @Test("a new field is there for the records that set it, and for no other")
    func sets() throws {
        let batch = Self.orders([.int(1), .int(2), .int(3)])
        batch.rawIsJSON = true
        try batch.filterRecords { record in
            if record["amount"] > 1 { record.set("double", .int((record["amount"].int ?? 0) * 2)) }
            record.set("status", .string("seen"))
            // Columns moved; what is asked for is still found.
            #expect(record["status"] == "seen" && record["id"].int == Int64(record.row))
            return record["amount"] != 2
        }
        #expect(batch.schema.names == ["id", "amount", "status", "double"])
        #expect(batch.indices.map { batch.value($0, "double") } == [.missing, .int(6)])
        #expect(
            batch.indices.map { batch.value($0, "status") } == [.string("seen"), .string("seen")]
        )
        #expect(!batch.rawIsJSON)
    }

    @Test("an error about a record rejects it, another one ends the whole")
    func errors() throws {
        let batch = Self.orders([.int(1), .int(2), .int(3)])
        let bad = ConnectorError(.init("test.bad"), .rejectRecord, "No.")
        try batch.filterRecords { (record) throws(ConnectorError) in
            if record["amount"] == 2 { throw bad }
            return true
        }
        #expect(Self.ids(batch) == [.int(0), .int(2)])
        #expect(batch.rejections.map(\.row) == [1])
        #expect(batch.rejections.map(\.error.code.rawValue) == ["test.bad"])
        let fatal = ConnectorError(.init("test.fatal"), .failTask, "No more.")
        #expect(throws: ConnectorError.self) {
            try batch.filterRecords { (_) throws(ConnectorError) in throw fatal }
        }
    }

    @Test("tombstones stay, so that deletes are not lost")
    func tombstones() throws {
        // D6
        let batch = Self.orders([.int(1), .int(2)])
        batch.metadata(1).pointee.isTombstone = true
        try batch.filterRecords { _ in false }
        #expect(batch.count == 1 && batch[metadata: 0].isTombstone)
    }

    @Test("more names than were expected are all found")
    func manyNames() throws {
        let batch = RecordBatch()
        let names = ["a", "ab", "abc", "b", "bc", "c", "d", "e", "f", "g", "h", "i"]
        batch.reset(topic: "t", schema: Schema(names))
        for _ in 0..<2 { batch.append(KeyValuePairs()) }
        for row in batch.indices {
            for column in names.indices { batch[row, column] = .int(Int64(column)) }
        }
        try batch.filterRecords { record in
            let found = [
                record["a"], record["ab"], record["abc"], record["b"], record["bc"], record["c"],
                record["d"], record["e"], record["f"], record["g"], record["h"], record["i"],
            ]
            #expect(found.map(\.int) == names.indices.map { Int64($0) })
            return true
        }
        #expect(batch.count == 2)
    }
}
