import ConnectorSDK
import Digests
import Glibc
import KafkaWorkers
import PipelineEngine
import PipelineFile
import Topics

/// A worker's place among those that share the tasks of the same pipeline files.
enum WorkerPlace {
    /// What `--cluster` and `--worker` ask for; `nil` without the first.
    static func join(
        _ cluster: String?,
        as worker: String?,
        _ files: PipelineFileSet,
        _ command: RunCommand
    ) throws -> (any TaskSharing)? {
        guard let cluster else {
            guard worker == nil else {
                throw Failure.usage(
                    "--worker names one of several workers that share tasks.",
                    hint: "Name what they have in common with --cluster NAME."
                )
            }
            return nil
        }
        try check(cluster, worker, command)
        let shared = command.shared
        let hash = try Self.hash(of: files)
        let group = try TopicPlace.onBroker(shared, files) { (settings) throws(ConnectorError) in
            guard settings.usesTransactions else { throw Self.needsTransactions }
            var options = WorkerGroupOptions(
                cluster: cluster,
                worker: worker ?? "\(Self.host)-\(getpid())",
                files: hash
            )
            options.host = Self.host
            options.version = Version.current
            options.isStatic = worker != nil
            options.replicationFactor = settings.replicationFactor
            options.log = TopicPlace.librdkafkaLog(shared.logger)
            return WorkerGroup(broker: settings.client, options: options, logger: shared.logger)
        }
        guard let group else {
            throw Failure.usage(
                "--cluster shares tasks through an Apache Kafka cluster, and the topics are in a "
                    + "data directory.",
                hint: "Name the cluster under `broker:` in the pipeline files, or with --broker "
                    + "HOST:PORT."
            )
        }
        return group
    }

    private static func check(
        _ cluster: String,
        _ worker: String?,
        _ command: RunCommand
    ) throws {
        try checkName(cluster)
        if let worker, let problem = TopicName.problem(worker) {
            throw Failure.usage("The name of a worker, `\(worker)`, \(problem).")
        }
        guard !command.untilEnd else {
            throw Failure.usage(
                "--until-end ends a run, and workers of a cluster run until they are stopped.",
                hint: "Leave out one of --until-end and --cluster."
            )
        }
    }

    static func checkName(_ cluster: String) throws {
        guard let problem = TopicName.problem(cluster + "-workers") else { return }
        throw Failure.usage("The name of a cluster, `\(cluster)`, \(problem).")
    }

    /// A zombie without `transactional.id` could not be told from the worker that replaced it.
    private static let needsTransactions = ConnectorError.invalid(
        "transactions",
        "Workers of a cluster are kept apart by transactions, and `transactions: false` is said.",
        hint: "Leave that out, or run one worker without --cluster."
    )

    /// What the files hold, whatever they are called and in whatever order they are named.
    static func hash(of files: PipelineFileSet) throws -> String {
        guard let digest = Digest(.sha256) else {
            throw Failure(
                .environment,
                code: "cli.digest",
                "This machine's libcrypto does not have SHA-256, by which workers compare files."
            )
        }
        // With their lengths, so that no text passes for two.
        let all = files.files.map { "\($0.text.utf8.count) \($0.text)" }.sorted().joined()
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Digest.maximumLength) {
            $0.initialize(repeating: 0)
            let room = $0
            _ = Array(all.utf8).withUnsafeBytes { digest.hash($0, into: room) }
            return room.prefix(6).map(hex).joined()
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return byte < 16 ? "0" + digits : digits
    }

    private static var host: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "worker" }
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.isEmpty ? "worker" : text
    }
}
