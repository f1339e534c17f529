import ConnectorSDK
import ConnectorTesting
import Testing
import XMLFormat

@Suite("Hostile and broken XML")
struct XMLLimitsTests {
    // D9: bad input gets a clear error and never a crash.
    @Test(
        "delivers what precedes an error, then says where it is",
        arguments: [
            ("<o><r>1</r><r>2</x></o>", "xml.malformed", "line 1, column", 1),
            ("<o>\n<r>1</r>\n<r>&nope;</r></o>", "xml.entity", "`nope` at line 3", 1),
            ("<o><r a='&nope;'/></o>", "xml.entity", "`nope` at line 1", 0),
            ("<o><r>1</r><r>", "xml.malformed", "line 1", 1),
            ("<o><r>1</r></o>x", "xml.malformed", "line 1", 1),
            ("<o><r>1</r><r>\u{1}</r></o>", "xml.malformed", "line 1", 1),
            ("text", "xml.malformed", "line 1", 0), ("\n", "xml.malformed", "line", 0),
            ("<o><r a='1' a='2'/></o>", "xml.malformed", "line 1", 0),
        ]
    )
    func breaks(_ text: String, _ code: String, _ place: String, _ count: Int) throws {
        let file = try XMLFile(text)
        #expect(file.error == code)
        #expect(file.message.contains(place), "\(file.message)")
        #expect(file.rows.count == count)
    }

    @Test("text that is not UTF-8 is an error, and its bytes are not shown")
    func refusesInvalidText() throws {
        let file = try XMLFile(
            Array("<o><r>1</r><r>a".utf8) + [0xFF, 0x41] + Array("</r></o>".utf8)
        )
        #expect(file.error == "xml.malformed")
        #expect(file.rows == ["#text='1'"])
        #expect(!file.message.contains("0xFF"))
    }

    @Test("external and parameter entities are never resolved")
    func refusesExternalEntities() throws {
        let external =
            "<!DOCTYPE o [<!ENTITY s SYSTEM \"file:///etc/hostname\">]><o><r>a&s;b</r></o>"
        let inAttribute = "<!DOCTYPE o SYSTEM \"x.dtd\"><o><r a='a&s;b'/></o>"
        let parameter =
            "<!DOCTYPE o [<!ENTITY % p SYSTEM \"file:///etc/hostname\"> %p;]><o><r/></o>"
        for text in [external, inAttribute, parameter] {
            let file = try XMLFile(text)
            #expect(file.error == "xml.entity")
            #expect(file.rows.isEmpty)
        }
    }

    // D7: memory is bounded whatever the input.
    @Test("a billion laughs end at the first")
    func refusesLaughs() throws {
        var text = "<!DOCTYPE o [<!ENTITY a0 \"ha\">"
        for level in 1..<30 {
            text += "<!ENTITY a\(level) \"&a\(level - 1);&a\(level - 1);\">"
        }
        #expect(try XMLFile(text + "]><o><r>&a29;</r></o>").error == "xml.entity")
        #expect(
            try XMLFile(text + "<!ATTLIST r x CDATA \"&a29;\">]><o><r/></o>").error == "xml.entity"
        )
    }

    @Test("default attributes cannot fill the memory")
    func boundsDefaults() throws {
        let value = String(repeating: "x", count: 1 << 20)
        var text = "<!DOCTYPE o [<!ATTLIST a x CDATA \"\(value)\">]><o>"
        text += "<r>" + String(repeating: "<a/>", count: 4_000) + "</r></o>"
        let format = try XMLFormat(configuration: Configuration(["max.record.bytes": "1MiB"]))
        let reading = try FormatReading(format, Array(text.utf8))
        let nested = "[" + Array(repeating: "\"\"", count: 4_000).joined(separator: ",") + "]"
        #expect(reading.records.map { $0.fields.map(\.value) } == [[.json(nested)]])
    }

    @Test("deep nesting ends at the limit, and not before")
    func boundsDepth() throws {
        func text(_ depth: Int) -> String {
            "<o><r>" + String(repeating: "<a>", count: depth - 2) + "x"
                + String(repeating: "</a>", count: depth - 2) + "</r></o>"
        }
        #expect(try XMLFile(text(20), ["max.depth": "20"]).rows.count == 1)
        let deep = try XMLFile(text(21), ["max.depth": "20"])
        #expect(deep.error == "xml.limit")
        #expect(deep.message.hasPrefix("Elements are nested deeper than 20 at line 1"))
        let format = try XMLFormat(configuration: Configuration([:]))
        let bomb = Array(String(repeating: "<a>", count: 1_000_000).utf8)
        #expect(
            try FormatReading(format, bomb, toleratesErrors: true).error?.code.rawValue
                == "xml.limit"
        )
        #expect(try FormatReading(format, Array(text(256).utf8)).records.count == 1)
    }

    @Test(
        "a record too long is rejected in bounded memory, and the next one read",
        arguments: ["x", "<a>y</a>", "<a b='c'/>", "<!-- -->z", " <b><c>t</c></b>"]
    )
    func boundsRecords(_ filling: String) throws {
        let keys = ["max.record.bytes": "64KiB"]
        let reader = try XMLFormat(configuration: Configuration(keys)).makeReader(at: nil)
        var parts = [Array("<o>\n<r><a>1</a></r>\n<r>".utf8)]
        let filler = Array(String(repeating: filling, count: 4_096).utf8)
        var left = 1_500_000 / filler.count
        let tail = Array("</r>\n<r><a>3</a></r></o>".utf8)
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
            #expect(batch.arena.count < 2 << 20)
        }
        #expect(ids == [.string("1"), .string("3")])
        #expect(rejections.map(\.error.code.rawValue) == ["xml.record_too_long"])
        #expect(rejections.map(\.line) == [3])
        #expect(rejections.map(\.offset) == [20])
        #expect(rejections.first?.value.count == 64 << 10)
        #expect(reader.position.record == 3)
    }

    @Test("a root that is not on the path is an error, not silence")
    func refusesRoot() throws {
        let file = try XMLFile("<orders><order/></orders>", ["record.path": "/order/orders"])
        #expect(file.error == "xml.record_path")
        #expect(file.message == "The root element is `orders`, and the path begins with `order`.")
        for text in ["<orders/>", "<orders>\n</orders>", "<orders>x</orders>"] {
            let file = try XMLFile(text, ["record.path": "/order/line"])
            #expect(file.error == "xml.record_path")
        }
    }

    @Test("names that are data do not pile up columns")
    func boundsColumns() throws {
        var text = "<o>"
        for index in 0..<3_000 { text += "<r><id>\(index)</id><k\(index)>v</k\(index)></r>" }
        text += "</o>"
        let format = try XMLFormat(configuration: Configuration([:]))
        let bytes = Array(text.utf8)
        let reader = try format.makeReader(at: nil)
        let input = FormatReading.input(bytes)
        let batch = RecordBatch()
        var count = 0
        var position = reader.position
        while true {
            batch.reset(topic: "t")
            guard try reader.read(input, into: batch) else { break }
            count += batch.count
            #expect(batch.schema.count < 600)
            if count < 2_000 { position = reader.position }
        }
        #expect(count == 3_000)
        let whole = try FormatReading(format, bytes)
        let rest = try FormatReading(format, bytes, from: position)
        #expect(rest.records == Array(whole.records.dropFirst(Int(position.record))))
    }

    @Test("batches end at their limits")
    func boundsBatches() throws {
        let format = try XMLFormat(configuration: Configuration([:]))
        let long = "<r><a>" + String(repeating: "x", count: 9_987) + "</a></r>"
        for (record, most) in [("<r><a/></r>", RecordBatch.rowLimit), (long, 107)] {
            let text = "<o>" + String(repeating: record, count: most * 2 + 5) + "</o>"
            let reading = try FormatReading(format, Array(text.utf8))
            #expect(reading.records.count == most * 2 + 5)
            let counts = zip(reading.counts, [0] + reading.counts).map { $0 - $1 }
            #expect(counts.allSatisfy { $0 <= most })
        }
    }

    @Test("a batch that fills up because it is widened still ends between records")
    func endsWidenedBatches() throws {
        // So many records of 32 fields fill a batch once one has 33, which makes rows of 48.
        let most = RecordBatch.cellLimit / 48
        let others = (2..<32).map { "<f\($0)/>" }.joined()
        let format = try XMLFormat(configuration: Configuration([:]))
        // The batches behind it write where the first one's values were.
        let count = most * 3
        // Wherever in a record a piece of input ends.
        for space in stride(from: 0, to: 200, by: 40) {
            var text = "<o>" + String(repeating: " ", count: space)
            for index in 0..<count {
                text += "<r><a>\(index)</a><b>&lt;\(index)</b>\(others)"
                text += index == most - 1 ? "<extra/></r>" : "</r>"
            }
            let batch = RecordBatch()
            let reader = try format.makeReader(at: nil)
            let input = FormatReading.input(Array((text + "</o>").utf8))
            var next = 0
            while true {
                batch.reset(topic: "t")
                guard try reader.read(input, into: batch) else { break }
                for row in batch.indices {
                    #expect(batch.value(row, "a") == .string("\(next)"))
                    #expect(batch.value(row, "b") == .string("<\(next)"))
                    next += 1
                }
            }
            #expect(next == count)
        }
    }
}
