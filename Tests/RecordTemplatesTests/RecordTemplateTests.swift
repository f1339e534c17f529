import ConnectorSDK
import RecordTemplates
import Testing

@Suite("Record templates")
struct RecordTemplateTests {
    /// The instant 2026-11-04T01:25:34.123Z.
    private static let instant: Int64 = 1_793_755_534_123

    private static func batch(_ country: Value = .string("no")) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "shop.public.orders", schema: Schema(["country", "day"]))
        for _ in 0..<3 {
            batch.append(["country": country, "day": .date(0)])
            batch.metadata(batch.count - 1).pointee.timestamp = Self.instant
            batch.metadata(batch.count - 1).pointee.partition = 12
        }
        return batch
    }

    private static func render(
        _ text: String,
        _ batch: RecordBatch,
        _ style: TemplateRenderer.Style = .verbatim
    ) throws -> (name: String, lacking: String?) {
        var renderer = TemplateRenderer(try RecordTemplate(text, key: "path"), style)
        let lacking = renderer.render(batch, row: 0)
        return (String(decoding: renderer.bytes, as: UTF8.self), lacking)
    }

    @Test(
        "each place is filled from the record",
        arguments: [
            ("plain", "plain"), ("${topic}", "shop.public.orders"), ("a${table}b", "aordersb"),
            ("${partition}/x", "12/x"), ("${timestamp:yyyy-MM-dd}", "2026-11-04"),
            ("${timestamp:yy/D 'day' HH.mm.ss.S}", "26/308 day 01.25.34.1"),
            ("${timestamp:uuuuu''SSSSSSSSS}", "02026'123000000"), ("${field:country}", "no"),
            ("${field:day}_${field:country}", "1970-01-01_no"), ("cost $5 $", "cost $5 $"),
        ]
    )
    func renders(template: String, name: String) throws {
        let result = try Self.render(template, Self.batch())
        #expect(result.name == name)
        #expect(result.lacking == nil)
    }

    @Test(
        "a value is written as its type has it",
        arguments: [
            (.int(-7), "-7"), (.bool(true), "true"), (.double(0.5), "0.5"),
            (.decimal("12.50"), "12.50"), (.time(1), "00:00:00.000001"),
            (.timestamp(0), "1970-01-01T00:00:00Z"), (.json("[1]"), "[1]"),
            (.localTimestamp(-1), "1969-12-31T23:59:59.999999"), (.bytes([120]), "x"),
        ] as [(Value, String)]
    )
    func values(value: Value, text: String) throws {
        #expect(try Self.render("${field:country}", Self.batch(value)).name == text)
    }

    @Test("a topic without a dot is a table's name, and one that ends with a dot too")
    func tables() throws {
        let batch = Self.batch()
        for (topic, table) in [("orders", "orders"), ("a.", "a."), ("a.b", "b")] {
            batch.topic = topic
            #expect(try Self.render("${table}", batch).name == table)
        }
    }

    @Test("a captured record's table is what its header says, whatever the topic")
    func capturedTables() throws {
        let batch = Self.batch()
        let header = Self.header(named: "millrace.table", "line items/2")
        batch.retain(header)
        batch.metadata(1).pointee.headers = UnsafeRawBufferPointer(header.bytes)
        batch.metadata(1).pointee.headerCount = 1
        for (style, name) in [
            (TemplateRenderer.Style.verbatim, "line items/2"), (.fileName, "line items_2"),
            (.urlPart, "line%20items%2F2"),
        ] {
            var renderer = TemplateRenderer(try RecordTemplate("${table}", key: "path"), style)
            var names: [String] = []
            var row = 0
            while row < batch.count {
                renderer.render(batch, row: row)
                names.append(String(decoding: renderer.bytes, as: UTF8.self))
                row += renderer.runLength(batch, from: row)
            }
            #expect(names == ["orders", name, "orders"])
        }
    }

    /// One header in Kafka's encoding; lengths below 64 are one byte, doubled.
    private static func header(named name: String, _ value: String) -> Chunk {
        var bytes: [UInt8] = []
        for text in [name, value] { bytes += [UInt8(text.utf8.count * 2)] + Array(text.utf8) }
        return Chunk(copying: bytes)
    }

    @Test("what a record lacks is told, or stands as __missing__ in a file's name")
    func lacking() throws {
        for value in [Value.missing, .null, .string("")] {
            let result = try Self.render("a_${field:country}", Self.batch(value))
            #expect(result.lacking == "${field:country}")
            let file = try Self.render("a_${field:country}", Self.batch(value), .fileName)
            #expect(file.name == "a___missing__" && file.lacking == nil)
        }
        #expect(try Self.render("${field:nowhere}", Self.batch()).lacking == "${field:nowhere}")
        let timeless = Self.batch()
        timeless.metadata(0).pointee.timestamp = RecordMetadata.noTimestamp
        #expect(try Self.render("${timestamp:yyyy}", timeless).lacking == "${timestamp}")
        #expect(try Self.render("${timestamp:yyyy}", timeless, .fileName).name == "__missing__")
    }

    @Test("a run ends where the name changes")
    func runs() throws {
        let batch = Self.batch()
        let template = try RecordTemplate("${timestamp:yyyy-MM-dd}-${field:country}", key: "path")
        var renderer = TemplateRenderer(template, .verbatim)
        func runs() -> [Int] {
            var runs: [Int] = []
            var row = 0
            while row < batch.count {
                renderer.render(batch, row: row)
                runs.append(renderer.runLength(batch, from: row))
                row += runs.last ?? 1
            }
            return runs
        }
        #expect(runs() == [3])
        batch.metadata(1).pointee.timestamp += 3_600_000
        #expect(runs() == [3], "still the same day")
        batch.metadata(2).pointee.timestamp += 86_400_000
        #expect(runs() == [2, 1])
        batch[1, 0] = batch.makeCell(.string("se"))
        #expect(runs() == [1, 1, 1])
        batch[0, 0] = batch.makeCell(.string("se"))
        #expect(runs() == [2, 1])
    }

    @Test(
        "a template that cannot work names its key",
        arguments: [
            "", "${colour}", "${field}", "${field:}", "${topic", "${timestamp}", "${timestamp:}",
            "${timestamp:yyyy-QQ}", "${timestamp:MMM}", "${timestamp:'open}", "${topic:x}",
            "${timestamp:SSSSSSSSSS}",
        ]
    )
    func refuses(template: String) {
        let error = #expect(throws: ConnectorError.self) {
            try RecordTemplate(template, key: "table.name.format")
        }
        #expect(error?.configurationKey == "table.name.format")
        #expect(error?.kind == .configuration)
    }

    @Test("years before 1 and beyond 9999 are written in full")
    func farYears() throws {
        let pattern = try TimestampPattern("yyyy-MM-dd'T'HH:mm:ss.SSS")
        for (milliseconds, text) in [
            (-62_198_755_200_001, "-0002-12-31T23:59:59.999"),
            (253_402_300_800_000, "10000-01-01T00:00:00.000"),
            (Int64.max, "292278994-08-17T07:12:55.807"),
            (Int64.min, "-292275055-05-16T16:47:04.192"),
        ] as [(Int64, String)] {
            var bytes: [UInt8] = []
            pattern.append(milliseconds, to: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == text)
        }
    }

    @Test(
        "any text becomes part of a file's name",
        arguments: [
            ("../../etc/passwd", "_._.._etc_passwd"), ("a\u{0}b\n\u{7f}", "a_b__"), (".", "_"),
            ("", "__missing__"), ("ü/x", "ü_x"),
        ]
    )
    func fileNames(text: String, name: String) {
        var bytes = Array("dir/".utf8) + Array(text.utf8)
        FileNameText.clean(&bytes, from: 4)
        #expect(String(decoding: bytes, as: UTF8.self) == "dir/" + name)
    }

    @Test("long texts are cut between characters and told apart", arguments: ["ü", "x", "🐟"])
    func longNames(_ character: String) {
        var names: Set<[UInt8]> = []
        for length in 100..<300 {
            var bytes = Array(String(repeating: character, count: length).utf8)
            FileNameText.clean(&bytes, from: 0)
            #expect(bytes.count <= 128 + 17)
            #expect(String(validating: bytes, as: UTF8.self) != nil)
            names.insert(bytes)
        }
        #expect(names.count == 200)
        // Bytes that are no characters at all.
        var bytes = [UInt8](repeating: 0x80, count: 500)
        FileNameText.clean(&bytes, from: 0)
        #expect(!bytes.isEmpty && bytes.count <= 128 + 17)
    }
}
