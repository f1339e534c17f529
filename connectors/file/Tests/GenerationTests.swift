import FileSystem
import Testing

@testable import FileConnector

/// The files that one log has had, one after the other.
@Suite("Generations of a log")
struct GenerationTests {
    struct Generation: Sendable {
        var path: String
        var made: Int64
        var written: Int64
        var isNamed = true
        /// Where in the table the one is that it waits for.
        var waits: Int?
    }

    static let families: [[Generation]] = [
        [
            Generation(path: "d/app.log", made: 30, written: 40, waits: 1),
            Generation(path: "d/app.log.1", made: 20, written: 30, waits: 2),
            Generation(path: "d/app.log.2", made: 10, written: 20),
        ],
        // The writer of each went on after the next one was made.
        [
            Generation(path: "d/app.log.2.gz", made: 10, written: 21),
            Generation(path: "d/app.log.1", made: 20, written: 31, waits: 0),
            Generation(path: "d/app.log", made: 30, written: 30, waits: 1),
        ],
        // Its name was taken over, and the new one has another.
        [
            Generation(path: "d/app.log", made: 10, written: 20, isNamed: false),
            Generation(path: "d/app-20261121.log", made: 19, written: 25, waits: 0),
        ],
        [
            Generation(path: "d/app-2026-11-20.log", made: 10, written: 20),
            Generation(path: "d/app-2026-11-21.log", made: 20, written: 30, waits: 0),
            Generation(path: "d/other.log", made: 30, written: 40),
        ],
        // Written side by side.
        [
            Generation(path: "d/app-1.log", made: 10, written: 50),
            Generation(path: "d/app-2.log", made: 11, written: 60),
            Generation(path: "d/app-3.log", made: 55, written: 70, waits: 0),
        ],
    ]

    @Test("has generations wait for those that were complete before them", arguments: families)
    func generations(_ family: [Generation]) throws {
        var rotation = Rotation(copyRest: RotationTests.rest, memory: RotationTests.memory)
        for (number, given) in family.enumerated() {
            let node = FileNode(inode: UInt64(number), created: given.made)
            _ = rotation.add(path: given.path, node: node, size: 1, isNamed: true)
            let seen = try FileInformation.seen(node, size: 1, written: given.written)
            _ = rotation.found(given.path, seen, isIncluded: true, isTouched: false, at: 1)
            if !given.isNamed { rotation.missing(given.path) }
        }
        let all = Set(family.indices)
        let order = rotation.order(of: all, toRead: all)
        #expect(all.map { order[$0] } == all.map { family[$0].waits })
        #expect(rotation.order(of: [0], toRead: [0]) == [:], "what is read is not waited for")
    }
}
