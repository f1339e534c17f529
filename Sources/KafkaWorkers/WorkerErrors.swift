public import ConnectorSDK

extension ConnectorError.Code {
    /// Workers of one cluster have different pipeline files.
    public static let clusterFiles = Self("cluster.files")
    /// A topic of the cluster is not what workers need.
    public static let clusterTopic = Self("cluster.topic")
    /// Another worker has the same name.
    public static let clusterWorker = Self("cluster.worker")
}

extension ConnectorError {
    /// Makes the error of a worker whose files are not those of the others.
    internal static func otherFiles(
        _ options: WorkerGroupOptions,
        _ hash: String,
        _ worker: String
    ) -> Self {
        Self(
            .clusterFiles,
            .failTask,
            "The workers of the cluster `\(options.cluster)` run other pipeline files than this "
                + "one: files \(hash), first said by the worker `\(worker)`, and not files "
                + "\(options.files).",
            kind: .configuration,
            hint: "All workers of a cluster need the same files, to the byte. Bring the files in "
                + "line, or stop the others before this one starts with new files."
        )
    }

    /// Makes the error of a topic of workers that somebody else has made.
    internal static func topic(_ topic: String, _ count: Int, needed: Int32) -> Self {
        Self(
            .clusterTopic,
            .failTask,
            "The topic \(topic) has \(count) partitions, and workers need exactly \(needed).",
            kind: .configuration,
            hint: "Stop all workers and delete it, or choose another name for the cluster."
        )
    }

    /// Makes the error of a worker whose name another took over.
    internal static func sameWorker(_ worker: String, _ cause: any Error) -> Self {
        Self(
            .clusterWorker,
            .failTask,
            "Another worker of the cluster was started under the name `\(worker)`.",
            kind: .configuration,
            hint: "Give each worker its own name with --worker, or leave that out.",
            underlying: cause
        )
    }
}
