import ConnectorSDK
import Testing

@testable import KafkaClient
@testable import KafkaWorkers
@testable import PipelineEngine

@Suite("The status of a cluster of workers")
struct ClusterStatusTests {
    private let a = WorkerRecord(
        #"{"worker":"a","host":"one","files":"f1","version":"0.1.0","since":5}"#
    )
    private let roster = RosterRecord([
        SharedConnector(name: "in", kind: .source, plugin: "csv", tasks: 1, topics: []),
        SharedConnector(
            name: "out",
            kind: .sink,
            plugin: "sqlite",
            tasks: 2,
            topics: ["t"],
            group: "connect-out"
        ),
    ])

    private func group(_ state: String, _ members: [String: [Int32]]) -> KafkaGroup {
        KafkaGroup(
            name: "c",
            state: state,
            assignor: "cooperative-sticky",
            members: members.sorted { $0.key < $1.key }.map { id, slots in
                KafkaGroup.Member(
                    id: id,
                    clientID: "rdkafka",
                    host: "/10.0.0.1",
                    instanceID: nil,
                    partitions: slots.map { KafkaPartition("c-workers", $0) }
                )
            }
        )
    }

    /// Each task as `connector-number STATE worker`.
    private func tasks(_ status: ClusterStatus) -> [String] {
        status.connectors.flatMap { connector in
            connector.tasks.map {
                "\(connector.definition.name)-\($0.number) \($0.state) \($0.worker ?? "-")"
            }
        }
    }

    private func entries(_ others: [String: String]) throws -> [String: String] {
        [
            "files": "f1 a", "tasks": roster.text, "worker/m/1": try #require(a).text,
            "later": "of a version to come", "task/in/x/m": "{}",
        ].merging(others) { $1 }
    }

    @Test("of two workers that speak of a task, the one that got it last is believed")
    func leases() throws {
        let status = ClusterStatus(
            try entries([
                "worker/m2": #"{"worker":"b"}"#,
                "task/in/0/m/1": #"{"state":"RUNNING","since":7,"lease":4}"#,
                "task/in/0/m2":
                    #"{"state":"FAILED","lease":12,"error":{"code":"x.y","message":"No."}}"#,
                "task/out/0/m2": #"{"state":"RUNNING","lease":1}"#,
            ]),
            group("Stable", ["m/1": [0], "m2": []])
        )
        #expect(tasks(status) == ["in-0 FAILED b", "out-0 RUNNING b", "out-1 UNASSIGNED -"])
        #expect(status.connectors[0].tasks[0].error?.message == "No.")
        #expect(status.connectors.map(\.state) == ["FAILED", "UNASSIGNED"])
        #expect(status.workers.map(\.name) == ["a", "b"])
        #expect(status.workers.map(\.tasks) == [0, 2])
        #expect(status.workers.map(\.host) == ["one", ""])
        #expect(status.connectors[1].definition == roster.connectors[1])
        #expect(status.files == "f1")
    }

    @Test("what a worker has said that the group does not know is of no account, whatever it says")
    func zombie() throws {
        let said = try entries([
            "task/in/0/gone": #"{"state":"RUNNING","lease":99}"#,
            "task/out/1/m/1": "no JSON",
        ])
        let status = ClusterStatus(said, group("Stable", ["m/1": [0, 79]]))
        // Slots tell who has a task before anything was said of it.
        #expect(tasks(status) == ["in-0 UNASSIGNED a", "out-0 UNASSIGNED a", "out-1 UNASSIGNED -"])
        let empty = ClusterStatus(said, group("Empty", [:]))
        #expect(tasks(empty).allSatisfy { $0.hasSuffix("UNASSIGNED -") })
        #expect(empty.workers == [])
    }

    @Test("a worker of a version that says nothing is a member all the same")
    func older() throws {
        let old = ClusterStatus(["files": "f1 a"], group("Stable", ["m1": [0]]))
        #expect(old.workers.map(\.name) == ["rdkafka"])
        #expect(old.workers.map(\.files) == [nil])
        #expect(old.connectors.isEmpty)
        #expect(old.files == "f1")
        let mixed = ClusterStatus(try entries([:]), group("Stable", ["m1": [0], "m/1": [79]]))
        #expect(
            tasks(mixed) == ["in-0 UNKNOWN rdkafka", "out-0 UNASSIGNED a", "out-1 UNASSIGNED -"]
        )
    }

    @Test("records and keys are read as they were written")
    func records() throws {
        for key in [
            StatusKey.files, .tasks, .worker(member: "a/b-1"),
            .task(TaskID("x-y", 12), member: "a/b/c"),
        ] { #expect(StatusKey(key.text) == key) }
        for text in ["", "files/x", "task/a/b", "task/a/-/m", "worker", "other"] {
            #expect(StatusKey(text) == nil, "\(text)")
        }
        let long = String(repeating: "x", count: 100_000)
        let report = TaskReport(
            id: TaskID("x", 0),
            state: .failed,
            error: .init(.init("a.b"), .failTask, long, at: "a.key", hint: "Do \"this\".")
        )
        let record = TaskRecord(report, lease: 3, since: 4)
        #expect(TaskRecord(record.text) == record)
        #expect(record.text.utf8.count < 3_000)
        #expect(RosterRecord(roster.text)?.connectors == roster.connectors)
    }
}
