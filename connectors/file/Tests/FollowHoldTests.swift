import ConnectorSDK
import ConnectorTesting
import Foundation
import TestServices
import Testing

@testable import FileConnector

/// New files that have to wait before they are read, and lose their names meanwhile.
@Suite("Following new files that do not stay", .timeLimit(.minutes(10)))
struct FollowHoldTests {
    /// Everything is looked at in each round, so that nothing depends on when changes are noticed.
    private static let values = ["poll.interval.ms": "1"]

    let fixture: FollowFixture

    init() throws {
        fixture = try FollowFixture()
        try fixture.append("begun\n", to: "other.log")
    }

    /// Makes a new log with a rotated file of which nothing is known yet, so that it waits for that.
    private func makeWaiting() -> [FollowFixture.Step] {
        [
            .after(1) {
                try fixture.directory.write("", to: "app.log.1.gz")
                try fixture.append("one\ntwo\n", to: "app.log")
            }
        ] + FollowFixture.rounds(3, after: 1)
    }

    /// Lets the waiting end.
    private func pass(_ records: Int) -> [FollowFixture.Step] {
        FollowFixture.rounds(3, after: records) + [
            .after(records) { fixture.lead.advance(.seconds(6)) }
        ]
    }

    // D6: it was seen, and could be read.
    @Test("one that is removed while it waits for an older one is read")
    func removed() async throws {
        let outlet = try await fixture.follow(
            Self.values,
            until: 3,
            makeWaiting() + [.after(1) { try fixture.files.remove("app.log") }] + pass(1)
        )
        #expect(outlet.texts == ["begun", "one", "two"])
    }

    @Test("one that is replaced while it waits is read before the one with its name")
    func replaced() async throws {
        let outlet = try await fixture.follow(
            Self.values,
            until: 4,
            makeWaiting() + [
                .after(1) {
                    try fixture.files.remove("app.log")
                    try fixture.append("three\n", to: "app.log")
                }
            ] + pass(1)
        )
        #expect(outlet.texts == ["begun", "one", "two", "three"])
    }

    @Test("one that goes where nobody looks is read, and its end as well")
    func moved() async throws {
        let outlet = try await fixture.follow(
            Self.values.merging(["include": "*.log,*.log.1.gz"]) { $1 },
            until: 4,
            makeWaiting() + [
                .after(1) {
                    try fixture.files.rename("app.log", to: "elsewhere.txt")
                    try fixture.append("three\n", to: "elsewhere.txt")
                }
            ] + pass(1)
        )
        #expect(outlet.texts == ["begun", "one", "two", "three"])
    }

    @Test("a source that is stopped meanwhile reads what no later one will find")
    func stopped() async throws {
        let outlet = try await fixture.follow(
            Self.values,
            until: 1,
            makeWaiting() + [.after(1) { try fixture.files.remove("app.log") }]
        )
        #expect(outlet.texts == ["begun", "one", "two"])
    }

    // D2
    @Test("one that is compressed while it waits is read once", arguments: [false, true])
    func compressed(_ isRenamed: Bool) async throws {
        let name = isRenamed ? "app.log.3.gz" : "app.log.2.gz"
        let first = try await fixture.follow(
            Self.values,
            until: 3,
            makeWaiting() + [
                .after(1) {
                    try fixture.compress("app.log", to: "app.log.2.gz")
                    if isRenamed { try fixture.files.rename("app.log.2.gz", to: name) }
                }
            ] + pass(1)
        )
        #expect(first.texts == ["begun", "one", "two"])
        let second = try await fixture.follow(Self.values, from: first.positions, until: 0)
        #expect(second.texts == [])
    }

    @Test("a copy of what is followed that is removed at once is not read again")
    func copied() async throws {
        let text = (1...50).map { "2026-11-21 08:00:00 line \($0)\n" }.joined()
        let outlet = try await fixture.follow(
            Self.values,
            until: 52,
            [
                .after(1) { try fixture.append(text, to: "app.log") },
                .after(51) { try fixture.copy("app.log", to: "app.log.1") },
            ] + FollowFixture.rounds(3, after: 51) + [
                .after(51) { try fixture.files.remove("app.log.1") }
            ] + pass(51) + [.after(51) { try fixture.append("last\n", to: "app.log") }]
        )
        #expect(outlet.texts.count == 52)
        #expect(Set(outlet.texts).count == 52)
    }

    // MARK: Thousands of names

    @Test("of a thousand rotated names that were compressed, each is compared once")
    func thousand() async throws {
        let count = 1_000
        for number in 1...count {
            let text = "generation \(number) of a log\n"
            try fixture.directory.write(text, to: "app.log.\(number)")
        }
        let first = try await fixture.runToEnd()
        #expect(first.texts.count == count + 1)
        try Program.run(["sh", "-c", "gzip \"$1\"/app.log.*", "-", fixture.directory.path])
        let source = try fixture.files.source(
            ["include": "*.log*", "follow": "true"],
            untilEnd: true
        )
        let outlet = RecordingOutlet(for: source)
        outlet.stopAfterIdling = 10_000
        let follow = try #require(source.settings.follow)
        let follower = FileFollower(
            source.settings,
            follow,
            source.context,
            outlet,
            now: source.now
        )
        try await follower.run(from: first.positions)
        #expect(outlet.texts == [])
        #expect(follower.comparisons == count)
    }
}
