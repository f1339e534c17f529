import TestServices
import Testing

/// Log files that are written and rotated by another process while they are followed.
///
/// `scripts/soak follow` does the same with a million lines.
@Suite("Following logs", .serialized)
struct FollowTests {
    // One at a time: each keeps a writer, millrace and a reader busy.
    private func run(_ style: String, kills: Int) async throws {
        try await ChaosScript(name: "follow.py", arguments: [style, String(kills), "8000"])
            .passes(in: TemporaryDirectory(), "work")
    }

    // D1, D3, D6
    @Test(
        "every line arrives exactly once through kills and rotation",
        .timeLimit(.minutes(15)),
        arguments: ["rename", "dated", "copytruncate", "compress", "compress_at_once", "mixed"]
    )
    func exact(_ style: String) async throws { try await run(style, kills: 3) }

    @Test(
        "no line is doubled, and none lost but those that are in no file any more",
        .timeLimit(.minutes(15)),
        arguments: ["copytruncate_racing", "truncate", "rewrite", "remove"]
    )
    func counted(_ style: String) async throws { try await run(style, kills: 3) }

    // D6
    @Test(
        "a file that is removed is read to its end when it was seen at all",
        .timeLimit(.minutes(15)),
        arguments: ["remove", "remove+paused"]
    )
    func removed(_ style: String) async throws { try await run(style, kills: 0) }

    // D5
    @Test(
        "the order is kept when files are renamed, also several times between two looks",
        .timeLimit(.minutes(15)),
        arguments: ["rename", "rename+paused", "dated+paused"],
        [0, 2]
    )
    func ordered(_ style: String, _ kills: Int) async throws { try await run(style, kills: kills) }
}
