import ConnectorSDK
import TableMapping
import Testing

@Suite("Table sinks: the order of writing")
struct BatchPlannerTests {
    private static func planner(
        mayReorder: Bool = true,
        duplicates: BatchPlanner.Duplicates = .keep
    ) -> BatchPlanner {
        BatchPlanner(
            key: [.init(.key(0), comparable: CellTags(.int))],
            optional: [0, 1, 2],
            mayReorder: mayReorder,
            duplicates: duplicates
        )
    }

    /// What is written, in this order: the rows of each run.
    private static func runs(_ planner: BatchPlanner) -> [[UInt32]] {
        planner.runs.map { run in
            (run.first..<run.first + run.count).map {
                planner.order.isEmpty ? UInt32($0) : planner.order[$0]
            }
        }
    }

    @Test("rows are sorted by key where nothing can tell, and stay where something can")
    func order() {
        let batch = makeBatch(
            [3, 1, 2, 1].map { Row($0, ["a": .int(1), "b": .null, "c": .null]) }
        )
        let planner = Self.planner()
        planner.plan(batch)
        #expect(Self.runs(planner) == [[1, 3, 2, 0]])
        let careful = Self.planner(mayReorder: false)
        careful.plan(batch)
        #expect(Self.runs(careful) == [[0, 1, 2, 3]])
    }

    @Test("keys of other types than comparable ones leave the order as it is")
    func incomparable() {
        let batch = makeBatch([Row(2, ["a": .int(1)]), Row(1, ["a": .int(1)])])
        batch.keyRow(1)?[0] = .double(1)
        let planner = Self.planner(duplicates: .supersede)
        planner.plan(batch)
        #expect(Self.runs(planner) == [[0, 1]])
        #expect(!planner.hasDistinctKeys)
    }

    @Test("rows that lack the same fields, and deletions, are runs of their own")
    func shapes() {
        let batch = makeBatch([
            Row(1, ["a": .int(1), "b": .int(1), "c": .int(1)]), Row(2, ["b": .int(1)]),
            Row(3, ["a": .int(1), "b": .null, "c": .int(1)]), Row(4, nil), Row(5, ["b": .null]),
        ])
        let planner = Self.planner()
        planner.plan(batch)
        #expect(Self.runs(planner) == [[3], [0, 2], [1, 4]])
        #expect(planner.runs.map(\.isDelete) == [true, false, false])
        #expect(planner.absentSets[planner.runs[2].set] == [0, 2])
        let careful = Self.planner(mayReorder: false)
        careful.plan(batch)
        #expect(Self.runs(careful) == [[0], [1], [2], [3], [4]])
    }

    @Test(
        "a row is left out when a later one of its key says all that it says",
        arguments: [
            // Each row: its key and the fields it has; "-" deletes.
            (["1 abc", "1 abc"], [["1"]]),
            (["1 a", "1 abc"], [["1"]]),
            (["1 abc", "1 a"], [["0"], ["1"]]),
            (["1 a", "1 b", "1 a"], [["1"], ["2"]]),
            (["1 abc", "1 -"], [["1"]]),
            (["1 -", "1 abc"], [["0"], ["1"]]),
            (["1 abc", "1 -", "1 a", "1 -", "1 ab", "1 b"], [["3"], ["4"], ["5"]]),
            (["2 abc", "1 -", "1 abc", "2 abc", "3 a"], [["1"], ["2", "3"], ["4"]]),
            (["1 abc", "2 abc", "3 abc"], [["0", "1", "2"]]),
            (["3 abc", "2 abc", "1 abc"], [["2", "1", "0"]]),
        ]
    )
    func supersede(_ rows: [String], _ expected: [[String]]) throws {
        let batch = makeBatch(
            try rows.map { text in
                let parts = text.split(separator: " ")
                let key = try #require(Int64(parts[0]))
                guard parts[1] != "-" else { return Row(key, nil) }
                let names = parts[1].map { (String($0), Value.int(1)) }
                return Row(key, Dictionary(uniqueKeysWithValues: names))
            }
        )
        let planner = Self.planner(duplicates: .supersede)
        planner.plan(batch)
        #expect(Self.runs(planner).map { $0.map(String.init) } == expected)
        #expect(planner.hasDistinctKeys)
    }

    /// A table as a dictionary: what writing comes to, without a database.
    private typealias Table = [Int64: [Int: Int64]]

    private static func write(_ row: Int, of batch: RecordBatch, to table: inout Table) {
        let key = batch.keyRow(row)?[0].int64 ?? 0
        if batch[metadata: row].isTombstone {
            table[key] = nil
            return
        }
        for column in 0..<3 where batch[row, column].tag != .missing {
            table[key, default: [:]][column] = batch[row, column].int64
        }
    }

    @Test(
        "whatever changes places or is left out, the table is as if all had been written in order"
    )
    func equivalence() {
        var random = SplitMix(state: 7)
        let planners = [Self.planner(), Self.planner(duplicates: .supersede)]
        for _ in 0..<400 {
            let batch = makeBatch(
                (0..<Int.random(in: 1...40, using: &random)).map { number in
                    let key = Int64.random(in: 1...8, using: &random)
                    guard Int.random(in: 0..<5, using: &random) > 0 else { return Row(key, nil) }
                    let names = ["a", "b", "c"].filter { _ in Bool.random(using: &random) }
                    return Row(
                        key,
                        Dictionary(uniqueKeysWithValues: names.map { ($0, .int(Int64(number))) })
                    )
                }
            )
            var expected: Table = [1: [0: -1, 1: -1, 2: -1], 2: [0: -2]]
            let before = expected
            for row in batch.indices { Self.write(row, of: batch, to: &expected) }
            for planner in planners {
                planner.plan(batch)
                var table = before
                for row in Self.runs(planner).joined() {
                    Self.write(Int(row), of: batch, to: &table)
                }
                #expect(table == expected)
                guard planner.hasDistinctKeys else { continue }
                for run in Self.runs(planner) {
                    let keys = run.map { batch.keyRow(Int($0))?[0].int64 ?? 0 }
                    #expect(Set(keys).count == keys.count)
                }
            }
        }
    }

    @Test("sets of absent fields do not pile up (D7)")
    func sets() {
        let names = (0..<12).map { "f\($0)" }
        let planner = BatchPlanner(key: [], optional: Array(0..<12), mayReorder: false)
        for round in 0..<8 {
            let batch = makeBatch(
                (0..<512).map { number in
                    let bits = round * 512 + number
                    let given = names.indices.filter { bits & (1 << $0) != 0 }
                    return Row(
                        1,
                        Dictionary(uniqueKeysWithValues: given.map { (names[$0], .int(1)) })
                    )
                },
                fields: names
            )
            planner.plan(batch)
            #expect(planner.runs.reduce(0) { $0 + $1.count } == 512)
            #expect(planner.absentSets.count <= 1_024)
        }
        #expect(planner.generation > 0)
    }
}

/// A small generator, so that a failure comes again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
