import Foundation
import PostgresClient
import Synchronization
import TestServices

/// Rows `(id, version)` of which every change adds one to the version, so that a topic shows what
/// was lost, doubled or told in the wrong order: for each key, versions must follow each other
/// without a gap, beginning with what the snapshot read.
struct VersionedRows {
    static let table = "CREATE TABLE t (id int PRIMARY KEY, version int NOT NULL, pad text)"

    /// What is wrong with a table's events, and the versions that they end with.
    static func problems(_ events: [Event]) -> (problems: [String], last: [Int: Int]) {
        var problems: [String] = []
        var last: [Int: Int] = [:]
        // Keys that were told; of a row that went before a snapshot came to it only that is told.
        var told: Set<Int> = []
        for event in events {
            guard let operation = event.operation, let id = event.int("id") else { continue }
            if operation == "d" {
                let isFirst = told.insert(id).inserted
                if last.removeValue(forKey: id) == nil, !isFirst {
                    problems.append("\(id) goes twice")
                }
                continue
            }
            told.insert(id)
            guard let version = event.int("version") else {
                problems.append("\(id) has no version")
                continue
            }
            switch (operation, last[id]) {
            case ("r", nil), ("c", nil), ("u", nil): break
            // A row that is read beside the changes may have been told by them already.
            case ("r", let known?) where version == known: break
            case ("u", let known?) where version == known + 1: break
            case (_, let known):
                problems.append("\(operation) \(id): \(version) after \(known ?? -1)")
            }
            last[id] = version
        }
        return (problems, last)
    }

    /// The versions in the database.
    static func rows(
        _ database: PostgresDatabase,
        _ table: String = "t"
    ) throws -> [Int: Int] {
        let result = try database.connect().execute("SELECT id, version FROM \(table)")
        var rows: [Int: Int] = [:]
        for row in 0..<result.rowCount {
            rows[Int(result.int(row, 0) ?? 0)] = Int(result.int(row, 1) ?? 0)
        }
        return rows
    }
}

/// Changes rows on a thread of its own until it is stopped.
final class Writer: Sendable {
    private let isStopping = Atomic<Bool>(false)
    private let done = Mutex(false)
    private let failure = Mutex<String?>(nil)
    private let count = Atomic<Int>(0)

    /// Starts to run `body` again and again, with the number of the round.
    init(
        _ database: PostgresDatabase,
        _ body: @escaping @Sendable (PostgresConnection, Int) throws -> Void
    ) throws {
        let connection = Handed(try database.connect())
        let thread = Thread { [self] in
            var round = 0
            while !isStopping.load(ordering: .relaxed) {
                do {
                    try body(connection.value, round)
                } catch {
                    failure.withLock { $0 = String(reflecting: error) }
                    break
                }
                round += 1
                usleep(1_000)
                count.store(round, ordering: .relaxed)
            }
            done.withLock { $0 = true }
        }
        thread.start()
    }

    /// How many rounds were made.
    var rounds: Int { count.load(ordering: .relaxed) }

    /// Ends it, and throws what went wrong.
    func stop() async throws {
        isStopping.store(true, ordering: .relaxed)
        while !done.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(2)) }
        if let text = failure.withLock({ $0 }) { throw WriterFailure(text: text) }
    }

    struct WriterFailure: Error { var text: String }

    private struct Handed: @unchecked Sendable {
        // SAFETY: made on one thread, used on the other from then on.
        let value: PostgresConnection
        init(_ value: PostgresConnection) { self.value = value }
    }
}
