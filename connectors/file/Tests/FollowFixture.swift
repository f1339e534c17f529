import ConnectorSDK
import ConnectorTesting
import FileSystem
import Foundation
import LinesFormat
import Logging
import Synchronization
import TestServices
import Testing

@testable import FileConnector

/// A directory with logs, and sources that follow them while a script changes them.
final class FollowFixture {
    /// Something that happens when so many records have arrived.
    struct Step {
        var records: Int
        var action: () throws -> Void

        /// Does something when so many records and rejections have come since the start.
        static func after(_ records: Int, _ action: @escaping () throws -> Void) -> Step {
            Step(records: records, action: action)
        }
    }

    /// Rounds of a follower that wait 2 ms each: far more than any machine needs.
    private static let patience = 10_000
    /// Rounds after the last record, in which nothing more may come.
    private static let quiet = 25

    let files: FileSourceFixture
    var directory: TemporaryDirectory { files.directory }
    /// How much later than it is the source takes it to be, in nanoseconds.
    let lead = Clock()

    /// Time that a script moves.
    final class Clock: Sendable {
        let nanoseconds = Atomic<Int64>(0)

        func advance(_ duration: Duration) {
            let milliseconds = FileFollower.milliseconds(duration)
            nanoseconds.add(milliseconds * 1_000_000, ordering: .relaxed)
        }
    }

    init() throws { files = try FileSourceFixture() }

    func append(_ text: String, to name: String) throws {
        let path = directory.file(name)
        if !FileManager.default.fileExists(atPath: path) { try directory.write("", to: name) }
        try files.append(text, to: name)
    }

    /// Lets the source go round so often, each time with a look at what has changed.
    static func rounds(_ count: Int, after records: Int) -> [Step] {
        (0..<count).map { _ in .after(records) {} }
    }

    /// Waits until what is written has a later time than what was written before, however coarse
    /// times are.
    func awaitLaterTime() throws {
        let path = directory.file("clock")
        func written() throws -> Int64 {
            try directory.write("", to: "clock")
            return try #require(try FileInformation.of(path)).modified
        }
        let first = try written()
        while try written() <= first {}
    }

    /// Compresses a file as gzip does: another file, and then the first one is removed.
    func compress(_ name: String, to target: String, keeping: Bool = false) throws {
        let script = "gzip -c \"$1\" >\"$2\""
        try Program.run(["sh", "-c", script, "-", directory.file(name), directory.file(target)])
        if !keeping { try files.remove(name) }
    }

    func copy(_ name: String, to target: String) throws {
        let content = try Data(contentsOf: URL(filePath: directory.file(name)))
        try content.write(to: URL(filePath: directory.file(target)))
    }

    func truncate(_ name: String) throws { try files.overwrite("", in: name) }

    /// Follows while the steps are taken, until so many records have come and no more come.
    func follow(
        _ values: [String: String] = [:],
        from positions: [String: String] = [:],
        until records: Int,
        durability: RecordingOutlet.Durability = .atOnce,
        task: (number: Int, of: Int) = (0, of: 1),
        _ steps: [Step] = []
    ) async throws -> RecordingOutlet {
        let given = ["include": "*.log*", "follow": "true"].merging(values) { $1 }
        let source = try files.source(given, task: task.number, of: task.of)
        source.now = { [lead] in
            FileSource.systemTime() + lead.nanoseconds.load(ordering: .relaxed)
        }
        let outlet = RecordingOutlet(for: source, durability: durability)
        outlet.stopAfterIdling = Self.patience
        var rest = steps[...]
        var quiet = 0
        outlet.onIdle = { [unowned outlet] number in
            usleep(2_000)
            let count = outlet.records.count + outlet.rejections.count
            if let step = rest.first {
                guard count >= step.records else { return }
                rest = rest.dropFirst()
                try step.action()
            } else if count >= records {
                quiet += 1
                if quiet > Self.quiet { outlet.stop() }
            }
        }
        do throws(ConnectorError) {
            try await source.run(from: positions, into: outlet)
        } catch {
            guard error.code == .cancelled else { throw error }
        }
        #expect(rest.isEmpty, "the script was not finished; got \(outlet.texts)")
        return outlet
    }
}

extension FollowFixture {
    /// What is known after a run that began with `positions`.
    func known(_ positions: [String: String], _ outlet: RecordingOutlet) -> [String: String] {
        var all = positions
        for item in outlet.sent {
            all[item.position.partition] = item.isForgotten ? nil : item.position.offset
        }
        return all
    }

    /// Runs as `--until-end` does.
    func runToEnd(
        _ values: [String: String] = [:],
        from positions: [String: String] = [:]
    ) async throws -> RecordingOutlet {
        let given = ["include": "*.log*", "follow": "true"].merging(values) { $1 }
        let source = try files.source(given, untilEnd: true)
        let outlet = RecordingOutlet(for: source)
        outlet.stopAfterIdling = Self.patience
        outlet.onIdle = { _ in usleep(2_000) }
        try await source.run(from: positions, into: outlet)
        #expect(!outlet.isStopping, "the source ends by itself")
        return outlet
    }
}
