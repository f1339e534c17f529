import ConnectorSDK
import Glibc
import TopicLog

/// Opens the store that `--data-dir` names.
enum DataDirectory {
    enum Access {
        /// Beside a worker that may be running; nothing is created.
        case reading
        /// Alone.
        case writing
    }

    static func open(
        _ shared: SharedOptions,
        for access: Access
    ) throws -> EmbeddedTopicStore {
        let directory = shared.dataDirectory
        switch access {
        case .reading:
            try requireExistence(shared)
            return try EmbeddedTopicStore(
                directory: directory,
                mode: .readOnly,
                logger: shared.logger
            )
        case .writing:
            return try EmbeddedTopicStore(
                directory: directory,
                mode: .readWrite,
                logger: shared.logger
            )
        }
    }

    /// Throws a failure that names the directory when no store was ever opened there.
    static func requireExistence(_ shared: SharedOptions) throws {
        let directory = shared.dataDirectory
        guard access(directory + "/state.db", F_OK) != 0 else { return }
        throw Failure(
            .configuration,
            code: "cli.no_data",
            "There is no data directory `\(directory)`.",
            hint: "A run creates it; --data-dir or MILLRACE_DATA names another."
        )
    }
}
