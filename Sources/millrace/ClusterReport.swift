import ConnectorSDK
import JSONDocuments
import KafkaWorkers
import PipelineEngine

/// What `cluster status` prints.
struct ClusterReport {
    private let name: String
    private let status: ClusterStatus
    /// Of connectors that read topics, by name.
    private let lags: [String: Int64]

    init(_ name: String, _ status: ClusterStatus, _ lags: [String: Int64]) {
        self.name = name
        self.status = status
        self.lags = lags
    }

    // MARK: JSON

    var document: JSONDocument {
        [
            "cluster": .string(name), "state": .string(status.group),
            "files": .optional(status.files),
            "workers": .array(status.workers.map { Self.document(of: $0) }),
            "connectors": .array(status.connectors.map { document(of: $0) }),
        ]
    }

    private static func document(of worker: ClusterStatus.Worker) -> JSONDocument {
        [
            "worker_id": .string(worker.name), "host": .string(worker.host),
            "files": .optional(worker.files), "version": .optional(worker.version),
            "since": .optional(worker.since.map { TimeText.text(milliseconds: $0) }),
            "tasks": .int(Int64(worker.tasks)),
        ]
    }

    private func document(of connector: ClusterStatus.Connector) -> JSONDocument {
        let definition = connector.definition
        return [
            "name": .string(definition.name), "type": .string(definition.kind.rawValue),
            "connector": .string(definition.plugin), "state": .string(connector.state),
            "lag": .optional(lags[definition.name]),
            "tasks": .array(connector.tasks.map { Self.document(of: $0) }),
        ]
    }

    private static func document(of task: ClusterStatus.Task) -> JSONDocument {
        var fields: [(String, JSONDocument)] = [
            ("id", .int(Int64(task.number))), ("state", .string(task.state)),
            ("worker_id", .optional(task.worker)),
            ("since", .optional(task.since.map { TimeText.text(milliseconds: $0) })),
        ]
        if let error = task.error { fields.append(("error", error.document)) }
        return .object(fields)
    }

    // MARK: Text

    func print() throws {
        try StandardOutput.printLine(
            "cluster \(name), group \(status.group), files \(status.files ?? "-")"
        )
        var workers = TextTable([
            ("worker", .left), ("host", .left), ("files", .left), ("since", .left),
            ("tasks", .right),
        ])
        for worker in status.workers {
            workers.append([
                worker.name, worker.host, worker.files ?? "-", Self.time(worker.since),
                String(worker.tasks),
            ])
        }
        try StandardOutput.printLine("")
        try workers.print()
        if status.workers.isEmpty { try StandardOutput.printLine("no worker is there") }
        try StandardOutput.printLine("")
        try tasks.print()
        for line in errors { try StandardOutput.printLine(line) }
    }

    /// Lag is a connector's, and stands in the line of its first task.
    private var tasks: TextTable {
        var table = TextTable([
            ("connector", .left), ("type", .left), ("task", .right), ("state", .left),
            ("worker", .left), ("since", .left), ("lag", .right),
        ])
        for connector in status.connectors {
            let definition = connector.definition
            for (index, task) in connector.tasks.enumerated() {
                let lag = lags[definition.name].map { Quantity.count($0) } ?? "-"
                table.append([
                    definition.name, "\(definition.kind.rawValue) \(definition.plugin)",
                    String(task.number), task.state, task.worker ?? "-", Self.time(task.since),
                    index == 0 ? lag : "",
                ])
            }
        }
        return table
    }

    private var errors: [String] {
        let lines = status.connectors.flatMap { connector in
            connector.tasks.compactMap { task -> String? in
                guard let error = task.error else { return nil }
                let hint = error.hint.map { " \($0)" } ?? ""
                let id = TaskID(connector.definition.name, task.number)
                let key = error.key.map { "\($0): " } ?? ""
                return "\(id): \(key)\(error.message)\(hint) [\(error.code)]"
            }
        }
        return lines.isEmpty ? [] : [""] + lines
    }

    private static func time(_ milliseconds: Int64?) -> String {
        milliseconds.map { TimeText.text(milliseconds: $0) } ?? "-"
    }
}
