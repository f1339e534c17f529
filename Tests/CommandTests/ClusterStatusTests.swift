import Foundation
import TestServices
import Testing

/// Workers that share tasks, as `cluster status` shows them.
@Suite("millrace cluster status", .timeLimit(.minutes(10)))
struct ClusterStatusTests {
    private let broker: KafkaBroker
    private let directory: TemporaryDirectory
    /// A name that no other test uses where the cluster is shared.
    private let cluster = "status-\(UInt32.random(in: 0 ... .max))"

    init() throws {
        broker = try KafkaBroker()
        directory = try TemporaryDirectory()
    }

    private struct Task {
        let state: String
        let worker: String?
        let message: String
    }

    /// What the command says with `--json`.
    private struct Status {
        let workers: [String]
        let lags: [String: Int]
        let tasks: [String: Task]

        init(_ result: CommandResult) throws {
            let document = try result.json()
            workers = try list(document["workers"]).compactMap { $0["worker_id"] as? String }
            var lags: [String: Int] = [:]
            var tasks: [String: Task] = [:]
            for connector in try list(document["connectors"]) {
                let name = try #require(connector["name"] as? String)
                lags[name] = connector["lag"] as? Int
                for task in try list(connector["tasks"]) {
                    let error = task["error"] as? [String: Any]
                    tasks["\(name)-\(task["id"] ?? "")"] = Task(
                        state: try #require(task["state"] as? String),
                        worker: task["worker_id"] as? String,
                        message: error?["message"] as? String ?? ""
                    )
                }
            }
            (self.lags, self.tasks) = (lags, tasks)
            let named = Set(tasks.values.compactMap(\.worker))
            #expect(named.isSubset(of: workers), "a task is with a worker that is not there")
        }

        /// Whether each task has this state, and the tasks are with workers that are there.
        func shows(_ states: [String: String]) -> Bool {
            tasks.mapValues(\.state) == states && tasks.values.allSatisfy { $0.worker != nil }
        }
    }

    private func millrace(_ words: String...) async throws -> CommandResult {
        try await directory.start(words).wait()
    }

    /// Waits until the status is as it should be, and returns it.
    private func status(
        _ what: Comment,
        _ workers: [Command],
        until isSo: (Status) -> Bool
    ) async throws -> Status {
        var result: CommandResult?
        // Attempts as well as time: a loaded machine may stop all processes for long.
        for _ in 0..<1_000 {
            let found = try await millrace("cluster", "status", cluster, "p.yaml", "--json")
            // Until the first worker has made its topics.
            if found.exitCode == 0 {
                let status = try Status(found)
                if isSo(status) { return status }
            }
            result = found
            try await _Concurrency.Task.sleep(for: .milliseconds(100))
        }
        let logs = workers.map { "\n" + $0.errorsSoFar.suffix(2_000) }.joined()
        Issue.record("\(what): \(result?.output ?? "")\(result?.errors ?? "")\(logs)")
        throw CancellationError()
    }

    private func writePipeline() throws {
        try directory.write(
            """
            pipeline: p
            broker:
              bootstrap.servers: \(broker.bootstrap)
              cluster: \(cluster)
              replication.factor: 1
              session.timeout.ms: 6000
            topics:
              \(cluster)-numbers: {partitions: 2}
            sources:
              in:
                connector: generate
                topic: \(cluster)-numbers
                rate: 50
                columns: [n]
                fields: {n: sequence}
            sinks:
              ok: {connector: sqlite, topics: [\(cluster)-numbers], path: ok.db}
              bad:
                connector: sqlite
                topics: [\(cluster)-numbers]
                path: bad.db
                table.name.format: missing_table
                auto.create: false

            """,
            to: "p.yaml"
        )
    }

    private func startWorker(_ name: String) throws -> Command {
        try directory.start(["run", "p.yaml", "--cluster", cluster, "--data-dir", "data-\(name)"])
    }

    @Test("shows who runs what, what failed and what is unread, while workers come and go")
    func workers() async throws {
        try writePipeline()
        let unknown = try await millrace("cluster", "status", cluster, "p.yaml")
        #expect(unknown.exitCode == 2)
        #expect(unknown.errors.contains("no cluster of workers `\(cluster)`"), "\(unknown.errors)")

        let commands = [try startWorker("a"), try startWorker("b")]
        var running = commands
        defer { for command in running { command.signal(SIGKILL) } }
        let states = ["in-0": "RUNNING", "ok-0": "RUNNING", "bad-0": "FAILED"]
        var seen = try await status("both are there", commands) { status in
            status.workers.count == 2 && status.shows(states) && (status.lags["bad"] ?? 0) > 0
        }
        #expect(seen.lags["in"] == nil && seen.lags["ok"] != nil)
        #expect(seen.tasks["bad-0"]?.message.contains("missing_table") == true)
        let text = try await millrace("cluster", "status", cluster, "p.yaml")
        #expect(text.output.contains("\nbad-0: table.name.format: "), "\(text.output)")

        // It is gone when its session is over, and its tasks are with the other one.
        let name = try #require(seen.tasks["ok-0"]?.worker)
        let killed = try #require(commands.first { name.hasSuffix("-\($0.processID)") })
        killed.signal(SIGKILL)
        _ = try await killed.wait()
        running.removeAll { $0 === killed }
        let other = try #require(commands.first { $0 !== killed })
        seen = try await status("the other has all", [other]) { status in
            status.workers.count == 1 && status.shows(states)
        }
        #expect(!seen.workers.contains(name))

        let topics = try await millrace("topics", "list", "--broker", broker.bootstrap)
        let own = topics.output.split(separator: "\n").filter { $0.contains(cluster) }
        #expect(own.count == 1 && own[0].contains("-numbers "), "\(topics.output)")

        other.signal(SIGTERM)
        let ended = try await other.wait()
        running = []
        #expect(ended.exitCode == 1, "one connector has failed")
        seen = try await status("nobody is there", []) { $0.workers.isEmpty }
        #expect(seen.tasks.values.allSatisfy { $0.state == "UNASSIGNED" && $0.worker == nil })
        #expect((seen.lags["bad"] ?? 0) > 0)
        try await misuse()
    }

    private func misuse() async throws {
        let misspelt = try await millrace("cluster", "status", cluster + "x", "p.yaml")
        #expect(misspelt.exitCode == 2)
        #expect(misspelt.errors.contains("Did you mean `\(cluster)`?"), "\(misspelt.errors)")
        try directory.write(try directory.read("p.yaml") + "# Another.\n", to: "q.yaml")
        let files = try await millrace("cluster", "status", cluster, "q.yaml")
        #expect(files.exitCode == 0)
        #expect(files.errors.contains("are not those that the workers run"), "\(files.errors)")
        let nowhere = try await millrace("cluster", "status", cluster)
        #expect(nowhere.exitCode == 2)
        #expect(nowhere.errors.contains("--broker HOST:PORT"), "\(nowhere.errors)")
        let away = try await millrace("cluster", "status", cluster, "--broker", "127.0.0.1:1")
        #expect(away.exitCode == 3)
        #expect(away.errors.contains("127.0.0.1:1"), "\(away.errors)")
        let name = try await millrace("cluster", "status", "a b", "--broker", broker.bootstrap)
        #expect(name.exitCode == 2)
        #expect(name.errors.contains("The name of a cluster, `a b`"), "\(name.errors)")
    }
}

private func list(_ value: Any?) throws -> [[String: Any]] {
    try #require(value as? [[String: Any]])
}
