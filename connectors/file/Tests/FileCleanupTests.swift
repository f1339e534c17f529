import ConnectorSDK
import ConnectorTesting
import Glibc
import TestServices
import Testing

@testable import FileConnector

@Suite("File source clean-up")
struct FileCleanupTests {
    let fixture: FileSourceFixture
    let move = ["include": "in/*.txt", "cleanup.policy": "move", "finished.path": "in/done"]

    init() throws { fixture = try FileSourceFixture() }

    @Test("a file stays until all of it is durable, and is then moved")
    func movesAfterDurable() async throws {
        // D1
        try fixture.write("one\n", to: "in/a.txt")
        let held = try await fixture.run(move, durability: .held)
        #expect(held.texts == ["one"])
        #expect(fixture.names("in") == ["a.txt"])
        let outlet = try await fixture.run(move, durability: .whenSettled)
        #expect(outlet.texts == ["one"])
        #expect(fixture.names("in") == ["done"])
        #expect(fixture.names("in/done") == ["a.txt"])
    }

    @Test("what a crash left undone between durable and moved is done at the next start")
    func resumesCleanup() async throws {
        try fixture.write("one\n", to: "in/a.txt")
        let held = try await fixture.run(move, durability: .held)
        let outlet = try await fixture.run(move, from: held.positions)
        #expect(outlet.texts == [])
        #expect(fixture.names("in/done") == ["a.txt"])
    }

    @Test("a name that is taken gets a number, and nothing is overwritten")
    func collisions() async throws {
        var positions: [String: String] = [:]
        for text in ["one", "two", "three"] {
            try fixture.write(text, to: "in/a.b.txt")
            positions = try await fixture.run(move, from: positions).positions
        }
        #expect(fixture.names("in/done") == ["a.b-1.txt", "a.b-2.txt", "a.b.txt"])
        #expect(try fixture.directory.read("in/done/a.b.txt") == "one")
        #expect(try fixture.directory.read("in/done/a.b-2.txt") == "three")
    }

    @Test("a finished file that is put back is read again")
    func putBack() async throws {
        try fixture.write("one\n", to: "in/a.txt")
        let first = try await fixture.run(move)
        try fixture.rename("in/done/a.txt", to: "in/a.txt")
        let second = try await fixture.run(move, from: first.positions)
        #expect(second.texts == ["one"])
        #expect(fixture.names("in/done") == ["a.txt"])
    }

    @Test("what clean-up took away is forgotten, and what stays is remembered")
    func forgets() async throws {
        for index in 0..<20 { try fixture.write("\(index)\n", to: "in/\(index).txt") }
        try fixture.write("stays\n", to: "out/a.txt")
        for policy in ["move", "delete"] {
            let values = move.merging(["cleanup.policy": policy]) { $1 }
            let outlet = try await fixture.run(values, durability: .whenSettled)
            #expect(outlet.positions.isEmpty, "\(policy)")
            #expect(outlet.durablePositions.isEmpty, "\(policy)")
            // D3: a file is forgotten only behind its last position, and after it was durable.
            let parts = outlet.sent.map(\.position.partition)
            for (index, item) in outlet.sent.enumerated() where item.isForgotten {
                let last = parts[..<index].lastIndex(of: item.position.partition)
                #expect(last.map { outlet.sent[$0].isForgotten } == false)
            }
            for name in fixture.names("in/done") {
                try fixture.rename("in/done/\(name)", to: "in/\(name)")
            }
        }
        let kept = try await fixture.run(["include": "out/*.txt"])
        #expect(kept.positions.count == 1)
        #expect(try await fixture.run(["include": "out/*.txt"], from: kept.positions).sent.isEmpty)
    }

    @Test("a crash between moving a file and forgetting it leaves nothing behind")
    func forgetsAfterCrash() async throws {
        try fixture.write("one\n", to: "in/a.txt")
        let held = try await fixture.run(move, durability: .held)
        // The process had moved the file, and died before its position was removed.
        _ = try await fixture.run(move, from: held.positions)
        #expect(fixture.names("in/done") == ["a.txt"])
        let outlet = try await fixture.run(move, from: held.positions)
        #expect(outlet.texts == [])
        #expect(outlet.sent.map(\.isForgotten) == [true])
        try fixture.rename("in/done/a.txt", to: "in/a.txt")
        #expect(try await fixture.run(move, from: outlet.durablePositions).texts == ["one"])
    }

    @Test("files that somebody removed are forgotten on request, but not those of an absent disk")
    func forgetsRemoved() async throws {
        for name in ["a", "b", "c"] { try fixture.write("\(name)\n", to: "in/\(name).txt") }
        let keeps = ["include": "in/*.txt"]
        let forgets = keeps.merging(["forget.removed": "true"]) { $1 }
        let first = try await fixture.run(forgets)
        #expect(first.positions.count == 3)
        try fixture.remove("in/a.txt")
        try fixture.rename("in/b.txt", to: "in/d.txt")
        #expect(try await fixture.run(keeps, from: first.positions).sent.isEmpty)
        let second = try await fixture.run(forgets, from: first.positions)
        #expect(second.sent.map(\.isForgotten) == [true])
        var positions = first.positions
        for item in second.sent { positions[item.position.partition] = nil }
        #expect(positions.count == 2)
        // Young files are left alone, and known all the same.
        try fixture.rename("in/d.txt", to: "in/e.txt")
        try fixture.setAge(0, of: "in/e.txt")
        let aged = forgets.merging(["file.minimum.age.ms": "1h"]) { $1 }
        #expect(try await fixture.run(aged, from: positions).sent.isEmpty)
        try fixture.rename("in", to: "elsewhere")
        try fixture.directory.write("", to: "in/.keep")
        try fixture.remove("in/.keep")
        #expect(try await fixture.run(forgets, from: positions).sent.isEmpty)
        // A directory that is removed with its files leaves others beside it.
        try fixture.remove("in")
        #expect(try await fixture.run(forgets, from: positions).sent.count == 2)
    }

    @Test("a path without a pattern may be missing where finished files are taken away")
    func literalPath() async throws {
        let values = ["include": "in/a.txt", "cleanup.policy": "delete"]
        try fixture.write("one\n", to: "in/a.txt")
        let outlet = try await fixture.run(values)
        #expect(outlet.texts == ["one"] && outlet.positions.isEmpty)
        #expect(try await fixture.run(values).sent.isEmpty)
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await fixture.run(["include": "in/a.txt"])
        }
        #expect(error?.code.rawValue == "file.not_found")
    }

    @Test("finished files are not found again, even if a pattern reaches them")
    func finishedIsNotRead() async throws {
        try fixture.write("one\n", to: "in/a.txt")
        let values = move.merging(["include": "in/**/*.txt"]) { $1 }
        let first = try await fixture.run(values)
        #expect(first.texts == ["one"])
        #expect(try await fixture.run(values, from: first.positions).texts == [])
    }

    @Test("deleting takes away what is durable only")
    func deletes() async throws {
        try fixture.write("one\n", to: "in/a.txt")
        let values = ["include": "in/*.txt", "cleanup.policy": "delete"]
        _ = try await fixture.run(values, durability: .held)
        #expect(fixture.names("in") == ["a.txt"])
        let outlet = try await fixture.run(values)
        #expect(fixture.names("in") == [])
        // A new file may take over the inode.
        try fixture.write("one\n", to: "in/a.txt")
        #expect(try await fixture.run(values, from: outlet.positions).texts == ["one"])
    }

    @Test("a file that grew after it was read is not taken away")
    func grownIsKept() async throws {
        try fixture.write("one\n", to: "in/a.txt")
        let outlet = try await fixture.run(move, durability: .whenSettled) { outlet in
            outlet.onSettle = {
                if fixture.names("in/done").isEmpty { try fixture.append("two\n", to: "in/a.txt") }
            }
        }
        #expect(fixture.names("in") == ["a.txt"])
        #expect(try await fixture.run(move, from: outlet.positions).texts == ["two"])
        #expect(fixture.names("in/done") == ["a.txt"])
    }

    @Test("a file whose rest cannot be read is rejected once and put aside")
    func brittle() async throws {
        try fixture.write("a\nb\nc\nFATAL\nd\n", to: "in/bad.txt", age: 20)
        try fixture.write("e\n", to: "in/good.txt", age: 10)
        let values = move.merging(["format": "brittle", "error.path": "in/failed"]) { $1 }
        let held = try await fixture.run(values, durability: .held)
        #expect(held.texts == ["a", "b", "c", "e"])
        #expect(fixture.names("in") == ["bad.txt", "good.txt"])
        let rejected = try #require(held.rejections.first)
        #expect(held.rejections.count == 1)
        #expect(rejected.error.code.rawValue == "brittle.fatal")
        #expect(rejected.error.disposition == .rejectRecord)
        #expect(rejected.line == 4)
        #expect(rejected.offset == 6)
        #expect(rejected.origin?.hasSuffix("in/bad.txt") == true)
        #expect(rejected.error.message.contains("in/bad.txt from line 4, byte 6"))
        let outlet = try await fixture.run(values, from: held.positions)
        #expect(outlet.texts == [])
        #expect(outlet.rejections.isEmpty)
        #expect(fixture.names("in/failed") == ["bad.txt"])
        #expect(fixture.names("in/done") == ["good.txt"])
    }

    @Test("without error.path such a file stays, is not tried for ever, and never deleted")
    func brittleStays() async throws {
        try fixture.write("a\nFATAL\n", to: "in/bad.txt")
        let values = ["include": "in/*.txt", "format": "brittle", "cleanup.policy": "delete"]
        let first = try await fixture.run(values)
        #expect(first.rejections.count == 1)
        let second = try await fixture.run(values, from: first.positions)
        #expect(second.sent.isEmpty)
        #expect(fixture.names("in") == ["bad.txt"])
    }

    @Test("where rejections are not tolerated the task fails and the position stays")
    func brittleFails() async throws {
        try fixture.write("a\nb\nc\nFATAL\n", to: "in/bad.txt")
        let source = try fixture.source(["include": "in/*.txt", "format": "brittle"])
        let outlet = RecordingOutlet(for: source)
        outlet.toleratesRejections = false
        await #expect(throws: ConnectorError.self) {
            try await source.run(from: [:], into: outlet)
        }
        #expect(outlet.texts == ["a", "b"])
        let again = try fixture.source(["include": "in/*.txt", "format": "brittle"])
        let second = RecordingOutlet(for: again)
        try await again.run(from: outlet.positions, into: second)
        #expect(second.texts == ["c"])
        #expect(second.rejections.count == 1)
    }

    @Test("a file that is shorter than what was read of it is an error that says so")
    func truncated() async throws {
        let long = String(repeating: "0123456789\n", count: 1_000)
        try fixture.write(long, to: "in/a.txt")
        let first = try await fixture.run(["include": "in/*.txt"])
        // In place, and with the fingerprint's bytes as they were.
        try fixture.write(String(long.prefix(8_000)), to: "in/b.txt")
        let descriptor = open(fixture.directory.file("in/a.txt"), O_WRONLY)
        ftruncate(descriptor, 8_000)
        close(descriptor)
        try fixture.remove("in/b.txt")
        let second = try await fixture.run(["include": "in/*.txt"], from: first.positions)
        #expect(second.rejections.map(\.error.code.rawValue) == ["file.truncated"])
        let third = try await fixture.run(["include": "in/*.txt"], from: second.positions)
        #expect(third.sent.isEmpty)
    }
}
