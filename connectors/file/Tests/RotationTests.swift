import FileSystem
import Testing

@testable import FileConnector

/// Tables of events and of what is decided about them; no file is touched.
@Suite("Rotation")
struct RotationTests {
    static let rest: Int64 = 5_000
    static let memory: Int64 = 60_000
    private static let alike = Array(RotationEvent.alike.utf8)

    @Test("decides", arguments: RotationCase.all + RotationCase.newcomers)
    func decides(_ given: RotationCase) throws {
        var rotation = Rotation(copyRest: Self.rest, memory: Self.memory)
        var now: Int64 = 1_000
        var last: [Rotation.Step] = []
        for event in given.events {
            last = try event.happen(to: &rotation, &now)
            // What the source does at once.
            for case .begin(let node, let path, _) in last {
                let newcomer = rotation.newcomers[node]
                let isNamed = newcomer?.isNamed ?? true
                let start = newcomer?.beginning?.start ?? ContentStart(Self.alike)
                let id = rotation.add(
                    path: path,
                    node: node,
                    size: 100,
                    isNamed: isNamed,
                    start: start
                )
                guard isNamed else { continue }
                let information = try FileInformation.seen(node, size: 100)
                _ = rotation.found(path, information, isIncluded: true, isTouched: false, at: now)
                if !given.isUnread { rotation.confirmed(id, size: 100, isRead: true) }
            }
        }
        #expect(Self.sorted(last) == Self.sorted(given.steps))
    }

    /// Tells of files with beginnings of their own.
    private static func see(
        _ numbers: Range<Int>,
        _ ending: String,
        _ rotation: inout Rotation
    ) throws {
        for number in numbers {
            let node = FileNode(inode: UInt64(number), created: Int64(number))
            let file = try FileInformation.seen(node, size: 100, written: Int64(number))
            _ = rotation.found(
                "d/app.log.\(1_000_000 - number)\(ending)",
                file,
                isIncluded: true,
                isTouched: false,
                at: 1
            )
            let text = Array("generation \(number % 100_000) of this log".utf8)
            rotation.begins(node, Beginning(text), size: 100, at: 1)
        }
    }

    @Test(
        "of thousands of names of one log each is compared with one at most",
        arguments: [1_000, 5_000]
    )
    func thousands(_ count: Int) throws {
        var rotation = Rotation(copyRest: Self.rest, memory: Self.memory)
        try Self.see(0..<1, "", &rotation)
        let first = rotation.conclude(at: 1)
        #expect(first.count == 1)
        let known = rotation.add(
            path: "d/app.log",
            node: .numbered(0),
            size: 100,
            isNamed: true,
            start: ContentStart(Array("generation 0 of this log".utf8))
        )
        rotation.confirmed(known, size: 100, isRead: true)
        // All of them follow at once: none waits for a comparison of one before it.
        try Self.see(1..<count, "", &rotation)
        let begun = rotation.conclude(at: 1)
        #expect(begun.count == count - 1)
        for step in begun {
            guard case .begin(let node, let path, _) = step else {
                Issue.record("it is compared with one that begins otherwise")
                break
            }
            let start = rotation.newcomers[node]?.beginning?.start
            let id = rotation.add(path: path, node: node, size: 100, isNamed: true, start: start)
            rotation.confirmed(id, size: 100, isRead: true)
        }
        // And each finds the one that it is made of.
        try Self.see(100_000..<100_000 + count, ".gz", &rotation)
        let compared = rotation.conclude(at: 1)
        #expect(compared.count == count)
        for case .compare(_, _, let suspects) in compared { #expect(suspects.count == 1) }
    }

    /// Comparisons name contents in no order.
    private static func sorted(_ steps: [Rotation.Step]) -> [Rotation.Step] {
        steps.map { step in
            guard case .compare(let node, let path, let ids) = step else { return step }
            return .compare(node, path: path, with: ids.sorted())
        }
    }
}
