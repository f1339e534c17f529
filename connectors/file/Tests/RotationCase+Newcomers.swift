import FileSystem

@testable import FileConnector

/// New files that have to wait, and lose their names or are renamed meanwhile.
extension RotationCase {
    private static let other = "of its own, and of no other"
    /// A compressed file without bytes, for which younger ones wait.
    private static let elder = begun + [.sees("d/app.log.2.gz", 9, size: 0), .concludes]
    private static let copied =
        begun + [
            .sees("d/app.log.1", 2), .concludes, .compared(2, "d/app.log.1", with: 0, .same),
        ]

    static let newcomers: [RotationCase] = [
        // D2: both are seen first while the one is made of the other, before any was read.
        RotationCase(
            testDescription: "a new compressed file waits for what it is made of to be begun",
            events: [.sees("d/app.log.1", 1), .sees("d/app.log.1.gz", 2), .concludes],
            steps: [.begin(.numbered(1), path: "d/app.log.1", after: nil)]
        ),
        RotationCase(
            testDescription: "and is compared with it then",
            events: [
                .sees("d/app.log.1.gz", 2), .sees("d/app.log.1", 1, written: 2), .concludes,
                .concludes,
            ],
            steps: [.compare(.numbered(2), path: "d/app.log.1.gz", with: [0])]
        ),
        RotationCase(
            testDescription: "or is begun when what it was made of is gone before that",
            events: begun + [
                .sees("d/app.log.1", 3, begins: "of its own, and of no other"),
                .sees("d/app.log.1.gz", 2), .misses("d/app.log.1"), .concludes,
            ],
            steps: [.compare(.numbered(2), path: "d/app.log.1.gz", with: [0])]
        ),
        RotationCase(
            testDescription: "one that began without bytes may be what is compressed",
            events: [
                .sees("d/app.log", 1, size: 0, begins: ""), .concludes,
                .sees("d/app.log.1.gz", 2), .concludes,
            ],
            steps: [],
            isUnread: true
        ),
        RotationCase(
            testDescription: "and is compared when it was read",
            events: [
                .sees("d/app.log", 1, size: 0, begins: ""), .concludes,
                .sees("d/app.log.1.gz", 2), .concludes, .reads(0, RotationEvent.alike), .concludes,
            ],
            steps: [.compare(.numbered(2), path: "d/app.log.1.gz", with: [0])],
            isUnread: true
        ),
        RotationCase(
            testDescription: "or is another one when it was read",
            events: [
                .sees("d/app.log", 1, size: 0, begins: ""), .concludes,
                .sees("d/app.log.1.gz", 2), .concludes, .reads(0, other), .concludes,
            ],
            steps: [.begin(.numbered(2), path: "d/app.log.1.gz", after: nil)],
            isUnread: true
        ),
        // D6: it was seen, and is open since.
        RotationCase(
            testDescription: "one that loses its name while it waits for an older one is begun",
            events: elder + [
                .sees("d/app.log.1", 2, written: 2, begins: other), .concludes,
                .misses("d/app.log.1"), .concludes, .passes(RotationTests.rest), .concludes,
            ],
            steps: [.begin(.numbered(2), path: "d/app.log.1", after: nil)]
        ),
        RotationCase(
            testDescription: "one that loses its name to another is begun before that",
            events: elder + [
                .sees("d/app.log.1", 2, written: 2, begins: other), .concludes,
                .sees("d/app.log.1", 3, written: 3, begins: other + "s"), .concludes,
                .passes(RotationTests.rest), .concludes,
            ],
            steps: [
                .begin(.numbered(2), path: "d/app.log.1", after: nil),
                .begin(.numbered(3), path: "d/app.log.1", after: nil),
            ]
        ),
        // D2: what is compressed is made of it, whatever they are called by now.
        RotationCase(
            testDescription: "one that lost its name is begun before what was made of it",
            events: [
                .sees("d/app.log.1.gz", 2), .sees("d/app.log.1", 1, written: 2),
                .misses("d/app.log.1"), .concludes,
            ],
            steps: [.begin(.numbered(1), path: "d/app.log.1", after: nil)]
        ),
        RotationCase(
            testDescription: "also when that was renamed",
            events: [
                .sees("d/app.log.1.gz", 2), .sees("d/app.log.1", 1, written: 2),
                .misses("d/app.log.1"), .sees("d/app.log.2.gz", 2), .misses("d/app.log.1.gz"),
                .concludes,
            ],
            steps: [.begin(.numbered(1), path: "d/app.log.1", after: nil)]
        ),
        RotationCase(
            testDescription: "also when it had the log's own name",
            events: [
                .sees("d/app.log", 1), .sees("d/app.log.1.gz", 2), .misses("d/app.log"), .concludes,
            ],
            steps: [.begin(.numbered(1), path: "d/app.log", after: nil)]
        ),
        RotationCase(
            testDescription: "also when it has a name still, and the other one has moved on",
            events: [
                .sees("d/app.log.2.gz", 2), .sees("d/app.log.1", 1, written: 2), .concludes,
            ],
            steps: [.begin(.numbered(1), path: "d/app.log.1", after: nil)]
        ),
        RotationCase(
            testDescription: "which waits until it was read",
            events: [
                .sees("d/app.log.2.gz", 2), .sees("d/app.log.1", 1, written: 2),
                .misses("d/app.log.1"), .concludes, .concludes,
            ],
            steps: [.drain(0)]
        ),
        RotationCase(
            testDescription: "also when it waited for it for long",
            events: elder + [
                .sees("d/app.log.1", 3, written: 2, begins: other), .misses("d/app.log.1"),
                .sees("d/app.log.1.gz", 2, written: 3, begins: other), .concludes,
                .passes(RotationTests.rest), .concludes, .concludes,
            ],
            steps: [.drain(1)]
        ),
        RotationCase(
            testDescription: "and is compared with it then",
            events: [
                .sees("d/app.log.2.gz", 2), .sees("d/app.log.1", 1, written: 2),
                .misses("d/app.log.1"), .concludes, .concludes, .reads(0, RotationEvent.alike),
                .concludes,
            ],
            steps: [.compare(.numbered(2), path: "d/app.log.2.gz", with: [0])]
        ),
        RotationCase(
            testDescription: "what begins otherwise does not wait for it",
            events: [
                .sees("d/app.log.2.gz", 2, begins: other), .sees("d/app.log.1", 1, written: 2),
                .misses("d/app.log.1"), .concludes,
            ],
            steps: [
                .begin(.numbered(2), path: "d/app.log.2.gz", after: nil),
                .begin(.numbered(1), path: "d/app.log.1", after: nil),
            ]
        ),
        RotationCase(
            testDescription: "what cannot be told yet does",
            events: [
                .sees("d/app.log.2.gz", 2, begins: nil), .sees("d/app.log.1", 1, written: 2),
                .misses("d/app.log.1"), .concludes,
            ],
            steps: [.begin(.numbered(1), path: "d/app.log.1", after: nil)]
        ),
        RotationCase(
            testDescription: "a copy that loses its name is let go when its original was read",
            events: copied + [.misses("d/app.log.1"), .concludes, .rewritten(0)],
            steps: [.move(0), .search(0), .begin(.numbered(1), path: "d/app.log", after: 0)]
        ),
        RotationCase(
            testDescription: "and takes over when that is cut off before",
            events: copied + [
                .sees("d/app.log", 1, size: 200), .misses("d/app.log.1"), .concludes,
                .rewritten(0),
            ],
            steps: [
                .move(0), .move(0), .drain(0), .begin(.numbered(1), path: "d/app.log", after: 0),
            ]
        ),
        RotationCase(
            testDescription: "a copy without a name is compared with what is compressed in place",
            events: begun + [
                .sees("d/app.log.1.gz", 3), .concludes,
                .compared(3, "d/app.log.1.gz", with: 0, .same), .misses("d/app.log"), .concludes,
                .drained(0), .reads(0, RotationEvent.alike), .sees("d/app.log.1", 2),
                .misses("d/app.log.1"), .concludes,
            ],
            steps: [.compare(.numbered(2), path: "d/app.log.1", with: [0])]
        ),
    ]
}
