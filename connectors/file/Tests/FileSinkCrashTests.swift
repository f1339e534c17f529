import ConnectorSDK
import ConnectorTesting
import Foundation
import TestServices
import Testing

@testable import FileConnector

/// Takes a picture of the disk between any two changes to it, and starts again from each.
@Suite("File sink after a crash")
struct FileSinkCrashTests {
    static let variants: [FileSinkTests.Variant] =
        FileSinkTests.variants + [
            .init(
                testDescription: "many files",
                values: [
                    "format": "headed", "path": "out/${field:name}.txt", "max.open.files": "1",
                ]
            )
        ]

    let fixture: FileSinkFixture
    let id = TopicPartition(FileSinkFixture.topic, 0)

    init() throws { fixture = try FileSinkFixture() }

    private func copy(from: String, to: String) {
        let files = FileManager.default
        try? files.removeItem(atPath: to)
        try? files.createDirectory(atPath: to, withIntermediateDirectories: true)
        for name in ["out", "state"] {
            try? files.copyItem(atPath: from + "/" + name, toPath: to + "/" + name)
        }
    }

    /// Adds bytes to everything that is not complete, as a write that was cut off would.
    private func tear() throws {
        let state = try? fixture.directory.read("state/file-sink-0.json")
        let checkpoint = state.flatMap { SinkCheckpoint($0) }
        for name in fixture.hiddenNames() {
            // What only waits for its name is written to no more.
            let path = fixture.directory.file("out/" + name)
            if checkpoint?.renames.contains(where: { $0.workPath == path }) == true { continue }
            let handle = try FileHandle(
                forWritingTo: URL(filePath: fixture.directory.file("out/" + name))
            )
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("record 12".utf8))
            try handle.close()
        }
    }

    /// Writes up to `end`, from where the sink is, committing every now and then.
    private func work(
        _ values: [String: String],
        until end: Int,
        commits: Bool = true,
        pause: @escaping () -> Void = {}
    ) async throws {
        let sink = try fixture.sink(values)
        sink.pause = pause
        var next = Int(try await sink.open([id])?[id] ?? 0)
        pause()
        while next < end {
            let count = min(next % 3 == 0 ? 9 : 4, end - next)
            try await sink.write(fixture.batch(next..<next + count, values))
            next += count
            pause()
            if commits && next % 2 == 0 || next == end {
                try await sink.commit([id: Int64(next)])
                pause()
            }
        }
        await sink.close()
    }

    @Test("doubles, loses and tears nothing", arguments: variants)
    func crash(_ variant: FileSinkTests.Variant) async throws {
        // D2, D6
        let root = fixture.directory.path
        let pictures = try TemporaryDirectory()
        var count = 0
        for end in [30, 50] {
            try await work(variant.values, until: end) {
                copy(from: root, to: pictures.file(String(count)))
                count += 1
            }
        }
        #expect(count > 10)
        for number in 0..<count {
            for isTorn in [false, true] {
                for name in ["out", "state"] {
                    try? FileManager.default.removeItem(atPath: fixture.directory.file(name))
                }
                copy(from: pictures.file(String(number)), to: root)
                if isTorn { try tear() }
                try await work(variant.values, until: 50, commits: false)
                #expect(
                    try fixture.numbers().sorted() == Array(0..<50),
                    "after crash \(number) of \(count)"
                )
                #expect(fixture.hiddenNames().isEmpty, "after crash \(number) of \(count)")
            }
        }
    }

    @Test("a file appended to in place is cut back to what it was")
    func inPlace() async throws {
        try await work([:], until: 10)
        #expect(fixture.names() == ["data.txt"])
        let sink = try fixture.sink()
        _ = try await sink.open([id])
        // Enough to be written before the commit that never comes.
        for start in stride(from: 10, to: 40_010, by: 4_000) {
            try await sink.write(fixture.batch(start..<start + 4_000))
        }
        #expect(try fixture.numbers().count > 10)
        let again = try fixture.sink()
        #expect(try await again.open([id]) == [id: 10])
        #expect(try fixture.numbers() == Array(0..<10))
        await again.close()
    }

    @Test("a damaged checkpoint stops the sink and says so")
    func damagedCheckpoint() async throws {
        try await work([:], until: 10)
        try fixture.directory.write("{\"version\":1", to: "state/file-sink-0.json")
        let sink = try fixture.sink()
        let error = await #expect(throws: ConnectorError.self) { _ = try await sink.open([id]) }
        #expect(error?.code.rawValue == "file.checkpoint_damaged")
    }

    @Test("a checkpoint comes back as it was, whatever paths hold")
    func checkpointRoundTrip() {
        var checkpoint = SinkCheckpoint()
        let odd = "\"\\\u{1}\n😀/${x}"
        checkpoint.offsets = [
            TopicPartition(odd, 3): .init(next: .max, generation: 1),
            id: .init(next: 0, generation: .max),
        ]
        checkpoint.files = [
            .init(key: odd, workPath: odd, finalPath: "", length: 1, records: 2, format: odd)
        ]
        checkpoint.renames = [.init(workPath: odd, finalPath: odd)]
        checkpoint.sequences = [odd: 7]
        #expect(SinkCheckpoint(checkpoint.text) == checkpoint)
    }
}
