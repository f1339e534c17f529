import FileSystem
import Testing

@testable import FileConnector

/// Tables of events and of what is decided about them; no file is touched.
@Suite("Rotation")
struct RotationTests {
    static let rest: Int64 = 5_000
    static let memory: Int64 = 60_000

    @Test("decides", arguments: RotationCase.all)
    func decides(_ given: RotationCase) throws {
        var rotation = Rotation(copyRest: Self.rest, memory: Self.memory)
        var now: Int64 = 1_000
        var last: [Rotation.Step] = []
        for event in given.events {
            last = try event.happen(to: &rotation, &now)
            // What the source does at once.
            for case .begin(let node, let path, _) in last {
                _ = rotation.add(path: path, node: node, size: 100, isNamed: true)
                let information = try FileInformation.seen(node, size: 100)
                _ = rotation.found(path, information, isIncluded: true, isTouched: false, at: now)
                let id = try #require(rotation.carriers[node])
                rotation.confirmed(id, size: 100, isRead: true)
            }
        }
        #expect(Self.sorted(last) == Self.sorted(given.steps))
    }

    /// Comparisons name contents in no order.
    private static func sorted(_ steps: [Rotation.Step]) -> [Rotation.Step] {
        steps.map { step in
            guard case .compare(let node, let path, let ids) = step else { return step }
            return .compare(node, path: path, with: ids.sorted())
        }
    }
}
