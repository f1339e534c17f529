import ConnectorSDK
import ConnectorTesting
import Foundation
import Glibc
import TestServices
import Testing

@testable import FileConnector

/// Where followed files are, who reads them, and what cannot be read of them.
@Suite("Following in places", .timeLimit(.minutes(10)))
struct FollowPlacesTests {
    let fixture: FollowFixture

    init() throws { fixture = try FollowFixture() }

    private func link(_ name: String, to target: String) throws {
        let path = fixture.directory.file(name)
        unlink(path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    // MARK: Links

    @Test("what is behind a link to a directory is noticed, and where it leads to afterwards")
    func linkedDirectory() async throws {
        try fixture.directory.write("one\n", to: "v1/a.log")
        try fixture.directory.write("six\n", to: "v2/a.log")
        try link("current", to: "v1")
        let outlet = try await fixture.follow(
            ["include": "current/*.log", "poll.interval.ms": "20"],
            until: 6,
            [
                .after(1) { try fixture.append("two\n", to: "v1/a.log") },
                .after(2) {
                    try fixture.append("three\n", to: "v1/a.log")
                    try link("current", to: "v2")
                },
                .after(4) { try fixture.append("seven\n", to: "v2/a.log") },
                // Its writer has it open still.
                .after(5) { try fixture.append("four\n", to: "v1/a.log") },
            ]
        )
        #expect(outlet.texts.filter { $0.hasPrefix("s") } == ["six", "seven"])
        #expect(Array(outlet.texts.prefix(3)) == ["one", "two", "three"])
        #expect(outlet.texts.contains("four"))
    }

    @Test("a directory of two names is read once")
    func twoNames() async throws {
        try fixture.directory.write("one\n", to: "logs/a.log")
        try link("same", to: "logs")
        let values = ["include": "logs/*.log,same/*.log", "poll.interval.ms": "20"]
        let first = try await fixture.follow(
            values,
            until: 3,
            [
                .after(1) { try fixture.append("two\n", to: "logs/a.log") },
                .after(2) { try fixture.append("three\n", to: "same/a.log") },
            ]
        )
        #expect(first.texts == ["one", "two", "three"])
        try fixture.append("four\n", to: "same/a.log")
        #expect(try await fixture.follow(values, from: first.positions, until: 1).texts == ["four"])
    }

    @Test("a link to a file is followed to what it leads to")
    func linkedFile() async throws {
        try fixture.directory.write("one\n", to: "data/one.txt")
        try fixture.directory.write("three\n", to: "data/two.txt")
        try link("a.log", to: "data/one.txt")
        let outlet = try await fixture.follow(
            ["include": "*.log", "poll.interval.ms": "20"],
            until: 4,
            [
                .after(1) { try fixture.append("two\n", to: "data/one.txt") },
                .after(2) { try link("a.log", to: "data/two.txt") },
                .after(3) { try fixture.append("four\n", to: "data/two.txt") },
            ]
        )
        #expect(outlet.texts == ["one", "two", "three", "four"])
    }

    // MARK: Several tasks

    @Test("several tasks share the files, and none of them reads another one's")
    func tasks() async throws {
        let names = (0..<12).map { "service\(UnicodeScalar(UInt8(97 + $0))).log" }
        for name in names { try fixture.append("\(name) 1\n", to: name) }
        var positions: [String: String] = [:]
        var counts: [Int] = []
        var all: [String] = []
        for number in 0..<3 {
            let outlet = try await fixture.follow(until: 0, task: (number, of: 3))
            positions.merge(outlet.positions) { $1 }
            counts.append(outlet.texts.count)
            all += outlet.texts
        }
        #expect(all.sorted() == names.map { "\($0) 1" })
        #expect(counts.filter { $0 > 0 }.count > 1, "the work is shared: \(counts)")
        // Rotated while none of them runs: the same task finds them again.
        for name in names {
            try fixture.append("\(name) 2\n", to: name)
            try fixture.files.rename(name, to: name + ".1")
            try fixture.append("\(name) 3\n", to: name)
        }
        all = []
        for number in 0..<3 {
            let outlet = try await fixture.follow(
                from: positions,
                until: 0,
                task: (number, of: 3)
            )
            #expect(outlet.texts.count == 2 * counts[number])
            all += outlet.texts
        }
        #expect(all.sorted() == names.flatMap { ["\($0) 2", "\($0) 3"] })
    }

    // MARK: What cannot be read

    // D6
    @Test(
        "a damaged archive is one rejection that says where, and others are read",
        arguments: [0.5, 0.99]
    )
    func damagedArchive(_ place: Double) async throws {
        let lines = (0..<20_000).map { "line \($0) \($0 &* 7_919 % 10_007)" }
        try fixture.append(lines.joined(separator: "\n") + "\n", to: "old")
        try fixture.compress("old", to: "app.log.1.gz")
        let path = fixture.directory.file("app.log.1.gz")
        var bytes = try Data(contentsOf: URL(filePath: path))
        let damage = Int(Double(bytes.count) * place)
        for index in damage..<min(damage + 64, bytes.count) { bytes[index] ^= 0xff }
        try bytes.write(to: URL(filePath: path))
        try fixture.append("one\n", to: "app.log")
        let first = try await fixture.follow(
            until: 2,
            [
                .after(1) { fixture.lead.advance(.seconds(600)) },
                .after(2) { try fixture.append("two\n", to: "app.log") },
            ]
        )
        let own = first.texts.filter { !$0.hasPrefix("line") }
        #expect(own == ["one", "two"])
        let read = first.texts.filter { $0.hasPrefix("line") }
        #expect(read == Array(lines.prefix(read.count)), "what was read before it is as it was")
        #expect(first.rejections.count == 1)
        let error = try #require(first.rejections.first?.error)
        #expect(error.message.contains("app.log.1.gz from line"))
        #expect(try await fixture.follow(from: first.positions, until: 0).sent.isEmpty)
    }

    // MARK: Preflight

    private func preflight(_ values: [String: String]) async throws -> [PreflightCheck] {
        let given = ["include": "*.log", "topic": "t", "follow": "true"].merging(values) { $1 }
        let source = try fixture.files.source(given)
        return try await FileSource.preflight(
            configuration: Configuration(given, baseDirectory: fixture.directory.path),
            context: source.context
        )
    }

    @Test("says whether directories can be watched, and the files be held open")
    func preflight() async throws {
        try fixture.append("one\n", to: "a.log")
        try fixture.append("one\n", to: "x/b.log")
        let checks = try await preflight(["include": "**/*.log"])
        #expect(!checks.contains { $0.outcome == .failed }, "\(checks)")
        let watches = try #require(checks.first { $0.subject == "inotify" })
        #expect(watches.outcome == .passed)
        #expect(watches.message == "2 directories can be watched.")
        var limit = rlimit()
        getrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit)
        let many = try await preflight(["max.open.files": "1000000"])
        let warning = many.first { $0.subject == "open files" }
        #expect((warning?.outcome == .warning) == (limit.rlim_cur < 2_000_000))
        #expect(warning == nil || warning?.configurationKey == "max.open.files")
    }
}
