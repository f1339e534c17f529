internal import ConnectorSDK
internal import KafkaClient
internal import PipelineEngine

/// Which pipeline files the workers of a cluster run: those of the worker that came first.
internal struct WorkerNeighbours {
    private let admin: KafkaAdmin
    private let status: StatusTopic
    private let options: WorkerGroupOptions

    private static let key = StatusKey.files.text

    /// How much later than it should a broker may notice that a worker is gone.
    private static let margin: Duration = .seconds(3)

    internal init(_ admin: KafkaAdmin, _ status: StatusTopic, _ options: WorkerGroupOptions) {
        self.admin = admin
        self.status = status
        self.options = options
    }

    /// Makes sure, before the group is joined, that no other files are run, and says which are from
    /// now on.
    ///
    /// Workers that were killed are members for a while; so others are waited for.
    ///
    /// - Returns: `false` when the run was stopped meanwhile.
    internal func agree(_ ownership: TaskOwnership, patience: Duration) throws -> Bool {
        let deadline = ContinuousClock.now + patience + Self.margin
        while !ownership.isStopping {
            let told = try status.read()[Self.key].map { ToldFiles($0) }
            if let told, told.hash == options.files { return true }
            if try told == nil || admin.describeGroup(options.cluster).members.isEmpty {
                let own = ToldFiles(hash: options.files, worker: options.worker)
                try status.write(own.text, for: Self.key)
                return true
            }
            guard ContinuousClock.now < deadline else { throw refusal(told) }
            ownership.wait(.milliseconds(500))
        }
        return false
    }

    /// Makes sure that the files are still those that were agreed on: of workers that began at once
    /// with different files, one was the last to say so.
    ///
    /// - Returns: all that the workers have said.
    internal func check() throws -> [String: String] {
        let entries = try status.read()
        let told = entries[Self.key].map { ToldFiles($0) }
        guard told?.hash == options.files else { throw refusal(told) }
        return entries
    }

    /// The ids of the group's members, or `nil` when that cannot be said soon.
    internal func members() -> Set<String>? {
        let group = try? admin.allowing(Self.patience).describeGroup(options.cluster)
        return group.map { Set($0.members.map(\.id)) }
    }

    /// How long the group may take to say who its members are, where nothing depends on it: far
    /// less than the group would miss a member.
    private static let patience: Duration = .seconds(5)

    private func refusal(_ told: ToldFiles?) -> ConnectorError {
        .otherFiles(options, told?.hash ?? "unknown", told?.worker ?? "unknown")
    }
}

/// What a worker has said of the files that are run.
internal struct ToldFiles {
    internal var hash: String
    internal var worker: String

    internal init(hash: String, worker: String) {
        self.hash = hash
        self.worker = worker
    }

    internal init(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
        hash = parts.first ?? ""
        worker = parts.count > 1 ? parts[1] : "unknown"
    }

    internal var text: String { "\(hash) \(worker)" }
}
