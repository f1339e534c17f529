import ConnectorSDK
import Testing

@Suite("Record batch")
struct RecordBatchTests {
    static func people(_ count: Int) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "people", schema: Schema(["id", "name"]))
        for number in 0..<count {
            let row = batch.appendRow()
            batch[row, 0] = .int(Int64(number))
            batch.set(row, "name", .string("person \(number)"))
        }
        return batch
    }

    @Test(
        "keeps every value through growth of rows and columns",
        arguments: [0, 1, 255, 256, 5_000]
    )
    func growth(_ count: Int) {
        let batch = Self.people(count)
        for row in batch.indices { batch.set(row, "even", .bool(row % 2 == 0)) }
        batch.widen(to: Schema(["id", "name", "even", "x", "y", "z"]))
        #expect(batch.count == count)
        for row in batch.indices {
            #expect(batch.value(row, "id") == .int(Int64(row)))
            #expect(batch.value(row, "name") == .string("person \(row)"))
            #expect(batch.value(row, "even") == .bool(row % 2 == 0))
            #expect(batch.value(row, "z") == .missing)
        }
    }

    @Test(
        "a value survives the way into a cell and back",
        arguments: [
            Value.missing, .null, .bool(true), .int(.min), .int(.max), .double(-0.5),
            .decimal("12345678901234567890.10"), .string("Grüße 👋"), .string(""), .bytes([0, 255]),
            .json("{\"a\":[1]}"), .date(-719_162), .time(86_399_999_999), .timestamp(1),
            .localTimestamp(-1),
        ]
    )
    func roundTrip(_ value: Value) {
        let batch = RecordBatch()
        batch.append(["field": value])
        #expect(batch.value(0, "field") == value)
    }

    @Test(
        "writes an inline decimal as text",
        arguments: [
            (Int64(1250), UInt8(2), "12.50"), (-5, 3, "-0.005"), (7, 0, "7"), (0, 2, "0.00"),
            (.min, 18, "-9.223372036854775808"),
        ]
    )
    func decimals(_ mantissa: Int64, _ scale: UInt8, _ text: String) {
        #expect(Value(.decimal(mantissa, scale: scale)) == .decimal(text))
    }

    @Test("filtering keeps order, metadata and keys together")
    func filtering() {
        let batch = Self.people(10)
        batch.addKeys(Schema(["id"]))
        for row in batch.indices {
            batch.keyRow(row)?.pointee = .int(Int64(row))
            batch[metadata: row].offset = Int64(row)
        }
        batch.filter { $0 % 3 == 0 }
        #expect(
            batch.indices.map { batch.value($0, "id") } == [.int(0), .int(3), .int(6), .int(9)]
        )
        #expect(batch.indices.map { batch[metadata: $0].offset } == [0, 3, 6, 9])
        #expect(batch.indices.map { batch.keyRow($0)?.pointee.int64 } == [0, 3, 6, 9])
    }

    // D6: a rejected record is noted with what is needed to find it again.
    @Test("rejecting takes exactly the named rows and notes where they were")
    func rejecting() {
        let batch = Self.people(5)
        for row in batch.indices { batch[metadata: row].line = Int64(row + 1) }
        let error = ConnectorError(.init("test.bad"), .rejectRecord, "Bad.")
        batch.reject([(row: 1, error: error), (row: 4, error: error)])
        batch.reject(row: 0, error)
        #expect(batch.indices.map { batch.value($0, "id") } == [.int(2), .int(3)])
        #expect(batch.takeRejections().map(\.line) == [2, 5, 1])
        #expect(batch.takeRejections().isEmpty)
    }

    @Test("a projection reorders, drops and adds columns")
    func projection() {
        let batch = Self.people(3)
        batch.project(to: Schema(["name", "extra", "id"]), from: [1, -1, 0])
        #expect(batch.value(2, "name") == .string("person 2"))
        #expect(batch.value(2, "extra") == .missing)
        #expect(batch.value(2, "id") == .int(2))
    }

    @Test("copied rows are those of the range")
    func copying() {
        let batch = Self.people(8)
        let part = RecordBatch()
        part.copyRows(3..<6, of: batch)
        #expect(
            part.indices.map { part.value($0, "name") }
                == [.string("person 3"), .string("person 4"), .string("person 5")]
        )
    }

    @Test("changing a cell makes the raw text untrue")
    func rawIsJSON() {
        let batch = Self.people(1)
        batch.rawIsJSON = true
        batch[0, 0] = .int(7)
        #expect(!batch.rawIsJSON)
    }

    @Test("an emptied batch is used again without its old rows")
    func reuse() {
        let batch = Self.people(1_000)
        batch.reset(topic: "other")
        #expect(batch.count == 0)
        let chunk = Chunk(copying: Array("abc".utf8))
        batch.retain(chunk)
        batch.appendOpaque(UnsafeRawBufferPointer(chunk.bytes))
        #expect(batch.value(0, "") == .bytes(Array("abc".utf8)))
        #expect(batch.schema.isOpaque)
    }
}
