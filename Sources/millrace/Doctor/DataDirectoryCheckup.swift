import ConnectorSDK
import FileSystem
import Glibc
import TopicLog
import Topics

/// What a run needs of the data directory.
struct DataDirectoryCheckup {
    private let path: String
    private let shared: SharedOptions
    private(set) var checks: [PreflightCheck] = []
    /// The partitions of all topics, as far as they can be read.
    private(set) var partitions = 0

    init(_ shared: SharedOptions) {
        self.shared = shared
        path = FileSystem.tidy(shared.dataDirectory)
        checks = DirectoryPreflight(path, key: nil).checks
        lookAtParts()
        lookAtFileSystem()
        lookAtWriter()
        lookAtTopics()
    }

    /// What a run writes to must be writable; what was made by another user may not be.
    private mutating func lookAtParts() {
        for name in ["state.db", "state.db-wal", "lock", "topics"] {
            let part = "\(path)/\(name)"
            guard access(part, F_OK) == 0, access(part, W_OK) != 0 else { continue }
            checks.append(
                PreflightCheck(
                    "write access",
                    .failed,
                    "\(part) cannot be written: \(String(cString: strerror(errno)).lowercased()).",
                    hint: "Run as the user that owns it, or give it to this one (\(geteuid()))."
                )
            )
        }
    }

    private mutating func lookAtFileSystem() {
        guard access(path, F_OK) == 0, let room = try? FileSystemRoom.of(path) else { return }
        switch room.kind {
        case .local: break
        case .memory:
            checks.append(
                PreflightCheck(
                    "file system",
                    .warning,
                    "\(path) is in memory: topics and positions are gone after a restart.",
                    hint: "Name a directory on a disk with --data-dir."
                )
            )
        case .network(let kind):
            checks.append(
                PreflightCheck(
                    "file system",
                    .warning,
                    "\(path) is on \(kind), where locks and shared memory may not work.",
                    hint: "Name a directory on a local disk with --data-dir."
                )
            )
        }
    }

    private mutating func lookAtWriter() {
        guard let writer = EmbeddedTopicStore.writer(of: path) else { return }
        checks.append(
            PreflightCheck(
                "owner",
                .warning,
                "\(path) is in use by \(writer); another run would be refused.",
                hint: "Stop that process first, or name another directory with --data-dir."
            )
        )
    }

    private mutating func lookAtTopics() {
        guard access(path + "/state.db", F_OK) == 0 else { return }
        do throws(ConnectorError) {
            let store = try EmbeddedTopicStore(
                directory: path,
                mode: .readOnly,
                logger: shared.logger
            )
            defer { store.close() }
            let topics = try store.topics()
            partitions = topics.reduce(0) { $0 + Int($1.partitions) }
            checks.append(
                PreflightCheck(
                    "topics",
                    .passed,
                    "\(topics.count) with \(partitions) partition(s). `millrace fsck` checks them."
                )
            )
        } catch {
            checks.append(PreflightCheck("topics", failed: error))
        }
    }
}
