import FileSystem
import Testing

@testable import FileConnector

/// Tables of events and of what is decided about them; no file is touched.
@Suite("Rotation")
struct RotationTests {
    /// What is seen, in order; numbers are inodes, and contents in the order of their beginnings.
    enum Event: Sendable {
        case sees(String, UInt64, size: Int64 = 100, written: Int64 = 1)
        case misses(String)
        /// Everything that happened together was seen.
        case concludes
        /// The answer to the last comparison.
        case compared(UInt64, String, with: Int, Rotation.Comparison)
        case rewritten(Int)
        case drained(Int)
        case notFound(Int)
        case passes(Int64)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var events: [Event]
        /// What is to be done after the last of them.
        var steps: [Rotation.Step]
    }

    /// Begins app.log as content 0 in inode 1.
    static let begun: [Event] = [.sees("d/app.log", 1), .concludes]
    static let rotated = begun + [.sees("d/app.log.1", 1), .sees("d/app.log", 2), .concludes]

    static let cases: [Case] = [
        Case(
            testDescription: "a new file is begun",
            events: begun,
            steps: [.begin(node(1), path: "d/app.log", after: nil)]
        ),
        Case(
            testDescription: "a renamed file stays the same content, and the new one follows",
            events: rotated,
            steps: [.begin(node(2), path: "d/app.log", after: 0)]
        ),
        Case(
            testDescription: "the order in which the names are seen makes no difference",
            events: begun + [
                .sees("d/app.log", 2), .sees("d/app.log.1", 1), .concludes,
            ],
            steps: [.begin(node(2), path: "d/app.log", after: 0)]
        ),
        Case(
            testDescription: "a name that no pattern matches is followed when the file is known",
            events: begun + [.sees("d/strange", 1, size: 200)],
            steps: [.read(0)]
        ),
        Case(
            testDescription: "a file that is touched is read, one that is not changed is not",
            events: begun + [.sees("d/app.log", 1, size: 100)],
            steps: []
        ),
        Case(
            testDescription: "a removed file is read to its end where it is open",
            events: begun + [.misses("d/app.log"), .concludes],
            steps: [.drain(0)]
        ),
        Case(
            testDescription: "a removed and drained file is remembered for a while",
            events: begun + [.misses("d/app.log"), .concludes, .drained(0)],
            steps: [.retire(0)]
        ),
        Case(
            testDescription: "and forgotten after that",
            events: begun + [
                .misses("d/app.log"), .concludes, .drained(0), .passes(memory),
            ],
            steps: [.forget(0)]
        ),
        Case(
            testDescription: "a removed file that comes back is the same one",
            events: begun + [
                .misses("d/app.log"), .concludes, .drained(0), .sees("d/other.log", 1),
            ],
            steps: [.read(0)]
        ),
        Case(
            testDescription: "a file that takes over an inode of another time is another one",
            events: begun + [
                .misses("d/app.log"), .concludes, .drained(0),
                .sees("d/app.log", 1_000_001), .concludes,
            ],
            steps: [.begin(node(1_000_001), path: "d/app.log", after: nil)]
        ),
        Case(
            testDescription: "a new name of the family is compared with its contents",
            events: begun + [.sees("d/app.log.1", 2), .concludes],
            steps: [.compare(node(2), path: "d/app.log.1", with: [0])]
        ),
        Case(
            testDescription: "but only when these have been read",
            events: begun + [
                .sees("d/app.log", 1, size: 200), .sees("d/app.log.1", 2), .concludes,
            ],
            steps: []
        ),
        Case(
            testDescription: "and anyway after a while",
            events: begun + [
                .sees("d/app.log", 1, size: 200), .sees("d/app.log.1", 2), .concludes,
                .passes(rest), .concludes,
            ],
            steps: [.compare(node(2), path: "d/app.log.1", with: [0])]
        ),
        Case(
            testDescription: "a file of another family is not",
            events: begun + [.sees("d/other.log", 2), .concludes],
            steps: [.begin(node(2), path: "d/other.log", after: nil)]
        ),
        Case(
            testDescription: "a copy waits while its original is in place",
            events: begun + [
                .sees("d/app.log.1", 2), .concludes, .compared(2, "d/app.log.1", with: 0, .same),
                .concludes,
            ],
            steps: []
        ),
        Case(
            testDescription: "a copy takes over when its original is cut off, before what is new",
            events: begun + [
                .sees("d/app.log.1", 2), .concludes, .compared(2, "d/app.log.1", with: 0, .same),
                .rewritten(0),
            ],
            steps: [
                .move(0), .move(0), .read(0), .begin(node(1), path: "d/app.log", after: 0),
            ]
        ),
        Case(
            testDescription: "a file that is cut off without a copy in sight is looked for",
            events: begun + [.rewritten(0)],
            steps: [.move(0), .search(0), .begin(node(1), path: "d/app.log", after: 0)]
        ),
        Case(
            testDescription: "a copy that is seen after its original was cut off takes over",
            events: begun + [
                .rewritten(0), .notFound(0), .sees("d/app.log.1", 2), .concludes,
                .compared(2, "d/app.log.1", with: 0, .shorter),
            ],
            steps: [.move(0), .read(0)]
        ),
        Case(
            testDescription: "a copy that grows past its original has a life of its own",
            events: begun + [
                .sees("d/app.log.1", 2), .concludes, .compared(2, "d/app.log.1", with: 0, .same),
                .sees("d/app.log.1", 2, size: 101), .concludes,
            ],
            steps: [.begin(node(2), path: "d/app.log.1", after: nil)]
        ),
        Case(
            testDescription: "but not when the original has changed and was not read since",
            events: begun + [
                .sees("d/app.log", 1, size: 30), .sees("d/app.log.1", 2, size: 200), .concludes,
                .compared(2, "d/app.log.1", with: 0, .same), .concludes,
            ],
            steps: []
        ),
        Case(
            testDescription: "so does one whose original stays in place",
            events: begun + [
                .sees("d/app.log.1", 2), .concludes, .compared(2, "d/app.log.1", with: 0, .same),
                .passes(rest), .concludes,
            ],
            steps: [.begin(node(2), path: "d/app.log.1", after: nil)]
        ),
        Case(
            testDescription: "but not a compressed one",
            events: begun + [
                .sees("d/app.log.1.gz", 2), .concludes,
                .compared(2, "d/app.log.1.gz", with: 0, .same), .passes(rest), .concludes,
            ],
            steps: []
        ),
        Case(
            testDescription: "a compressed copy takes over when the original is removed",
            events: begun + [
                .sees("d/app.log.1.gz", 2), .concludes,
                .compared(2, "d/app.log.1.gz", with: 0, .same),
                .misses("d/app.log"), .concludes, .drained(0),
            ],
            steps: [.move(0), .read(0)]
        ),
        Case(
            testDescription: "a compressed file that was never read is read",
            events: begun + [
                .sees("d/app.log.1.gz", 2), .concludes,
                .compared(2, "d/app.log.1.gz", with: 0, .different),
            ],
            steps: [.begin(node(2), path: "d/app.log.1.gz", after: nil)]
        ),
        Case(
            testDescription: "a compressed file without any bytes yet is not looked at",
            events: begun + [.sees("d/app.log.1.gz", 2, size: 0), .concludes],
            steps: []
        ),
        Case(
            testDescription: "a file too short to be compared waits, and is compared when it grows",
            events: begun + [
                .sees("d/app.log.1", 2, size: 3), .concludes,
                .compared(2, "d/app.log.1", with: 0, .unclear), .concludes,
                .sees("d/app.log.1", 2, size: 30), .concludes,
            ],
            steps: [.compare(node(2), path: "d/app.log.1", with: [0])]
        ),
        Case(
            testDescription: "a file too short to be compared is begun when nothing comes",
            events: begun + [
                .sees("d/app.log.1", 2, size: 3), .concludes,
                .compared(2, "d/app.log.1", with: 0, .unclear), .passes(rest), .concludes,
            ],
            steps: [.begin(node(2), path: "d/app.log.1", after: nil)]
        ),
        Case(
            testDescription: "the name of a family itself is never that of a copy",
            events: [
                .sees("d/app.log.1", 1), .concludes, .sees("d/app.log", 2), .concludes,
            ],
            steps: [.begin(node(2), path: "d/app.log", after: nil)]
        ),
        Case(
            testDescription: "two rotations at once: the new file waits for the one between",
            events: rotatedTwice,
            steps: [.compare(node(3), path: "d/app.log.1", with: [0, 1])]
        ),
        Case(
            testDescription: "and is begun behind it",
            events: rotatedTwice + [
                .compared(3, "d/app.log.1", with: 0, .different),
                .compared(3, "d/app.log.1", with: 1, .different), .concludes,
            ],
            steps: [.begin(node(4), path: "d/app.log", after: 1)]
        ),
        Case(
            testDescription: "and when that one is a copy",
            events: rotatedTwice + [
                .compared(3, "d/app.log.1", with: 0, .same), .concludes,
            ],
            steps: [.begin(node(4), path: "d/app.log", after: 1)]
        ),
        Case(
            testDescription: "and does not wait for longer than a copy rests",
            events: rotatedTwice + [
                .compared(3, "d/app.log.1", with: 0, .unclear), .passes(rest), .concludes,
            ],
            steps: [
                .begin(node(3), path: "d/app.log.1", after: 0),
                .begin(node(4), path: "d/app.log", after: 1),
            ]
        ),
        Case(
            testDescription: "a log of its own does not wait for one that is written beside it",
            events: [
                .sees("d/app-9.log", 9), .concludes,
                .sees("d/app-1.log", 1, written: 20), .sees("d/app-2.log", 2, written: 30),
                .concludes,
            ],
            steps: [
                .compare(node(1), path: "d/app-1.log", with: [0]),
                .compare(node(2), path: "d/app-2.log", with: [0]),
            ]
        ),
        Case(
            testDescription: "one that was begun when the other was complete does",
            events: [
                .sees("d/app-9.log", 9), .concludes,
                .sees("d/app-2.log", 2, written: 5), .sees("d/app-1.log", 1, written: 30),
                .concludes,
            ],
            steps: [.compare(node(2), path: "d/app-2.log", with: [0])]
        ),
        Case(
            testDescription: "generations that are seen at once are begun as they were written",
            events: [
                .sees("d/app.log", 9), .sees("d/app.log.1", 1, written: 30),
                .sees("d/app.log.2.gz", 5, written: 20), .sees("d/app.log-20261121", 3, written: 9),
                .concludes,
            ],
            steps: [
                .begin(node(3), path: "d/app.log-20261121", after: nil),
                .begin(node(5), path: "d/app.log.2.gz", after: nil),
                .begin(node(1), path: "d/app.log.1", after: nil),
                .begin(node(9), path: "d/app.log", after: nil),
            ]
        ),
    ]

    static let rotatedTwice =
        rotated + [
            .sees("d/app.log", 4), .sees("d/app.log.1", 3), .sees("d/app.log.2", 2),
            .sees("d/app.log.3", 1), .concludes,
        ]

    static let rest: Int64 = 5_000
    static let memory: Int64 = 60_000

    static func node(_ number: UInt64) -> FileNode {
        FileNode(inode: number % 1_000_000, created: Int64(number / 1_000_000) + 7)
    }

    @Test("decides", arguments: cases)
    func decides(_ given: Case) throws {
        var rotation = Rotation(copyRest: Self.rest, memory: Self.memory)
        var now: Int64 = 1_000
        var last: [Rotation.Step] = []
        for event in given.events {
            last = try Self.apply(event, to: &rotation, &now)
            // What the source does at once.
            for case .begin(let node, let path, _) in last {
                _ = rotation.add(path: path, node: node, size: 100, isNamed: true)
                let information = try Self.information(node, size: 100)
                _ = rotation.found(path, information, isIncluded: true, isTouched: false, at: now)
                let id = try #require(rotation.carriers[node])
                rotation.confirmed(id, size: 100, isRead: true)
            }
        }
        #expect(Self.sorted(last) == Self.sorted(given.steps))
    }

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
        var rotation = Rotation(copyRest: Self.rest, memory: Self.memory)
        for (number, given) in family.enumerated() {
            let node = FileNode(inode: UInt64(number), created: given.made)
            _ = rotation.add(path: given.path, node: node, size: 1, isNamed: true)
            let seen = try Self.information(node, size: 1, written: given.written)
            _ = rotation.found(given.path, seen, isIncluded: true, isTouched: false, at: 1)
            if !given.isNamed { rotation.missing(given.path) }
        }
        let all = Set(family.indices)
        let order = rotation.order(of: all, toRead: all)
        #expect(all.map { order[$0] } == all.map { family[$0].waits })
        #expect(rotation.order(of: [0], toRead: [0]) == [:], "what is read is not waited for")
    }

    /// Comparisons name contents in no order.
    private static func sorted(_ steps: [Rotation.Step]) -> [Rotation.Step] {
        steps.map { step in
            guard case .compare(let node, let path, let ids) = step else { return step }
            return .compare(node, path: path, with: ids.sorted())
        }
    }

    private static func apply(
        _ event: Event,
        to rotation: inout Rotation,
        _ now: inout Int64
    ) throws -> [Rotation.Step] {
        switch event {
        case .sees(let path, let number, let size, let written):
            let step = rotation.found(
                path,
                try information(node(number), size: size, written: written),
                isIncluded: path != "d/strange",
                isTouched: false,
                at: now
            )
            return step.map { [$0] } ?? []
        case .misses(let path):
            rotation.missing(path)
            return []
        case .concludes: return rotation.conclude(at: now)
        case .compared(let number, let path, let id, let comparison):
            return rotation.compared(node(number), path, with: id, comparison)
        case .rewritten(let id): return rotation.rewritten(id)
        case .drained(let id): return rotation.drained(id, at: now)
        case .notFound(let id): return rotation.notFound(id, at: now)
        case .passes(let time):
            now += time
            return rotation.expire(at: now) { _ in true }
        }
    }

    private static func information(
        _ node: FileNode,
        size: Int64,
        written: Int64 = 1
    ) throws -> FileInformation {
        var information = try #require(try FileInformation.of("/"))
        information.kind = .regular
        information.inode = node.inode
        information.created = node.created
        information.size = size
        information.modified = written
        return information
    }
}
