import ConnectorSDK
import JSONDocuments
import LogicalReplication
import Testing

@testable import PostgresCDCConnector

@Suite("Positions of a capture")
struct PositionTests {
    @Test("a position of the stream is read as it was written")
    func stream() throws {
        var position = StreamPosition(lsn: LSN(0x16_B374_D848), system: "7341", slot: "s_1")
        let text = #"{"lsn":"16/B374D848","slot":"s_1","system":"7341"}"#
        #expect(position.json == text)
        #expect(StreamPosition(text) == position)
        position.commit = LSN(7)
        position.changes = UInt64(Int64.max)
        #expect(StreamPosition(position.json) == position)
        #expect(StreamPosition.lsn(of: position.json) == LSN(0x16_B374_D848))
    }

    @Test(
        "D9: what is no position is none",
        arguments: [
            "", "{}", "[]", "7", #"{"lsn":"x","slot":"s","system":"1"}"#,
            #"{"lsn":"0/1","slot":"s"}"#, #"{"lsn":"0/1","slot":"s","system":"1","commit":"0/2"}"#,
            #"{"lsn":"0/1","slot":"s","system":"1","commit":"0/2","changes":-1}"#,
        ]
    )
    func noPosition(_ text: String) {
        #expect(StreamPosition(text) == nil)
    }

    @Test("the progress of a snapshot is read as it was written")
    func snapshot() throws {
        var progress = TableProgress(.reading, run: 2)
        progress.filter = "region = 'o''hara' AND \"x\" > 1"
        progress.exclusion = TransactionView("10:20:11,13")
        progress.exclusionEnd = LSN(0x99)
        var first = SnapshotRange(number: 0, to: ["5", "å\"\\\n"])
        first.isDone = true
        var second = SnapshotRange(number: 1, from: ["5", "å\"\\\n"], to: nil)
        second.after = ["7", ""]
        let stored = [
            SnapshotPositions.position("public.t#x", progress),
            SnapshotPositions.position("public.t#x", first, run: 2),
            SnapshotPositions.position("public.t#x", second, run: 2),
            // Of an earlier snapshot.
            SnapshotPositions.position("public.t#x", SnapshotRange(number: 2), run: 1),
            SourcePosition(partition: "stream", offset: #"{"lsn":"0/1"}"#),
        ]
        let read = SnapshotPositions.read(
            Dictionary(stored.map { ($0.partition, $0.offset) }) { $1 }
        )
        progress.ranges = [0: first, 1: second]
        // What is done needs no key to go on behind.
        #expect(read == ["public.t#x": progress])
        #expect(read["public.t#x"]?.openRanges == [second])
    }

    @Test("ranges of which nothing was sent are found between their neighbours")
    func openRanges() {
        func range(_ number: Int, _ from: Int?, _ to: Int?, done: Bool = false) -> SnapshotRange {
            var range = SnapshotRange(number: number)
            range.from = from.map { ["\($0)"] }
            range.to = to.map { ["\($0)"] }
            range.isDone = done
            return range
        }
        func open(_ ranges: [SnapshotRange]) -> [SnapshotRange] {
            var progress = TableProgress(.reading)
            for range in ranges { progress.ranges[range.number] = range }
            return progress.openRanges
        }
        #expect(open([]) == [range(0, nil, nil)])
        #expect(open([range(0, nil, nil, done: true)]) == [])
        #expect(open([range(0, nil, 10, done: true)]) == [range(1, 10, nil)])
        #expect(
            open([range(1, 10, 20)]) == [range(0, nil, 10), range(1, 10, 20), range(2, 20, nil)]
        )
        let gap = open([range(0, nil, 10, done: true), range(3, 30, nil, done: true)])
        #expect(gap == [range(1, 10, 30)])
    }

    @Test("a range is a condition on the key as a whole")
    func clauses() {
        var range = SnapshotRange(number: 1, from: ["1", "o'x"], to: ["9", "z"])
        #expect(range.clauses([]) == nil)
        #expect(
            range.clauses(["a", "B"])?.condition
                == #"(r."a", r."B") > ('1', 'o''x') AND (r."a", r."B") <= ('9', 'z')"#
        )
        #expect(range.clauses(["a", "B"])?.order == #"r."a", r."B""#)
        range.after = ["2", "y"]
        range.to = nil
        #expect(range.clauses(["a", "B"])?.condition == #"(r."a", r."B") > ('2', 'y')"#)
        #expect(SnapshotRange(number: 0).clauses(["a"])?.condition == nil)
    }

    @Test(
        "a snapshot sees what was over when it was taken, also when numbers wrap around",
        arguments: [
            ("100:100:", 99, true), ("100:100:", 100, false), ("100:110:105,107", 104, true),
            ("100:110:105,107", 105, false), ("100:110:105,107", 109, true),
            ("100:110:105,107", 110, false), ("4294967290:4294967300:4294967295", 3, true),
            ("4294967290:4294967300:4294967295", 4_294_967_295, false),
            ("4294967290:4294967300:4294967298", 2, false),
            ("4294967290:4294967300:4294967295", 5, false),
        ] as [(String, UInt32, Bool)]
    )
    func views(_ text: String, _ transaction: UInt32, _ isSeen: Bool) throws {
        let view = try #require(TransactionView(text))
        #expect(view.sees(transaction) == isSeen)
        #expect(view.text == text)
    }

    @Test("what is no snapshot is none", arguments: ["", "1:2", "2:1:", "1:2:x", "a:b:", "1:2:3:"])
    func noView(_ text: String) {
        #expect(TransactionView(text) == nil)
    }
}
