import ConnectorSDK
import ConnectorTesting
import Foundation
import TestServices
import Testing

@testable import FileConnector

@Suite("Following files", .timeLimit(.minutes(10)))
struct FollowTests {
    let fixture: FollowFixture

    init() throws { fixture = try FollowFixture() }

    @Test("reads what is there, and then what is appended")
    func appends() async throws {
        try fixture.append("one\ntwo\r\n", to: "a.log")
        let outlet = try await fixture.follow(
            until: 4,
            [
                .after(2) { try fixture.append("three\nfo", to: "a.log") },
                .after(3) { try fixture.append("ur\n", to: "a.log") },
            ]
        )
        #expect(outlet.texts == ["one", "two", "three", "four"])
        #expect(outlet.records.map(\.line) == [1, 2, 3, 4])
        #expect(outlet.records.map(\.offset) == [0, 4, 9, 15])
    }

    @Test("begins at the end where told to, but not with files that come later")
    func readFromEnd() async throws {
        try fixture.append("old\nold\nne", to: "a.log")
        try fixture.append("", to: "empty.log")
        try fixture.append("older\n", to: "older")
        try fixture.compress("older", to: "a.log.1.gz")
        let first = try await fixture.follow(
            ["read_from": "end"],
            until: 3,
            [
                .after(0) {
                    try fixture.append("w\n", to: "a.log")
                    try fixture.append("later\n", to: "b.log")
                    try fixture.append("first\n", to: "empty.log")
                }
            ]
        )
        #expect(first.texts.sorted() == ["first", "later", "new"])
        try fixture.append("while it was down\n", to: "c.log")
        try fixture.append("more\n", to: "a.log")
        let second = try await fixture.follow(
            ["read_from": "end"],
            from: first.positions,
            until: 2
        )
        #expect(second.texts.sorted() == ["more", "while it was down"])
    }

    @Test("a file that was empty at the end of the first run is read from its beginning")
    func emptyAtFirst() async throws {
        try fixture.append("", to: "a.log")
        let first = try await fixture.follow(["read_from": "end"], until: 0)
        try fixture.append("one\n", to: "a.log")
        let second = try await fixture.follow(
            ["read_from": "end"],
            from: first.positions,
            until: 1
        )
        #expect(second.texts == ["one"])
    }

    @Test("follows files that come, also in directories that come")
    func growingGlobs() async throws {
        let outlet = try await fixture.follow(
            ["include": "logs/**/*.log"],
            until: 4,
            [
                .after(0) { try fixture.directory.write("a\n", to: "logs/a.log") },
                .after(1) { try fixture.directory.write("b\n", to: "logs/x/y/b.log") },
                .after(2) { try fixture.directory.write("c\n", to: "logs/x/y/c.log") },
                .after(3) { try fixture.append("d\n", to: "logs/x/y/b.log") },
                .after(4) { try fixture.directory.write("no\n", to: "logs/x/y/c.txt") },
            ]
        )
        #expect(outlet.texts == ["a", "b", "c", "d"])
    }

    @Test("a last line without an end waits; it is given in a run that ends, or in time")
    func partialLines() async throws {
        try fixture.append("one\ntwo", to: "a.log")
        let first = try await fixture.follow(until: 1)
        #expect(first.texts == ["one"])
        let second = try await fixture.follow(
            ["partial.timeout.ms": "1m"],
            from: first.positions,
            until: 1,
            [.after(0) { fixture.lead.advance(.seconds(61)) }]
        )
        #expect(second.texts == ["two"])
        try fixture.append(" and a half\nthree", to: "a.log")
        let third = try await fixture.follow(from: second.positions, until: 1)
        #expect(third.texts == [" and a half"])
    }

    @Test("a byte order mark is no part of the first line, also when it comes in pieces")
    func marks() async throws {
        try fixture.files.write([0xef, 0xbb, 0xbf] + Array("one\n".utf8), to: "a.log")
        try fixture.files.write([0xef, 0xbb, 0xbf] + Array("old\n".utf8), to: "old")
        try fixture.compress("old", to: "b.log.1.gz")
        let path = fixture.directory.file("c.log")
        try fixture.append("", to: "c.log")
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        let outlet = try await fixture.follow(
            until: 4,
            [
                .after(2) { try handle.write(contentsOf: Data([0xef])) },
                .after(2) { try handle.write(contentsOf: Data([0xbb, 0xbf] + Array("c\n".utf8))) },
                .after(3) { try handle.write(contentsOf: Data([0xef, 0xbb, 0xbf, 0x0a])) },
            ]
        )
        #expect(Set(outlet.texts) == ["one", "old", "c", "\u{feff}"])
        #expect(outlet.records.map(\.offset).sorted() == [3, 3, 3, 5])
        let second = try await fixture.follow(
            from: outlet.positions,
            until: 1,
            [.after(0) { try fixture.append("two\n", to: "a.log") }]
        )
        #expect(second.texts == ["two"])
    }

    // D6
    @Test("UTF-16 is not taken for lines: it is rejected once, and others are read")
    func utf16() async throws {
        let bytes = "one\ntwo\n".utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        try fixture.files.write([0xff, 0xfe] + bytes, to: "a.log")
        try fixture.append("one\n", to: "b.log")
        let first = try await fixture.follow(
            until: 3,
            [
                .after(2) { try fixture.append("x\n\0", to: "a.log") },
                .after(2) { try fixture.append("two\n", to: "b.log") },
            ]
        )
        #expect(first.texts == ["one", "two"])
        let error = try #require(first.rejections.first?.error)
        #expect(first.rejections.count == 1)
        #expect(error.code.rawValue == "file.charset")
        #expect(error.message.contains("a.log") && error.message.contains("UTF-16"))
        #expect(error.hint?.contains("UTF-8") == true)
        #expect(try await fixture.follow(from: first.positions, until: 0).rejections.isEmpty)
    }

    @Test("a run that ends gives all there is, and the next one goes on")
    func untilEnd() async throws {
        try fixture.append("one\ntwo", to: "a.log")
        try fixture.append("three\n", to: "b.log")
        let first = try await fixture.runToEnd()
        #expect(first.texts.sorted() == ["one", "three", "two"])
        try fixture.append("four\n", to: "b.log")
        #expect(try await fixture.runToEnd(from: first.positions).texts == ["four"])
    }

    // D6, D7
    @Test("a line that is too long is rejected with its place, and the next one is read")
    func longLines() async throws {
        let long = String(repeating: "x", count: 3 << 20)
        try fixture.append("one\n" + long, to: "a.log")
        let outlet = try await fixture.follow(
            ["max_line_bytes": "1MiB"],
            until: 5,
            [
                .after(1) { try fixture.append(long, to: "a.log") },
                .after(1) { try fixture.append("y\ntwo\n", to: "a.log") },
                .after(3) {
                    try fixture.append(String(repeating: "z", count: 1 << 20), to: "a.log")
                    try fixture.append("\n" + long.prefix(2 << 20) + "\nthree\n", to: "a.log")
                },
            ]
        )
        #expect(outlet.texts.map { $0.prefix(5) } == ["one", "two", "zzzzz", "three"])
        #expect(outlet.records.map(\.line) == [1, 3, 4, 6])
        let rejections = outlet.rejections
        #expect(rejections.map(\.line) == [2, 5])
        let second: Int64 = 4 + (6 << 20) + 2 + 4 + (1 << 20) + 1
        #expect(rejections.map(\.offset) == [4, second])
        #expect(rejections.allSatisfy { $0.isCut && $0.value.count == 1_024 })
        #expect(rejections.allSatisfy { $0.origin?.hasSuffix("a.log") == true })
        #expect(rejections.first?.error.message.contains("6291457 bytes") == true)
    }

    @Test("gives every file its turn, with far fewer of them open")
    func manyFiles() async throws {
        for number in 0..<300 { try fixture.append("first \(number)\n", to: "\(number).x.log") }
        let outlet = try await fixture.follow(
            ["max.open.files": "8"],
            until: 600,
            [
                .after(300) {
                    for number in 0..<300 {
                        try fixture.append("second \(number)\n", to: "\(number).x.log")
                    }
                }
            ]
        )
        #expect(Set(outlet.texts).count == 600)
        #expect(outlet.texts.count == 600)
    }

    @Test(
        "a large file does not keep a small one waiting that is written beside it",
        arguments: [("a.log", "b.log"), ("app-1.log", "app-2.log")]
    )
    func fairness(_ large: String, _ small: String) async throws {
        let line = String(repeating: "x", count: 99) + "\n"
        try fixture.append(line, to: large)
        try fixture.append("", to: small)
        try fixture.awaitLaterTime()
        try fixture.append(String(repeating: line, count: 99_999), to: large)
        try fixture.awaitLaterTime()
        try fixture.append("small\n", to: small)
        let outlet = try await fixture.follow(until: 100_001)
        let place = try #require(outlet.texts.firstIndex(of: "small"))
        #expect(place < 20_000)
    }

    @Test("keeps what it has read durable together with its place", arguments: [1, 2, 5, 9])
    func stopped(_ sends: Int) async throws {
        let lines = (0..<20_000).map { "line \($0) " + String(repeating: "x", count: 60) }
        try fixture.append(lines.joined(separator: "\n") + "\n", to: "a.log")
        var texts: [String] = []
        var positions: [String: String] = [:]
        for _ in 0..<100 where texts.count < lines.count {
            let outlet = try await fixture.follow(
                from: positions,
                until: 0,
                durability: .whenSettled,
                [.after(min(sends * 1_000, lines.count - texts.count)) {}]
            )
            texts += outlet.texts
            positions = outlet.positions
        }
        // D3
        #expect(texts == lines)
    }

    @Test(
        "names the key that does not fit",
        arguments: [
            (["cleanup.policy": "delete"], "cleanup.policy"),
            (["format": "brittle"], "format"),
            (["follow": "false", "read_from": "end"], "read_from"),
            (["max_line_bytes": "1"], "max_line_bytes"),
            (["charset": "utf-16"], "charset"),
        ]
    )
    func configuration(_ values: [String: String], _ key: String) throws {
        do throws(ConnectorError) {
            _ = try fixture.files.source(["follow": "true"].merging(values) { $1 })
            Issue.record("\(values) was accepted")
        } catch {
            #expect(error.configurationKey == key)
        }
    }
}
