import ConnectorSDK
import Testing

@testable import Aggregation

@Suite("Aggregate")
struct AggregateTests {
    private static let basic = [
        "window.size": "10", "group.by": "g",
        "aggregates": "n:count,s:sum(v),lo:min(v),hi:max(v),a:avg(v),"
            + "f:first(v),l:last(v),d:distinct(v)",
    ]

    private func make(_ values: [String: String]) throws -> Aggregate {
        let all = Self.basic.merging(values) { $1 }
        return try Aggregate(configuration: Configuration(all))
    }

    private typealias Row = (time: Int64, group: String, value: Value)

    private func batch(_ rows: [Row]) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema(["g", "v"]))
        for row in rows {
            let index = batch.appendRow()
            batch[index, 0] = batch.makeCell(.string(row.group))
            batch[index, 1] = batch.makeCell(row.value)
            batch.metadata(index).pointee.timestamp = row.time
        }
        return batch
    }

    /// `start group results…`, sorted.
    private func texts(_ batches: [RecordBatch]) -> [String] {
        batches.flatMap { batch in
            batch.indices.map { row in
                let cells = (0..<batch.schema.count).map { batch[row, $0] }
                let words = cells.dropFirst(2).map { Self.text($0) }
                return ([String(cells[0].int64 / 1_000)] + words).joined(separator: " ")
            }
        }.sorted()
    }

    private static func text(_ cell: Cell) -> String {
        switch Value(cell) {
        case .int(let value): String(value)
        case .decimal(let text), .string(let text): text
        case .double(let value): String(value)
        case .null: "null"
        case let other: "\(other)"
        }
    }

    private func run(_ aggregate: Aggregate, _ rows: [Row]) throws -> [String] {
        aggregate.begin(TransformInput(partition: nil))
        let result = texts(try aggregate.split(batch(rows)))
        aggregate.takeChanges(StateChanges())
        return result
    }

    @Test("computes each function, sums exactly, and leaves nulls out")
    func functions() throws {
        let aggregate = try make([:])
        let found = try run(
            aggregate,
            [
                (1, "a", .decimal("0.1")), (2, "a", .decimal("0.20")), (3, "a", .null),
                (4, "b", .int(9_223_372_036_854_775_807)), (5, "b", .int(1)),
                (11, "a", .int(5)),
            ]
        )
        // Names in their order: a, d, f, hi, l, lo, n, s.
        #expect(
            found == [
                "0 a 0.15 2 0.1 0.20 0.20 0.1 3 0.30",
                "0 b 4.611686018427388e+18 2 9223372036854775807 9223372036854775807 1 1 2 "
                    + "9223372036854775808",
                "10 a 5.0 1 5 5 5 5 1 5",
            ]
        )
    }

    @Test("hopping windows count a record in each that holds its time")
    func hopping() throws {
        let values = ["window.advance": "4", "aggregates": "n:count"]
        let found = try run(try make(values), [(-1, "a", .int(1)), (9, "a", .int(1))])
        #expect(found == ["-4 a 1", "-8 a 1", "0 a 1", "4 a 1", "8 a 1"])
    }

    @Test("final results come once, when event time and grace have passed the window")
    func final() throws {
        let aggregate = try make(["emit": "final", "grace": "5", "aggregates": "n:count"])
        #expect(try run(aggregate, [(1, "a", .int(1)), (14, "a", .int(1))]) == [])
        #expect(try run(aggregate, [(9, "a", .int(1)), (15, "b", .int(1))]) == ["0 a 2"])
        let late = batch([(9, "a", .int(1)), (15, "b", .int(1))])
        aggregate.begin(TransformInput(partition: nil))
        #expect(try aggregate.split(late).isEmpty)
        #expect(late.takeRejections().map(\.error.code.rawValue) == ["aggregate.late"])
        aggregate.takeChanges(StateChanges())
        // An end that is none: what is open is told, and told again when more has come.
        #expect(texts(try aggregate.due(.end)) == ["10 a 1", "10 b 2"])
        aggregate.takeChanges(StateChanges())
        #expect(try aggregate.due(.end).isEmpty)
        #expect(try run(aggregate, [(16, "b", .int(1))]) == [])
        #expect(texts(try aggregate.due(.end)) == ["10 b 3"])
    }

    @Test("late records that are dropped are counted, not forgotten")
    func dropped() throws {
        let aggregate = try make(["late.records": "drop", "aggregates": "n:count"])
        _ = try run(aggregate, [(25, "a", .int(1)), (1, "a", .int(1)), (2, "a", .int(1))])
        #expect(aggregate.takePassedOver()?.count == 2)
        #expect(aggregate.takePassedOver() == nil)
    }

    @Test("D3: what was stored goes on as if nothing had happened, after any batch")
    func restores() throws {
        let rows: [Row] = (0..<400).map { number in
            let place = number * 7_919 % 400
            let value: Value = place % 5 == 0 ? .decimal("\(place).5") : .int(Int64(place % 11))
            return (Int64(place / 4), "g\(place % 3)", value)
        }
        let values = ["grace": "1000", "window.advance": "5"]
        let whole = try make(values)
        var expected: [String: String] = [:]
        for text in try run(whole, rows) { expected[Self.key(text)] = text }
        var stored: [[UInt8]: StateEntry] = [:]
        var found: [String: String] = [:]
        for start in stride(from: 0, to: rows.count, by: 23) {
            // Another instance for each batch, which knows only what was stored.
            let aggregate = try make(values)
            try aggregate.restore(stored.values.shuffled())
            aggregate.begin(TransformInput(partition: nil))
            let part = Array(rows[start..<min(start + 23, rows.count)])
            for text in texts(try aggregate.split(batch(part))) { found[Self.key(text)] = text }
            let changes = StateChanges()
            aggregate.takeChanges(changes)
            changes.forEach { part, key, value in
                let key = Array(key)
                stored[key] = value.map { StateEntry(part: part, key: key, value: Array($0)) }
            }
        }
        #expect(found == expected)
        // Another configuration cannot take it.
        let other = try make(values.merging(["window.size": "20"]) { $1 })
        #expect(throws: ConnectorError.self) { try other.restore(Array(stored.values)) }
    }

    private static func key(_ text: String) -> String {
        text.split(separator: " ").prefix(2).joined(separator: " ")
    }

    @Test("limits are errors that name their key", arguments: ["groups.max", "distinct.max"])
    func limits(_ key: String) throws {
        let aggregate = try make([key: "3"])
        let rows: [Row] = (0..<4).map { number in
            (1, key == "groups.max" ? "g\(number)" : "g", .int(Int64(number)))
        }
        aggregate.begin(TransformInput(partition: nil))
        let error = #expect(throws: ConnectorError.self) { try aggregate.split(batch(rows)) }
        #expect(error?.configurationKey == key)
        #expect(error?.disposition == .failTask)
    }

    @Test("a value that a function cannot take rejects its record, of which nothing counts")
    func refused() throws {
        let aggregate = try make(["aggregates": "n:count,s:sum(v)"])
        let rows = batch([(1, "a", .int(1)), (2, "a", .string("x")), (3, "a", .int(4))])
        aggregate.begin(TransformInput(partition: nil))
        #expect(texts(try aggregate.split(rows)) == ["0 a 2 5"])
        #expect(rows.takeRejections().map(\.error.code.rawValue) == ["aggregate.type"])
    }

    @Test(
        "a configuration that cannot work says why",
        arguments: [
            (["aggregates": "n:cuont"], "Did you mean `count`?"),
            (["aggregates": "n:sum"], "`sum` is of a field"),
            (["aggregates": "g:count"], "Two fields of the result"),
            (["window.advance": "11"], "longer than `window.size`"),
            (["aggregates": ""], "A result is required"),
        ] as [([String: String], String)]
    )
    func configuration(_ values: [String: String], _ words: String) {
        let error = #expect(throws: ConnectorError.self) { try make(values) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test("event time waits for partitions that have records, and not for those that have none")
    func eventTime() {
        var time = EventTime()
        let (a, b) = (TopicPartition("t", 0), TopicPartition("t", 1))
        time.begin(TransformInput(partition: a, waiting: [a, b]))
        time.advance(to: 100)
        #expect(time.over == .min, "b has not been read yet")
        time.begin(TransformInput(partition: b, waiting: [a, b]))
        time.advance(to: 40)
        #expect(time.over == 40)
        time.advance(to: 60)
        #expect(time.over == 60)
        time.pass(waiting: [a])
        #expect(time.over == 100)
        time.begin(TransformInput(partition: b, waiting: [b]))
        time.advance(to: 90)
        #expect(time.overHere == 100, "what is over stays over")
    }

    // D6
    @Test("a field that no record has is told once, with the key that names it")
    func tellsUnseen() throws {
        let aggregate = try make(["aggregates": "n:count,s:sum(vv)", "late.records": "drop"])
        #expect(aggregate.takePassedOver() == nil)
        #expect(try run(aggregate, [(1, "a", .int(2)), (2, "a", .int(3))]) == ["0 a 2 null"])
        let told = try #require(aggregate.takePassedOver())
        #expect(told.count == 2)
        #expect(told.reason == "Aggregate: no record has had the field `vv` (aggregates.s)")
        #expect(try run(aggregate, [(3, "a", .int(2))]) == ["0 a 3 null"])
        #expect(aggregate.takePassedOver() == nil)
        // Late ones are counted all the same.
        _ = try run(aggregate, [(50, "a", .int(2)), (1, "a", .int(2))])
        #expect(aggregate.takePassedOver()?.reason.contains("1 late records") == true)
    }

    @Test("a field that some records have is not misspelt")
    func seen() throws {
        let aggregate = try make(["aggregates": "s:sum(w)"])
        _ = try run(aggregate, [(1, "a", .int(2))])
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema(["g", "w"]))
        _ = try aggregate.split(batch)
        batch.appendRow()
        batch.metadata(0).pointee.timestamp = 2
        _ = try aggregate.split(batch)
        #expect(aggregate.takePassedOver() == nil)
    }

    @Test(
        "where types are declared, a field that is not among them rejects the record",
        arguments: [
            (["group.by": "gg"], "group.by"), (["aggregates": "s:sum(vv)"], "aggregates.s"),
        ]
    )
    func refusesUndeclared(values: [String: String], key: String) throws {
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema([Field("g", .string), Field("v", .int64)]))
        batch.appendRow()
        batch.metadata(0).pointee.timestamp = 1
        let aggregate = try make(values)
        #expect(try aggregate.split(batch).isEmpty)
        let error = try #require(batch.takeRejections().first?.error)
        #expect(error.code.rawValue == "aggregate.no_field" && error.configurationKey == key)
        #expect(error.disposition == .rejectRecord)
    }
}
