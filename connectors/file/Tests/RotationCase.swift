import FileSystem
import Testing

@testable import FileConnector

/// Events, and what is decided about them.
struct RotationCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var events: [RotationEvent]
    /// What is to be done after the last of them.
    var steps: [Rotation.Step]
    /// Whether nothing is read of what is begun.
    var isUnread = false
}

extension RotationCase {
    /// Begins app.log as content 0 in inode 1.
    static let begun: [RotationEvent] = [.sees("d/app.log", 1), .concludes]
    static let rotated = begun + [.sees("d/app.log.1", 1), .sees("d/app.log", 2), .concludes]

    static let all: [RotationCase] = [
        RotationCase(
            testDescription: "a new file is begun",
            events: begun,
            steps: [.begin(.numbered(1), path: "d/app.log", after: nil)]
        ),
        RotationCase(
            testDescription: "a renamed file stays the same content, and the new one follows",
            events: rotated,
            steps: [.begin(.numbered(2), path: "d/app.log", after: 0)]
        ),
        RotationCase(
            testDescription: "the order in which the names are seen makes no difference",
            events: begun + [
                .sees("d/app.log", 2), .sees("d/app.log.1", 1), .concludes,
            ],
            steps: [.begin(.numbered(2), path: "d/app.log", after: 0)]
        ),
        RotationCase(
            testDescription: "a name that no pattern matches is followed when the file is known",
            events: begun + [.sees("d/strange", 1, size: 200)],
            steps: [.read(0)]
        ),
        RotationCase(
            testDescription: "a file that is touched is read, one that is not changed is not",
            events: begun + [.sees("d/app.log", 1, size: 100)],
            steps: []
        ),
        RotationCase(
            testDescription: "a removed file is read to its end where it is open",
            events: begun + [.misses("d/app.log"), .concludes],
            steps: [.drain(0)]
        ),
        RotationCase(
            testDescription: "a removed and drained file is remembered for a while",
            events: begun + [.misses("d/app.log"), .concludes, .drained(0)],
            steps: [.retire(0)]
        ),
        RotationCase(
            testDescription: "and forgotten after that",
            events: begun + [
                .misses("d/app.log"), .concludes, .drained(0), .passes(RotationTests.memory),
            ],
            steps: [.forget(0)]
        ),
        RotationCase(
            testDescription: "a removed file that comes back is the same one",
            events: begun + [
                .misses("d/app.log"), .concludes, .drained(0), .sees("d/other.log", 1),
            ],
            steps: [.read(0)]
        ),
        RotationCase(
            testDescription: "a file that takes over an inode of another time is another one",
            events: begun + [
                .misses("d/app.log"), .concludes, .drained(0),
                .sees("d/app.log", 1_000_001), .concludes,
            ],
            steps: [.begin(.numbered(1_000_001), path: "d/app.log", after: nil)]
        ),
        RotationCase(
            testDescription: "a new name of the family is compared with its contents",
            events: begun + [.sees("d/app.log.1", 2), .concludes],
            steps: [.compare(.numbered(2), path: "d/app.log.1", with: [0])]
        ),
        RotationCase(
            testDescription: "but only when these have been read",
            events: begun + [
                .sees("d/app.log", 1, size: 200), .sees("d/app.log.1", 2), .concludes,
            ],
            steps: []
        ),
        RotationCase(
            testDescription: "and anyway after a while",
            events: begun + [
                .sees("d/app.log", 1, size: 200), .sees("d/app.log.1", 2), .concludes,
                .passes(RotationTests.rest), .concludes,
            ],
            steps: [.compare(.numbered(2), path: "d/app.log.1", with: [0])]
        ),
        RotationCase(
            testDescription: "a file of another family is not",
            events: begun + [.sees("d/other.log", 2), .concludes],
            steps: [.begin(.numbered(2), path: "d/other.log", after: nil)]
        ),
        RotationCase(
            testDescription: "a copy waits while its original is in place",
            events: begun + [
                .sees("d/app.log.1", 2), .concludes, .compared(2, "d/app.log.1", with: 0, .same),
                .concludes,
            ],
            steps: []
        ),
        RotationCase(
            testDescription: "a copy takes over when its original is cut off, before what is new",
            events: begun + [
                .sees("d/app.log.1", 2), .concludes, .compared(2, "d/app.log.1", with: 0, .same),
                .rewritten(0),
            ],
            steps: [
                .move(0), .move(0), .read(0), .begin(.numbered(1), path: "d/app.log", after: 0),
            ]
        ),
        RotationCase(
            testDescription: "a file that is cut off without a copy in sight is looked for",
            events: begun + [.rewritten(0)],
            steps: [.move(0), .search(0), .begin(.numbered(1), path: "d/app.log", after: 0)]
        ),
        RotationCase(
            testDescription: "a copy that is seen after its original was cut off takes over",
            events: begun + [
                .rewritten(0), .notFound(0), .sees("d/app.log.1", 2), .concludes,
                .compared(2, "d/app.log.1", with: 0, .shorter),
            ],
            steps: [.move(0), .read(0)]
        ),
        RotationCase(
            testDescription: "a copy that grows past its original has a life of its own",
            events: begun + [
                .sees("d/app.log.1", 2), .concludes, .compared(2, "d/app.log.1", with: 0, .same),
                .sees("d/app.log.1", 2, size: 101), .concludes,
            ],
            steps: [.begin(.numbered(2), path: "d/app.log.1", after: nil)]
        ),
        RotationCase(
            testDescription: "but not when the original has changed and was not read since",
            events: begun + [
                .sees("d/app.log", 1, size: 30), .sees("d/app.log.1", 2, size: 200), .concludes,
                .compared(2, "d/app.log.1", with: 0, .same), .concludes,
            ],
            steps: []
        ),
        RotationCase(
            testDescription: "so does one whose original stays in place",
            events: begun + [
                .sees("d/app.log.1", 2), .concludes, .compared(2, "d/app.log.1", with: 0, .same),
                .passes(RotationTests.rest), .concludes,
            ],
            steps: [.begin(.numbered(2), path: "d/app.log.1", after: nil)]
        ),
        RotationCase(
            testDescription: "but not a compressed one",
            events: begun + [
                .sees("d/app.log.1.gz", 2), .concludes,
                .compared(2, "d/app.log.1.gz", with: 0, .same), .passes(RotationTests.rest),
                .concludes,
            ],
            steps: []
        ),
        RotationCase(
            testDescription: "a compressed copy takes over when the original is removed",
            events: begun + [
                .sees("d/app.log.1.gz", 2), .concludes,
                .compared(2, "d/app.log.1.gz", with: 0, .same),
                .misses("d/app.log"), .concludes, .drained(0),
            ],
            steps: [.move(0), .read(0)]
        ),
        RotationCase(
            testDescription: "a compressed file that was never read is read",
            events: begun + [
                .sees("d/app.log.1.gz", 2), .concludes,
                .compared(2, "d/app.log.1.gz", with: 0, .different), .concludes,
            ],
            steps: [.begin(.numbered(2), path: "d/app.log.1.gz", after: nil)]
        ),
        RotationCase(
            testDescription: "a compressed file without any bytes yet is not looked at",
            events: begun + [.sees("d/app.log.1.gz", 2, size: 0), .concludes],
            steps: []
        ),
        RotationCase(
            testDescription: "a file too short to be compared waits, and is compared when it grows",
            events: begun + [
                .sees("d/app.log.1", 2, size: 3, begins: "202"), .concludes,
                .sees("d/app.log.1", 2, size: 30), .concludes,
            ],
            steps: [.compare(.numbered(2), path: "d/app.log.1", with: [0])]
        ),
        RotationCase(
            testDescription: "a file too short to be compared is begun when nothing comes",
            events: begun + [
                .sees("d/app.log.1", 2, size: 3, begins: "202"), .concludes,
                .passes(RotationTests.rest), .concludes,
            ],
            steps: [.begin(.numbered(2), path: "d/app.log.1", after: nil)]
        ),
        RotationCase(
            testDescription: "the name of a family itself is never that of a copy",
            events: [
                .sees("d/app.log.1", 1), .concludes, .sees("d/app.log", 2), .concludes,
            ],
            steps: [.begin(.numbered(2), path: "d/app.log", after: nil)]
        ),
        RotationCase(
            testDescription: "two rotations at once: the new file waits for the one between",
            events: rotatedTwice,
            steps: [.compare(.numbered(3), path: "d/app.log.1", with: [0, 1])]
        ),
        RotationCase(
            testDescription: "and is begun behind it",
            events: rotatedTwice + [
                .compared(3, "d/app.log.1", with: 0, .different),
                .compared(3, "d/app.log.1", with: 1, .different), .concludes,
            ],
            steps: [
                .begin(.numbered(3), path: "d/app.log.1", after: 0),
                .begin(.numbered(4), path: "d/app.log", after: 1),
            ]
        ),
        RotationCase(
            testDescription: "and when that one is a copy",
            events: rotatedTwice + [
                .compared(3, "d/app.log.1", with: 0, .same), .concludes,
            ],
            steps: [.begin(.numbered(4), path: "d/app.log", after: 1)]
        ),
        RotationCase(
            testDescription: "and does not wait for longer than a copy rests",
            events: rotatedTwice + [
                .compared(3, "d/app.log.1", with: 0, .unclear), .passes(RotationTests.rest),
                .concludes,
            ],
            steps: [
                .begin(.numbered(3), path: "d/app.log.1", after: 0),
                .begin(.numbered(4), path: "d/app.log", after: 1),
            ]
        ),
        RotationCase(
            testDescription: "a log of its own does not wait for one that is written beside it",
            events: [
                .sees("d/app-9.log", 9), .concludes,
                .sees("d/app-1.log", 1, written: 20), .sees("d/app-2.log", 2, written: 30),
                .concludes,
            ],
            steps: [
                .compare(.numbered(1), path: "d/app-1.log", with: [0]),
                .compare(.numbered(2), path: "d/app-2.log", with: [0]),
            ]
        ),
        RotationCase(
            testDescription: "one that was begun when the other was complete does",
            events: [
                .sees("d/app-9.log", 9), .concludes,
                .sees("d/app-2.log", 2, written: 5),
                .sees("d/app-1.log", 1, written: 30, begins: "of its own, and of no other"),
                .concludes,
            ],
            steps: [.compare(.numbered(2), path: "d/app-2.log", with: [0])]
        ),
        RotationCase(
            testDescription: "generations that are seen at once are begun as they were written",
            events: [
                .sees("d/app.log", 9), .sees("d/app.log.1", 1, written: 30),
                .sees("d/app.log.2.gz", 5, written: 20, begins: "of its own, and of no other"),
                .sees("d/app.log-20261121", 3, written: 9),
                .concludes,
            ],
            steps: [
                .begin(.numbered(3), path: "d/app.log-20261121", after: nil),
                .begin(.numbered(5), path: "d/app.log.2.gz", after: nil),
                .begin(.numbered(1), path: "d/app.log.1", after: nil),
                .begin(.numbered(9), path: "d/app.log", after: nil),
            ]
        ),
    ]

    static let rotatedTwice =
        rotated + [
            .sees("d/app.log", 4), .sees("d/app.log.1", 3), .sees("d/app.log.2", 2),
            .sees("d/app.log.3", 1), .concludes,
        ]
}
