internal import ConnectorSDK
internal import JSONDocuments
internal import PipelineEngine

/// A key of `<NAME>-status`.
///
/// What a worker says of itself and its tasks is below the id that the group knows it by: a zombie,
/// which the group knows no longer, writes over nothing that another worker has said.
internal enum StatusKey: Hashable {
    /// Which pipeline files are run: the one key that the first versions knew.
    case files
    /// Which tasks there are.
    case tasks
    /// A worker.
    case worker(member: String)
    /// What a worker's task does.
    case task(TaskID, member: String)

    /// Reads a key; `nil` for one of a later version.
    internal init?(_ text: String) {
        // An id may hold a slash; names of connectors do not.
        let parts = text.split(separator: "/", maxSplits: 3).map(String.init)
        switch parts.first {
        case "files" where parts.count == 1: self = .files
        case "tasks" where parts.count == 1: self = .tasks
        case "worker" where parts.count > 1:
            self = .worker(member: String(text.dropFirst("worker/".count)))
        case "task" where parts.count == 4:
            guard let number = Int(parts[2]) else { return nil }
            self = .task(TaskID(parts[1], number), member: parts[3])
        default: return nil
        }
    }

    internal var text: String {
        switch self {
        case .files: "files"
        case .tasks: "tasks"
        case .worker(let member): "worker/\(member)"
        case .task(let id, let member): "task/\(id.connector)/\(id.number)/\(member)"
        }
    }

    /// The group's id of the worker that says it; `nil` for what is of all of them.
    internal var member: String? {
        switch self {
        case .files, .tasks: nil
        case .worker(let member), .task(_, let member): member
        }
    }
}

/// What a worker says of itself.
internal struct WorkerRecord: Hashable {
    internal var name: String
    internal var host: String
    /// A hash of the pipeline files that it runs.
    internal var files: String
    internal var version: String
    /// When it was started, in milliseconds since the epoch.
    internal var since: Int64?

    internal init(_ options: WorkerGroupOptions, since: Int64) {
        name = options.worker
        host = options.host
        files = options.files
        version = options.version
        self.since = since
    }

    /// Reads a record of any version; `nil` when it is none.
    internal init?(_ text: String) {
        guard let record = JSONDocument(parsing: text), let name = record["worker"]?.string else {
            return nil
        }
        self.name = name
        host = record["host"]?.string ?? ""
        files = record["files"]?.string ?? ""
        version = record["version"]?.string ?? ""
        since = record["since"]?.int
    }

    internal var text: String {
        let record: JSONDocument = [
            "worker": .string(name), "host": .string(host), "files": .string(files),
            "version": .string(version), "since": .optional(since),
        ]
        return record.text
    }
}

/// What a worker says of a task.
internal struct TaskRecord: Hashable {
    /// Connect's word.
    internal var state: String
    /// Since when, in milliseconds since the epoch.
    internal var since: Int64?
    /// Counts who has had the task, so that of two workers that both say something of it the one
    /// that got it last is believed.
    internal var lease: Int64
    internal var error: ClusterStatus.TaskError?

    /// More than an error's few sentences ever are; one that quotes a long text is cut.
    private static let longest = 2_000

    internal init(_ report: TaskReport, lease: Int64, since: Int64) {
        state = report.state.rawValue.uppercased()
        self.since = since
        self.lease = lease
        // D8: an error's words hold no record and no secret.
        error = report.error.map { error in
            ClusterStatus.TaskError(
                code: error.code.rawValue,
                message: Self.cut(error.message),
                hint: error.hint.map { Self.cut($0) },
                key: error.configurationKey
            )
        }
    }

    private static func cut(_ text: String) -> String {
        text.count > longest ? text.prefix(longest) + "…" : text
    }

    /// Reads a record of any version; `nil` when it is none.
    internal init?(_ text: String) {
        guard let record = JSONDocument(parsing: text), let state = record["state"]?.string else {
            return nil
        }
        self.state = state
        since = record["since"]?.int
        lease = record["lease"]?.int ?? 0
        guard let told = record["error"], let code = told["code"]?.string else { return }
        error = ClusterStatus.TaskError(
            code: code,
            message: told["message"]?.string ?? "",
            hint: told["hint"]?.string,
            key: told["key"]?.string
        )
    }

    /// Whether both say the same, whatever the time.
    internal func says(thatOf other: TaskRecord) -> Bool {
        var copy = other
        copy.since = since
        return copy == self
    }

    internal var text: String {
        var fields: [(String, JSONDocument)] = [
            ("state", .string(state)), ("since", .optional(since)), ("lease", .int(lease)),
        ]
        if let error { fields.append(("error", error.document)) }
        return JSONDocument.object(fields).text
    }
}

/// The connectors whose tasks are shared, in the order of their names.
internal struct RosterRecord {
    internal var connectors: [SharedConnector]

    internal init(_ connectors: [SharedConnector]) { self.connectors = connectors }

    /// Reads a record of any version; `nil` when it is none.
    internal init?(_ text: String) {
        guard let items = JSONDocument(parsing: text)?["connectors"]?.array else { return nil }
        connectors = items.compactMap { item in
            guard let name = item["name"]?.string, let tasks = item["tasks"]?.int else {
                return nil
            }
            return SharedConnector(
                name: name,
                kind: item["type"]?.string.flatMap { .init(rawValue: $0) } ?? .source,
                plugin: item["plugin"]?.string ?? "",
                tasks: Int(clamping: max(0, min(tasks, 10_000))),
                topics: item["topics"]?.array?.compactMap(\.string) ?? [],
                group: item["group"]?.string
            )
        }
    }

    internal var text: String {
        let items = connectors.map { connector -> JSONDocument in
            [
                "name": .string(connector.name), "type": .string(connector.kind.rawValue),
                "plugin": .string(connector.plugin), "tasks": .int(Int64(connector.tasks)),
                "topics": .array(connector.topics.map { .string($0) }),
                "group": .optional(connector.group),
            ]
        }
        let record: JSONDocument = ["connectors": .array(items)]
        return record.text
    }
}
