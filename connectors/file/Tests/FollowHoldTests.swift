import ConnectorSDK
import ConnectorTesting
import Foundation
import TestServices
import Testing

@testable import FileConnector

/// New files that have to wait before they are read, and lose their names meanwhile.
@Suite("Following new files that do not stay", .timeLimit(.minutes(10)))
struct FollowHoldTests {
    /// Rounds of the source, each with a look at what has changed.
    private static let rounds = 400

    let fixture: FollowFixture

    init() throws {
        fixture = try FollowFixture()
        try fixture.append("begun\n", to: "other.log")
    }

    /// A rotated file of which nothing is known yet, so that younger ones wait for it.
    private func makeElder() throws { try fixture.directory.write("", to: "app.log.1.gz") }

    /// Gives the source time to see what there is; it may take more, and then decides by that.
    private func looks(_ records: Int) -> [FollowFixture.Step] {
        (0..<Self.rounds).map { _ in .after(records) {} }
    }

    private func pass(_ records: Int) -> FollowFixture.Step {
        .after(records) { fixture.lead.advance(.seconds(6)) }
    }

    // D6: it was seen, and could be read.
    @Test("one that is removed while it waits for an older one is read")
    func removed() async throws {
        let outlet = try await fixture.follow(
            until: 3,
            [
                .after(1) {
                    try makeElder()
                    try fixture.append("one\ntwo\n", to: "app.log")
                }
            ] + looks(1) + [.after(1) { try fixture.files.remove("app.log") }] + looks(1)
                + [pass(1)]
        )
        #expect(outlet.texts == ["begun", "one", "two"])
    }

    @Test("one that is replaced while it waits is read before the one with its name")
    func replaced() async throws {
        let outlet = try await fixture.follow(
            until: 4,
            [
                .after(1) {
                    try makeElder()
                    try fixture.append("one\ntwo\n", to: "app.log")
                }
            ] + looks(1) + [
                .after(1) {
                    try fixture.files.remove("app.log")
                    try fixture.append("three\n", to: "app.log")
                }
            ] + looks(1) + [pass(1)]
        )
        #expect(outlet.texts == ["begun", "one", "two", "three"])
    }

    @Test("one that goes where nobody looks is read, and its end as well")
    func moved() async throws {
        let outlet = try await fixture.follow(
            ["include": "*.log,*.log.1.gz"],
            until: 4,
            [
                .after(1) {
                    try makeElder()
                    try fixture.append("one\ntwo\n", to: "app.log")
                }
            ] + looks(1) + [
                .after(1) {
                    try fixture.files.rename("app.log", to: "elsewhere.txt")
                    try fixture.append("three\n", to: "elsewhere.txt")
                }
            ] + looks(1) + [pass(1)]
        )
        #expect(outlet.texts == ["begun", "one", "two", "three"])
    }

    @Test("a run that ends meanwhile reads what no other run will find")
    func stopped() async throws {
        let outlet = try await fixture.follow(
            until: 1,
            [
                .after(1) {
                    try makeElder()
                    try fixture.append("one\ntwo\n", to: "app.log")
                }
            ] + looks(1) + [.after(1) { try fixture.files.remove("app.log") }] + looks(1)
        )
        #expect(outlet.texts == ["begun", "one", "two"])
    }

    @Test("a copy of what is followed that is removed at once is not read again")
    func copied() async throws {
        let text = (1...50).map { "2026-11-21 08:00:00 line \($0)\n" }.joined()
        let outlet = try await fixture.follow(
            until: 52,
            [
                .after(1) { try fixture.append(text, to: "app.log") },
                .after(51) { try fixture.copy("app.log", to: "app.log.1") },
            ] + looks(51) + [.after(51) { try fixture.files.remove("app.log.1") }] + looks(51)
                + [pass(51), .after(51) { try fixture.append("last\n", to: "app.log") }]
        )
        #expect(outlet.texts.count == 52)
        #expect(Set(outlet.texts).count == 52)
    }
}
