/// How a worker shares tasks with others.
public struct WorkerGroupOptions: Sendable {
    /// What the workers that share tasks have in common: the name of their consumer group, and what
    /// their topics begin with.
    public var cluster: String
    /// What this worker is called.
    public var worker: String
    /// The machine that it runs on, for those who look.
    public var host = ""
    /// Its version, for those who look.
    public var version = ""
    /// Whether its name stays when it is started again, and its tasks wait for it meanwhile.
    public var isStatic = false
    /// A hash of the pipeline files, which all workers have in common.
    public var files: String
    /// Copies of each partition of a topic that is created; `nil` for the cluster's default.
    public var replicationFactor: Int32?
    /// How long tasks may take to finish their batch and commit when they move to another worker.
    ///
    /// 20 s: under the 60 s that the others wait for this worker when they share anew, and under
    /// the 30 s that process managers commonly wait before they kill.
    public var handOverTimeout: Duration = .seconds(20)
    /// How long a request may take before it is an error.
    public var timeout: Duration = .seconds(60)
    /// Hears librdkafka's log, with syslog's levels.
    public var log: (@Sendable (_ level: Int, _ text: String) -> Void)?

    /// Makes the options of a worker.
    public init(cluster: String, worker: String, files: String) {
        self.cluster = cluster
        self.worker = worker
        self.files = files
    }
}
