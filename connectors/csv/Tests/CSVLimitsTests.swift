import CSVFormat
import ConnectorSDK
import ConnectorTesting
import Testing

@Suite("Limits and positions of CSV")
struct CSVLimitsTests {
    static let text = [
        "id,note\r\n1,\"two\r\nlines\"\r\n2,ragged,row\n\n3,\"\"\"quoted\"\"\"\n",
        "4,\"text\"behind\n5,é\r6,x\n7,\"never closed\n8,y",
    ].joined()

    // D3: whatever was read, the next reader goes on exactly behind it.
    @Test("a new reader goes on behind every record, good or bad")
    func resumes() throws {
        let format = try CSVFormat(configuration: Configuration([:]))
        let bytes = Array(Self.text.utf8)
        let whole = try FormatReading(format, bytes)
        let places = (whole.records.map(\.offset) + whole.rejections.map(\.offset)).sorted()
        #expect(places.count == 7)
        for place in places {
            let start = try FormatReading(format, Array(bytes.prefix(Int(place))))
            let position = try #require(start.positions.last)
            let rest = try FormatReading(format, bytes, from: position)
            #expect(start.records + rest.records == whole.records)
            #expect(
                (start.rejections + rest.rejections).map(\.error.message)
                    == whole.rejections.map(\.error.message)
            )
            #expect(rest.positions.last == whole.positions.last)
        }
    }

    @Test("a position that another format made is refused")
    func refusesPosition() throws {
        let format = try CSVFormat(configuration: Configuration([:]))
        for state in ["", "a,b", "\"a", "\"a\"b", "[\"a\"]"] {
            let position = ReaderPosition(byte: 10, line: 2, record: 1, state: state)
            #expect(throws: ConnectorError.self) { _ = try format.makeReader(at: position) }
        }
    }

    @Test("names of columns survive in a position", arguments: ["a\",\"b", "é\n,", " x "])
    func keepsNames(_ name: String) throws {
        let format = try CSVFormat(configuration: Configuration([:]))
        let quoted =
            "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
        let bytes = Array("\(quoted),b\n1,2\n3,4\n".utf8)
        let whole = try FormatReading(format, bytes)
        let start = try FormatReading(format, Array(bytes.dropLast(4)))
        let rest = try FormatReading(format, bytes, from: start.positions.last)
        #expect(start.records + rest.records == whole.records)
        #expect(rest.records.first?.fields.first?.name == name)
    }

    // D7: a record of any length is refused in bounded memory, and the next one is read.
    @Test(
        "a record too long is rejected and the next one read",
        arguments: [("\"", "\"", "\"\"\r\nx,"), ("", "", "x"), ("\"", "\"\"\"", ",\\")]
    )
    func boundsRecords(_ before: String, _ after: String, _ filling: String) throws {
        let keys = ["max.record.bytes": "64KiB", "escape": before.isEmpty ? "\\" : "!"]
        let format = try CSVFormat(configuration: Configuration(keys))
        let head = Array("a,b\n1,2\n\(before)".utf8)
        let tail = Array("\(after),1\r\n3,4\n".utf8)
        let filler = Array(String(repeating: filling, count: 64).utf8)
        var left = 1_500_000 / filler.count
        var parts = [head]
        let input = ByteInput { room throws(ConnectorError) in
            if parts.isEmpty {
                if left < 0 { return 0 }
                left -= 1
                parts = [left < 0 ? tail : filler]
            }
            let part = parts.removeFirst()
            room.copyBytes(from: part.prefix(room.count))
            if part.count > room.count { parts = [Array(part.dropFirst(room.count))] }
            return min(part.count, room.count)
        }
        let reader = try format.makeReader(at: nil)
        let batch = RecordBatch()
        var ids: [Value] = []
        var rejections: [RejectedRecord] = []
        var more = true
        while more {
            batch.reset(topic: "t")
            more = try reader.read(input, into: batch)
            ids += batch.indices.map { batch.value($0, "a") }
            rejections += batch.takeRejections()
            #expect(input.chunk.capacity <= 1 << 20)
        }
        #expect(ids == [.int(1), .int(3)])
        #expect(rejections.map(\.error.code.rawValue) == ["csv.record_too_long"])
        #expect(rejections.map(\.line) == [3])
        #expect(rejections.map(\.offset) == [8])
        #expect(rejections.first?.value.count == 64 << 10)
        #expect(reader.position.record == 3)
    }

    @Test("the limit is the same however the input is split")
    func boundsExactly() throws {
        for length in [1_022, 1_023, 1_024, 1_025, 1_026] {
            let cell = String(repeating: "x", count: length - 2)
            for ending in ["\n", "\r\n", "\r"] {
                let text = "a,b\(ending)1,\(cell)\(ending)2,y\(ending)"
                let file = try CSVFile(text, ["max.record.bytes": "1024"])
                #expect(file.rejections.isEmpty == (length <= 1_024))
                #expect(file.rows.last == "a=int:2 b='y'")
            }
        }
    }

    @Test("batches end at their limits")
    func boundsBatches() throws {
        let format = try CSVFormat(configuration: Configuration([:]))
        let wide = (0..<2_000).map { "c\($0)" }.joined(separator: ",") + "\n"
        let row = Array(repeating: "1", count: 2_000).joined(separator: ",") + "\n"
        let long =
            "a\n" + String(repeating: String(repeating: "x", count: 9_999) + "\n", count: 300)
        for text in [wide + String(repeating: row, count: 200), long] {
            let reading = try FormatReading(format, Array(text.utf8))
            let counts = zip(reading.counts, [0] + reading.counts).map { $0 - $1 }
            #expect(reading.records.count == (text == long ? 300 : 200))
            #expect(counts.dropLast().allSatisfy { $0 <= 105 && $0 > 0 })
        }
    }
}
