import ConnectorSDK
import Testing

@testable import Aggregation

@Suite("Dedupe")
struct DedupeTests {
    private func make(_ values: [String: String] = ["fields": "id"]) throws -> Dedupe {
        try Dedupe(configuration: Configuration(values))
    }

    private func batch(_ rows: [(time: Int64, id: Int64?)]) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema(["id", "n"]))
        for (number, row) in rows.enumerated() {
            let index = batch.appendRow()
            if let id = row.id { batch[index, 0] = .int(id) }
            batch[index, 1] = .int(Int64(number))
            batch.metadata(index).pointee.timestamp = row.time
        }
        return batch
    }

    private func ids(_ batch: RecordBatch) -> [Int64] { batch.indices.map { batch[$0, 0].int64 } }

    @Test("the first record of a key passes, and others do not, until the window has passed")
    func window() throws {
        let dedupe = try make(["fields": "id", "window.size": "100"])
        let first = batch([(0, 1), (10, 2), (20, 1), (90, 3), (100, 1), (101, 1), (201, 1)])
        try dedupe.apply(first)
        #expect(ids(first) == [1, 2, 3, 1])
        #expect(first[3, 1].int64 == 5)
    }

    @Test("no more keys are remembered than the limit says")
    func limit() throws {
        let dedupe = try make(["fields": "id", "window.keys": "3"])
        let rows = batch([(0, 1), (0, 2), (0, 3), (0, 1), (0, 4), (0, 1), (0, 3)])
        try dedupe.apply(rows)
        #expect(ids(rows) == [1, 2, 3, 4, 1])
    }

    @Test("a record without a key is rejected, at its place")
    func noKey() throws {
        let rows = batch([(0, 1), (0, nil), (0, 1), (0, 2)])
        try make().apply(rows)
        #expect(ids(rows) == [1, 2])
        let rejected = rows.takeRejections()
        #expect(rejected.map(\.error.code.rawValue) == ["dedupe.no_key"])
    }

    @Test("a deletion passes, and what comes behind it is new")
    func deletions() throws {
        let dedupe = try make([:])
        let rows = batch([(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)])
        rows.addKeys(Schema(["k"]))
        for row in rows.indices { rows.keyRow(row)?.pointee = .int(7) }
        rows.metadata(2).pointee.isTombstone = true
        try dedupe.apply(rows)
        #expect(rows.indices.map { rows[$0, 1].int64 } == [0, 2, 3])
    }

    @Test("D3: what was stored finds a repetition after a restart")
    func restores() throws {
        var stored: [[UInt8]: StateEntry] = [:]
        var passed: [Int64] = []
        let numbers = (0..<500).map { Int64($0 * 7_919 % 120) }
        for start in stride(from: 0, to: 500, by: 9) {
            let dedupe = try make(["fields": "id", "window.keys": "50"])
            try dedupe.restore(stored.values.shuffled())
            let rows = batch(numbers[start..<min(start + 9, 500)].map { (0, $0) })
            try dedupe.apply(rows)
            passed += ids(rows)
            let changes = StateChanges()
            dedupe.takeChanges(changes)
            changes.forEach { part, key, value in
                let key = Array(key)
                stored[key] = value.map { StateEntry(part: part, key: key, value: Array($0)) }
            }
            #expect(stored.count <= 50)
        }
        let whole = try make(["fields": "id", "window.keys": "50"])
        let rows = batch(numbers.map { (0, $0) })
        try whole.apply(rows)
        #expect(passed == ids(rows))
    }
}
