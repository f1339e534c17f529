import ConnectorSDK
import RegularExpressions
import Testing

@testable import FileConnector

@Suite("Line cutter")
struct LineCutterTests {
    /// Feeds a content in pieces that end at random places, from where the cutter wants them.
    private func cut(
        _ text: String,
        pieces: [Int],
        limit: Int = 1_000,
        joiner: LineJoiner? = nil,
        finish: LineCutter.Finish = .everything
    ) throws -> (texts: [String], rejected: [RejectedRecord], cutter: LineCutter) {
        let bytes = Chunk(copying: Array(text.utf8))
        var cutter = LineCutter(at: ReaderPosition(), limit: limit, joiner: joiner)
        var texts: [String] = []
        var rejected: [RejectedRecord] = []
        for (number, end) in (pieces + [text.utf8.count]).enumerated() {
            let batch = RecordBatch()
            let start = cutter.windowStart
            var isDone = false
            while !isDone {
                batch.reset(topic: "t")
                let from = Int(cutter.windowStart)
                let window = UnsafeRawBufferPointer(rebasing: bytes.bytes[from..<end])
                isDone = cutter.cut(window, into: batch)
                if isDone, number == pieces.count {
                    let whole = UnsafeRawBufferPointer(rebasing: bytes.bytes[Int(start)..<end])
                    cutter.finish(finish, whole, at: start, into: batch)
                }
                texts += batch.indices.map {
                    String(decoding: batch[metadata: $0].raw, as: UTF8.self)
                }
                rejected += batch.takeRejections()
            }
        }
        return (texts, rejected, cutter)
    }

    private func joiner(
        _ mode: MultilineMode,
        _ start: String,
        _ condition: String
    ) throws -> LineJoiner {
        let settings = try MultilineSettings(
            Configuration([
                "multiline.mode": mode.rawValue, "multiline.start_pattern": start,
                "multiline.condition_pattern": condition,
            ])
        )
        return LineJoiner(try #require(settings))
    }

    @Test("cuts the same lines wherever the pieces end")
    func pieces() throws {
        let text = "one\n\ntwo\r\nthree is longer\n\n\nand the last"
        let wanted = ["one", "", "two", "three is longer", "", "", "and the last"]
        for first in 0..<text.utf8.count {
            for second in stride(from: first, to: text.utf8.count, by: 3) {
                #expect(try cut(text, pieces: [first, second]).texts == wanted)
            }
        }
    }

    @Test("leaves what is not complete, and says where it begins")
    func incomplete() throws {
        let (texts, _, cutter) = try cut("one\ntwo", pieces: [1, 5], finish: .nothing)
        #expect(texts == ["one"])
        #expect(cutter.place == ReaderPosition(byte: 4, line: 2, record: 1))
        #expect(cutter.hasRest && !cutter.hasGroup && cutter.scanned == 7)
    }

    // D7
    @Test("passes over lines that are too long, wherever the pieces end")
    func longLines() throws {
        let long = ["b", "d", "f"].map { String(repeating: $0, count: $0 == "b" ? 50 : 25) }
        let text = "a\n\(long[0])\nccc\n\(long[1])\ne\n\(long[2])"
        for first in 0..<text.utf8.count {
            for second in stride(from: first, to: text.utf8.count, by: 5) {
                let (texts, rejected, cutter) = try cut(text, pieces: [first, second], limit: 20)
                #expect(texts == ["a", "ccc", "e"])
                #expect(rejected.map(\.line) == [2, 4, 6])
                #expect(rejected.map(\.offset) == [2, 57, 85])
                #expect(rejected.map { $0.value.first } == [0x62, 0x64, 0x66])
                #expect(cutter.place == ReaderPosition(byte: 110, line: 7, record: 6))
            }
        }
    }

    struct Group: Sendable, CustomTestStringConvertible {
        var mode: MultilineMode
        var start: String
        var condition: String
        var text: String
        var records: [String]
        var testDescription: String { "\(mode.rawValue): \(text.debugDescription)" }
    }

    @Test(
        "joins lines in the four ways, wherever the pieces end",
        arguments: [
            Group(
                mode: .continueThrough,
                start: "^[^\\s]",
                condition: "^\\s+",
                text: "a\n b\n\tc\nd\ne\n f\n",
                records: ["a\n b\n\tc", "d", "e\n f"]
            ),
            Group(
                mode: .continueThrough,
                start: "^X",
                condition: "^ ",
                text: " alone\nX\n b\nno\n c\nX\n",
                records: [" alone", "X\n b", "no", " c", "X"]
            ),
            Group(
                mode: .continuePast,
                start: "\\\\$",
                condition: "\\\\$",
                text: "a \\\nb \\\nc\nd\ne \\\nf\n",
                records: ["a \\\nb \\\nc", "d", "e \\\nf"]
            ),
            Group(
                mode: .haltBefore,
                start: "^\\d",
                condition: "^\\d",
                text: "before\n1 a\nx\ny\n2 b\n3 c\nz\n",
                records: ["before", "1 a\nx\ny", "2 b", "3 c\nz"]
            ),
            Group(
                mode: .haltWith,
                start: "^BEGIN",
                condition: "^END",
                text: "BEGIN\na\nEND\nb\nBEGIN\r\nc\r\nEND\r\nd\n",
                records: ["BEGIN\na\nEND", "b", "BEGIN\r\nc\r\nEND", "d"]
            ),
        ]
    )
    func groups(_ group: Group) throws {
        let joiner = try joiner(group.mode, group.start, group.condition)
        for first in 0...group.text.utf8.count {
            for second in first...group.text.utf8.count {
                let (texts, _, cutter) = try cut(
                    group.text,
                    pieces: [first, second],
                    joiner: joiner
                )
                #expect(texts == group.records)
                #expect(cutter.place.line == Int64(group.text.utf8.count { $0 == 0x0a } + 1))
            }
        }
    }

    @Test("a group that has waited is a record, and the line behind it that has no end is not")
    func timeout() throws {
        let joiner = try joiner(.haltBefore, "^\\d", "^\\d")
        let (texts, _, cutter) = try cut("1\na\nhal", pieces: [], joiner: joiner, finish: .group)
        #expect(texts == ["1\na"])
        #expect(cutter.place == ReaderPosition(byte: 4, line: 3, record: 1))
    }

    // D6, D7
    @Test("a group that would be too long is given in pieces")
    func longGroups() throws {
        let joiner = try joiner(.haltBefore, "^\\d", "^\\d")
        let (texts, rejected, _) = try cut(
            "1\naaaaaaa\nbbbbbbb\nccccccc\n2\nd\n",
            pieces: [4],
            limit: 20,
            joiner: joiner
        )
        #expect(texts == ["1\naaaaaaa\nbbbbbbb", "ccccccc", "2\nd"])
        #expect(rejected.isEmpty)
    }
}
