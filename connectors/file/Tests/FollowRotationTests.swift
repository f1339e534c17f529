import ConnectorSDK
import ConnectorTesting
import Foundation
import TestServices
import Testing

@testable import FileConnector

/// Every way of rotating, while the source runs and while it does not.
@Suite("Following rotated files", .timeLimit(.minutes(10)))
struct FollowRotationTests {
    let fixture: FollowFixture

    init() throws { fixture = try FollowFixture() }

    /// Lines that tell their content by its first bytes.
    private func lines(_ name: String, _ range: ClosedRange<Int>) -> String {
        range.map { "2026-11-21 08:00:00 \(name) line \($0)\n" }.joined()
    }

    private func texts(_ name: String, _ range: ClosedRange<Int>) -> [String] {
        range.map { "2026-11-21 08:00:00 \(name) line \($0)" }
    }

    private func rename(_ from: String, _ to: String) throws {
        try fixture.files.rename(from, to: to)
    }

    @Test("renamed and made anew: the old file is read to its end, then the new one")
    func renameAndCreate() async throws {
        try fixture.append(lines("a", 1...3), to: "app.log")
        let outlet = try await fixture.follow(
            until: 9,
            [
                .after(3) {
                    try rename("app.log", "app.log.1")
                    try fixture.append(lines("a", 4...5), to: "app.log.1")
                    try fixture.append(lines("b", 1...2), to: "app.log")
                },
                .after(7) {
                    try rename("app.log.1", "app.log.2")
                    try rename("app.log", "app.log.1")
                    try fixture.append(lines("c", 1...1), to: "app.log")
                    try fixture.append(lines("a", 6...6), to: "app.log.2")
                },
            ]
        )
        let first = texts("a", 1...5) + texts("b", 1...2)
        #expect(Array(outlet.texts.prefix(7)) == first)
        #expect(Set(outlet.texts.dropFirst(7)) == Set(texts("c", 1...1) + texts("a", 6...6)))
    }

    @Test("renamed to a name that no pattern matches", arguments: ["app.log.1", "other"])
    func outsideOfPatterns(_ name: String) async throws {
        try fixture.append(lines("a", 1...3), to: "app.log")
        let first = try await fixture.follow(["include": "*.log"], until: 3)
        try fixture.append(lines("a", 4...5), to: "app.log")
        try rename("app.log", name)
        try fixture.append(lines("b", 1...2), to: "app.log")
        // The rename is found again after a restart, by the inode.
        let second = try await fixture.follow(
            ["include": "*.log"],
            from: first.positions,
            until: 5,
            [.after(4) { try fixture.append(lines("a", 6...6), to: name) }]
        )
        #expect(Set(second.texts) == Set(texts("a", 4...6) + texts("b", 1...2)))
        #expect(second.texts.count == 5)
    }

    // D5
    @Test("rotated twice while nobody looked: in their order, however long each is")
    func twice() async throws {
        try fixture.append(lines("a", 1...3), to: "app.log")
        let first = try await fixture.follow(until: 3)
        try fixture.append(lines("a", 4...9_999), to: "app.log")
        try rename("app.log", "app.log.2")
        try fixture.append(lines("b", 1...9_999), to: "app.log.1")
        try fixture.append(lines("c", 1...9_999), to: "app.log")
        let all = texts("a", 4...9_999) + texts("b", 1...9_999) + texts("c", 1...9_999)
        let second = try await fixture.follow(from: first.positions, until: all.count)
        #expect(second.texts == all)
    }

    // D5
    @Test(
        "what was there before the first run is read as it was written",
        arguments: [["app.log.2", "app.log.1"], ["app.log-20261120", "app.log-20261121"]]
    )
    func generations(_ names: [String]) async throws {
        try fixture.append(lines("a", 1...9_999), to: names[0])
        try fixture.append(lines("b", 1...9_999), to: names[1])
        try fixture.append(lines("c", 1...9_999), to: "app.log")
        let all = texts("a", 1...9_999) + texts("b", 1...9_999) + texts("c", 1...9_999)
        let first = try await fixture.follow(until: 3_000, durability: .whenSettled)
        let got = first.texts.count
        let second = try await fixture.follow(from: first.positions, until: all.count - got)
        #expect(first.texts + second.texts == all)
    }

    @Test(
        "copied and cut off: what only the copy holds is read from the copy",
        arguments: [true, false]
    )
    func copyTruncate(_ isMatched: Bool) async throws {
        let values = ["include": isMatched ? "*.log*" : "*.log"]
        try fixture.append(lines("a", 1...3), to: "app.log")
        let first = try await fixture.follow(
            values,
            until: 8,
            [
                .after(3) {
                    try fixture.copy("app.log", to: "app.log.1")
                    try fixture.truncate("app.log")
                    try fixture.append(lines("b", 1...2), to: "app.log")
                },
                .after(5) {
                    try rename("app.log.1", "app.log.2")
                    try fixture.copy("app.log", to: "app.log.1")
                    try fixture.truncate("app.log")
                    // More than there was before.
                    try fixture.append(lines("c", 1...3), to: "app.log")
                },
            ]
        )
        #expect(first.texts == texts("a", 1...3) + texts("b", 1...2) + texts("c", 1...3))
        // While it does not run.
        try fixture.append(lines("c", 4...6), to: "app.log")
        try rename("app.log.1", "app.log.3")
        try fixture.copy("app.log", to: "app.log.1")
        try fixture.truncate("app.log")
        try fixture.append(lines("d", 1...9), to: "app.log")
        let second = try await fixture.follow(values, from: first.positions, until: 12)
        #expect(second.texts == texts("c", 4...6) + texts("d", 1...9))
        let positions = fixture.known(first.positions, second)
        #expect(try await fixture.follow(values, from: positions, until: 0).texts == [])
    }

    @Test("a copy is not read while its original is in place, nor when the source starts again")
    func copyBeforeTruncate() async throws {
        try fixture.append(lines("a", 1...3), to: "app.log")
        let first = try await fixture.follow(
            until: 3,
            [.after(3) { try fixture.copy("app.log", to: "app.log.1") }]
        )
        #expect(first.texts == texts("a", 1...3))
        let second = try await fixture.follow(
            from: first.positions,
            until: 1,
            [
                .after(0) {
                    try fixture.truncate("app.log")
                    try fixture.append(lines("b", 1...1), to: "app.log")
                }
            ]
        )
        #expect(second.texts == texts("b", 1...1))
        let third = try await fixture.follow(
            from: fixture.known(first.positions, second),
            until: 0,
            [.after(0) { fixture.lead.advance(.seconds(60)) }]
        )
        #expect(third.texts == [])
    }

    @Test("cut off and written anew, shorter, longer and as long as before")
    func rewritten() async throws {
        try fixture.append(lines("a", 1...4), to: "app.log")
        let first = try await fixture.follow(
            until: 14,
            [
                .after(4) { try fixture.files.overwrite(lines("b", 1...2), in: "app.log") },
                .after(6) { try fixture.files.overwrite(lines("c", 1...2), in: "app.log") },
                .after(8) { try fixture.files.overwrite(lines("d", 1...6), in: "app.log") },
            ]
        )
        #expect(
            first.texts
                == texts("a", 1...4) + texts("b", 1...2) + texts("c", 1...2) + texts("d", 1...6)
        )
        try fixture.files.overwrite(lines("e", 1...6), in: "app.log")
        let second = try await fixture.follow(from: first.positions, until: 6)
        #expect(second.texts == texts("e", 1...6))
    }

    // D2
    @Test("seen first while it is compressed: what is in both files is read once")
    func compressing() async throws {
        try fixture.append(lines("a", 1...30), to: "app.log.1")
        try fixture.compress("app.log.1", to: "app.log.1.gz", keeping: true)
        try fixture.append(lines("b", 1...1), to: "app.log")
        let first = try await fixture.follow(
            until: 31,
            [.after(31) { try fixture.files.remove("app.log.1") }]
        )
        #expect(first.texts.sorted() == (texts("a", 1...30) + texts("b", 1...1)).sorted())
        let second = try await fixture.follow(from: first.positions, until: 0)
        #expect(second.texts == [])
    }

    @Test("compressed: what was read is not read again, what was not is")
    func compressed() async throws {
        try fixture.append(lines("z", 1...2), to: "old")
        try fixture.compress("old", to: "app.log.9.gz")
        try fixture.append(lines("a", 1...3), to: "app.log")
        let first = try await fixture.follow(
            until: 6,
            [
                .after(5) {
                    try rename("app.log", "app.log.1")
                    try fixture.append(lines("b", 1...1), to: "app.log")
                    try fixture.compress("app.log.1", to: "app.log.1.gz")
                }
            ]
        )
        #expect(
            first.texts.sorted() == texts("a", 1...3) + texts("b", 1...1) + texts("z", 1...2)
        )
        // While it does not run: more is written, and all of it compressed.
        try fixture.append(lines("b", 2...3), to: "app.log")
        try rename("app.log.1.gz", "app.log.2.gz")
        try fixture.compress("app.log", to: "app.log.1.gz")
        try fixture.append(lines("c", 1...1), to: "app.log")
        let second = try await fixture.follow(from: first.positions, until: 3)
        #expect(second.texts.sorted() == texts("b", 2...3) + texts("c", 1...1))
        let positions = fixture.known(first.positions, second)
        let third = try await fixture.follow(from: positions, until: 0)
        #expect(third.texts == [])
    }

    @Test("a removed file is read as long as its writer holds it")
    func removed() async throws {
        try fixture.append(lines("a", 1...3), to: "app.log")
        let handle = try FileHandle(forWritingTo: URL(filePath: fixture.directory.file("app.log")))
        try handle.seekToEnd()
        let outlet = try await fixture.follow(
            ["rotate.wait.ms": "1m"],
            until: 7,
            [
                .after(3) {
                    try fixture.files.remove("app.log")
                    try handle.write(contentsOf: Data(lines("a", 4...5).utf8))
                },
                .after(5) { try handle.write(contentsOf: Data("no end".utf8)) },
                .after(5) { try fixture.append(lines("b", 1...1), to: "app.log") },
                .after(6) { try handle.close() },
            ] + FollowFixture.rounds(100, after: 6) + [
                .after(6) { fixture.lead.advance(.seconds(120)) }
            ]
        )
        #expect(outlet.texts == texts("a", 1...5) + texts("b", 1...1) + ["no end"])
    }

    // D6
    @Test("a source that is stopped first reads what no later one can find")
    func removedBeforeStop() async throws {
        try fixture.append(lines("a", 1...3), to: "app.log")
        let handle = try FileHandle(forWritingTo: URL(filePath: fixture.directory.file("app.log")))
        let source = try fixture.files.source(["include": "*.log*", "follow": "true"])
        let outlet = RecordingOutlet(for: source)
        outlet.stopAfterIdling = 1_000
        outlet.onIdle = { [unowned outlet] _ in
            guard outlet.records.count == 3 else { return }
            try fixture.files.remove("app.log")
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(lines("a", 4...9_999).utf8) + Data("no end".utf8))
            outlet.stop()
        }
        try await source.run(from: [:], into: outlet)
        #expect(outlet.texts == texts("a", 1...9_999) + ["no end"])
    }

    @Test("the place in a removed file is forgotten after a while, others are kept")
    func forgets() async throws {
        try fixture.append(lines("a", 1...3), to: "app.log")
        try fixture.append(lines("b", 1...1), to: "other.log")
        let outlet = try await fixture.follow(
            ["rotate.wait.ms": "0", "forget.after.ms": "1m"],
            until: 5,
            [
                .after(4) { try fixture.files.remove("app.log") },
                .after(4) { try fixture.append(lines("b", 2...2), to: "other.log") },
                .after(5) { fixture.lead.advance(.seconds(100)) },
            ]
        )
        #expect(outlet.positions.count == 1)
        #expect(outlet.positions.values.first?.contains("other.log") == true)
    }

    @Test("a new file in the inode of a removed one is a new file")
    func inodeReuse() async throws {
        for number in 1...20 {
            let name = "app\(number).log"
            try fixture.append(lines("a", 1...3), to: name)
            let first = try await fixture.follow(["include": name], until: 3)
            try fixture.files.remove(name)
            try fixture.append(lines("a", 1...5), to: name)
            let second = try await fixture.follow(
                ["include": name],
                from: first.positions,
                until: 5
            )
            #expect(second.texts == texts("a", 1...5))
        }
    }

    @Test("files that begin alike are files of their own")
    func alike() async throws {
        try fixture.append("started\n", to: "worker-1.log")
        try fixture.append("started\n", to: "a.log")
        let outlet = try await fixture.follow(
            until: 8,
            [
                .after(2) {
                    try fixture.append("started\n", to: "worker-2.log")
                    try fixture.append("started\n", to: "b.log")
                },
                .after(3) { try fixture.append("listening to worker 2\n", to: "worker-2.log") },
                .after(5) { try fixture.append("started\n", to: "worker-3.log") },
                .after(5) { fixture.lead.advance(.seconds(60)) },
                .after(6) { try fixture.append("more\n", to: "worker-3.log") },
                .after(7) { try fixture.append("more\n", to: "worker-1.log") },
            ]
        )
        #expect(outlet.texts.filter { $0 == "started" }.count == 5)
        #expect(outlet.texts.count == 8)
    }
}
