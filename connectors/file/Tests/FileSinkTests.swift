import ConnectorSDK
import ConnectorTesting
import Foundation
import TestServices
import Testing

@testable import FileConnector

@Suite("File sink")
struct FileSinkTests {
    let fixture: FileSinkFixture

    init() throws { fixture = try FileSinkFixture() }

    struct Variant: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var values: [String: String]
    }

    static let variants = [
        Variant(testDescription: "one file", values: [:]),
        Variant(testDescription: "gzip", values: ["path": "out/a.gz", "compression": "gzip"]),
        Variant(testDescription: "zstd", values: ["path": "out/a.zst", "compression": "zstd"]),
        Variant(testDescription: "rotated by records", values: ["rotate.records": "7"]),
        Variant(testDescription: "rotated by size", values: ["rotate.size": "100"]),
        Variant(testDescription: "with an end", values: ["format": "framed"]),
        Variant(
            testDescription: "with an end, compressed",
            values: ["format": "framed", "path": "out/a.gz", "compression": "gzip"]
        ),
        Variant(
            testDescription: "with an end, rotated",
            values: ["format": "framed", "rotate.records": "7"]
        ),
        Variant(testDescription: "with a header", values: ["format": "headed"]),
        Variant(testDescription: "partitions", values: ["path": "out/${topic}-${partition}.txt"]),
    ]

    @Test("keeps the sink contract", arguments: variants, SinkRequirement.allCases)
    func conformance(_ variant: Variant, _ requirement: SinkRequirement) async throws {
        try await fixture.scenario(variant.values).verify(requirement)
        #expect(fixture.hiddenNames().isEmpty, "temporary files are left")
    }

    private func run(
        _ values: [String: String],
        _ ranges: [Range<Int>],
        closes: Bool = true
    ) async throws {
        let sink = try fixture.sink(values)
        let id = TopicPartition(FileSinkFixture.topic, 0)
        _ = try await sink.open([id])
        for range in ranges {
            try await sink.write(fixture.batch(range, values))
            try await sink.commit([id: Int64(range.upperBound)])
        }
        if closes { await sink.close() }
    }

    @Test("a file is not seen before it is complete")
    func hiddenUntilComplete() async throws {
        let sink = try fixture.sink()
        let id = TopicPartition(FileSinkFixture.topic, 0)
        _ = try await sink.open([id])
        try await sink.write(fixture.batch(0..<10))
        try await sink.commit([id: 10])
        #expect(fixture.names() == [])
        await sink.close()
        #expect(fixture.names() == ["data.txt"])
        #expect(try fixture.numbers() == Array(0..<10))
    }

    @Test("the next run appends where that is possible, and else makes another file")
    func nextRun() async throws {
        try await run([:], [0..<10])
        try await run([:], [10..<20])
        #expect(fixture.names() == ["data.txt"])
        let framed = ["format": "framed", "path": "out/framed.xml"]
        for start in [0, 10, 20] { try await run(framed, [start..<start + 10]) }
        #expect(
            fixture.names()
                == ["data.txt", "framed.xml", "framed-000001.xml", "framed-000002.xml"]
        )
        #expect(try fixture.numbers("framed-000001.xml") == Array(10..<20))
        #expect(try fixture.text("framed.xml").hasSuffix("</rows>\n"))
    }

    @Test("a file with other columns, or of somebody else, is not appended to")
    func foreignFiles() async throws {
        let headed = ["format": "headed", "path": "out/a.csv"]
        try fixture.directory.write("<other|columns>\n1|2\n", to: "out/a.csv")
        try await run(headed, [0..<3])
        try await run(headed, [3..<6])
        #expect(fixture.names() == ["a.csv", "a-000001.csv", "a-000002.csv"])
        #expect(try fixture.text("a.csv") == "<other|columns>\n1|2\n")
        try fixture.directory.write("no line end", to: "out/b.txt")
        try await run(["path": "out/b.txt"], [6..<9])
        #expect(try fixture.text("b.txt") == "no line end")
        #expect(try fixture.numbers("b-000001.txt") == Array(6..<9))
        // One that was written with the same columns goes on.
        try fixture.directory.write("<number|name>\n0|x\n", to: "out/c.csv")
        try await run(["format": "headed", "path": "out/c.csv"], [9..<11])
        #expect(try fixture.numbers("c.csv") == [0, 9, 10])
        #expect(try fixture.text("c.csv").components(separatedBy: "<").count == 2)
    }

    @Test("files rotate at exactly so many records, also within a batch")
    func rotation() async throws {
        try await run(["rotate.records": "7"], [0..<20, 20..<25])
        #expect(
            fixture.names() == (1...4).map { "data-00000\($0).txt" }
        )
        #expect(try fixture.numbers("data-000001.txt").count == 7)
        #expect(try fixture.numbers("data-000004.txt") == Array(21..<25))
        // Numbers are not given again, even if files are taken away.
        try FileManager.default.removeItem(atPath: fixture.directory.file("out/data-000004.txt"))
        try await run(["rotate.records": "7"], [25..<26])
        #expect(fixture.names().last == "data-000005.txt")
    }

    @Test("files rotate by size and by age")
    func rotationBySizeAndAge() async throws {
        try await run(["rotate.size": "2KiB", "path": "out/size.txt"], [0..<1_000])
        let sizes = try fixture.names().map { try fixture.text($0).utf8.count }
        #expect(sizes.count >= 4)
        #expect(sizes.dropLast().allSatisfy { (2_048..<4_096).contains($0) })
        var now: Int64 = 0
        let sink = try fixture.sink(["rotate.interval.ms": "1m", "path": "out/age.txt"])
        sink.now = { now }
        let id = TopicPartition(FileSinkFixture.topic, 0)
        _ = try await sink.open([id])
        for step in 0..<4 {
            try await sink.write(fixture.batch(step * 10..<step * 10 + 10))
            try await sink.commit([id: Int64(step + 1) * 10])
            now += 40_000
        }
        await sink.close()
        #expect(fixture.names().count { $0.hasPrefix("age") } == 2)
        #expect(try fixture.numbers("age-000001.txt") == Array(0..<20))
    }

    @Test("a file that became old is completed although no records come")
    func idleRotation() async throws {
        let fixture = try FileSinkFixture()
        var now: Int64 = 0
        let sink = try fixture.sink(["rotate.interval.ms": "1m", "path": "out/age.txt"])
        sink.now = { now }
        let id = TopicPartition(FileSinkFixture.topic, 0)
        _ = try await sink.open([id])
        try await sink.write(fixture.batch(0..<10))
        try await sink.commit([id: 10])
        now += 59_999
        try await sink.idle()
        #expect(fixture.names().isEmpty)
        now += 1
        try await sink.idle()
        #expect(try fixture.numbers("age-000001.txt") == Array(0..<10))
        #expect(fixture.hiddenNames().isEmpty)
        // D2: a new instance goes on behind what is in the file.
        let next = try fixture.sink(["rotate.interval.ms": "1m", "path": "out/age.txt"])
        #expect(try await next.open([id]) == [id: 10])
        await next.close()
        await sink.close()
    }

    @Test("each record goes where its topic, partition, time and fields say")
    func templates() async throws {
        let values = [
            "format": "headed",
            "path": "out/${topic}/p${partition}/${timestamp:yyyy/MM/dd'T'HH}-${field:name}.txt",
        ]
        let sink = try fixture.sink(values)
        let id = TopicPartition(FileSinkFixture.topic, 3)
        _ = try await sink.open([id])
        let batch = fixture.batch(0..<6, values, partition: 3)
        batch.metadata(0).pointee.timestamp = 0
        batch[1, 1] = batch.makeCell(.string("../../etc/passwd"))
        batch[2, 1] = batch.makeCell(.string(""))
        batch[3, 1] = .missing
        batch[4, 1] = batch.makeCell(.string(String(repeating: "ü", count: 500)))
        batch.metadata(5).pointee.timestamp = RecordMetadata.noTimestamp
        try await sink.write(batch)
        try await sink.commit([id: 6])
        await sink.close()
        let day = "conformance/p3/2023/11/14T22"
        let names = fixture.names()
        #expect(names.contains("conformance/p3/1970/01/01T00-name 0.txt"))
        #expect(names.contains(day + "-_._.._etc_passwd.txt"))
        #expect(try fixture.numbers(day + "-__missing__.txt") == [2, 3])
        #expect(names.contains("conformance/p3/__missing__-name 2.txt"))
        #expect(names.contains { $0.contains("üüü") && $0.contains("~") })
        #expect(try fixture.numbers().sorted() == Array(0..<6))
    }

    @Test("more paths than may be open, or remembered, lose nothing")
    func manyPaths() async throws {
        let values = [
            "format": "headed", "path": "out/${field:number}.txt", "max.open.files": "2",
        ]
        let sink = try fixture.sink(values)
        let id = TopicPartition(FileSinkFixture.topic, 0)
        _ = try await sink.open([id])
        for round in 0..<4 {
            try await sink.write(fixture.batch(0..<100, values))
            if round % 2 == 1 { try await sink.commit([id: Int64(round)]) }
            #expect(sink.files.all.count { $0.isOpen } <= 2)
            #expect(sink.files.count <= 32)
        }
        await sink.close()
        let all = try fixture.numbers()
        #expect(all.count == 400)
        #expect(Set(all) == Set(0..<100))
    }

    @Test("a refused batch leaves no file, no number and no record behind")
    func refusedBatch() async throws {
        let values = ["format": "framed", "rotate.records": "3"]
        let sink = try fixture.sink(values)
        let id = TopicPartition(FileSinkFixture.topic, 0)
        _ = try await sink.open([id])
        for spoilt in [0, 5, 9] {
            let batch = fixture.batch(0..<10, values)
            batch[spoilt, 0] = batch.makeCell(.bytes([1]))
            await #expect(throws: ConnectorError.self) { try await sink.write(batch) }
        }
        try await sink.write(fixture.batch(0..<4, values))
        let batch = fixture.batch(4..<10, values)
        batch[5, 0] = batch.makeCell(.bytes([1]))
        await #expect(throws: ConnectorError.self) { try await sink.write(batch) }
        try await sink.write(fixture.batch(4..<9, values))
        try await sink.commit([id: 10])
        await sink.close()
        #expect(fixture.names() == (1...3).map { "data-00000\($0).txt" })
        #expect(try fixture.numbers() == Array(0..<9))
        for name in fixture.names() {
            #expect(try fixture.text(name).components(separatedBy: "<number").count == 2)
        }
    }

    @Test("compressed files are what other tools read", arguments: ["gzip", "zstd"])
    func compression(_ kind: String) async throws {
        let name = kind == "gzip" ? "a.txt.gz" : "a.txt.zst"
        let values = ["path": "out/" + name, "compression": kind]
        try await run(values, [0..<4_000, 4_000..<4_010])
        try await run(values, [4_010..<4_020])
        #expect(fixture.names() == [name])
        #expect(try fixture.numbers() == Array(0..<4_020))
        let lines = (0..<4_020).map { "record \($0)\n" }
        #expect(try fixture.decompressed(name, by: kind) == lines.joined())
    }

    @Test(
        "a configuration that cannot work names its key",
        arguments: [
            "out/${colour}", "out/${field}", "out/${topic", "out/${timestamp:}", "out/",
            "out/${timestamp:yyyy-QQ}", "out/${field:}", "out/${timestamp:'open}", "",
            "out/${field:name}.txt",
        ]
    )
    func badPath(_ path: String) {
        let error = #expect(throws: ConnectorError.self) { try fixture.sink(["path": path]) }
        #expect(error?.configurationKey == "path")
        #expect(error?.kind == .configuration)
    }

    @Test("several tasks need a path of their own each, and take over from those that are gone")
    func tasks() async throws {
        #expect(throws: ConnectorError.self) { try fixture.sink(task: 0, of: 2) }
        let values = ["path": "out/${partition}.txt"]
        let ids = (0..<4).map { TopicPartition(FileSinkFixture.topic, Int32($0)) }
        for task in 0..<2 {
            let sink = try fixture.sink(values, task: task, of: 2)
            let own = ids.filter { Int($0.partition) % 2 == task }
            _ = try await sink.open(own)
            for id in own {
                try await sink.write(fixture.batch(0..<10, values, partition: id.partition))
            }
            try await sink.commit(Dictionary(uniqueKeysWithValues: own.map { ($0, 10) }))
            // It dies with uncommitted records.
            try await sink.write(fixture.batch(10..<15, values, partition: own[0].partition))
        }
        #expect(fixture.names() == [])
        let only = try fixture.sink(values)
        let offsets = try await only.open(ids)
        #expect(offsets == Dictionary(uniqueKeysWithValues: ids.map { ($0, 10) }))
        for id in ids {
            try await only.write(fixture.batch(10..<20, values, partition: id.partition))
        }
        try await only.commit(Dictionary(uniqueKeysWithValues: ids.map { ($0, 20) }))
        await only.close()
        #expect(fixture.names() == ["0.txt", "1.txt", "2.txt", "3.txt"])
        for name in fixture.names() { #expect(try fixture.numbers(name) == Array(0..<20)) }
        #expect(fixture.hiddenNames().isEmpty)
        // An operator sets a partition back; what another task once knew does not count any more.
        let reset = try fixture.sink(values)
        _ = try await reset.open(ids)
        try await reset.commit([ids[3]: 5])
        await reset.close()
        #expect(try await fixture.sink(values).open([ids[3]]) == [ids[3]: 5])
        let ahead = try fixture.sink(values)
        _ = try await ahead.open(ids)
        try await ahead.commit([ids[3]: 20])
        await ahead.close()
        // And back to two.
        for task in 0..<2 {
            let sink = try fixture.sink(values, task: task, of: 2)
            let own = ids.filter { Int($0.partition) % 2 == task }
            #expect(
                try await sink.open(own) == Dictionary(uniqueKeysWithValues: own.map { ($0, 20) })
            )
            await sink.close()
        }
    }
}
