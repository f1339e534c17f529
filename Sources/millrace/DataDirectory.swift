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
            guard Glibc.access(directory + "/state.db", F_OK) == 0 else {
                throw Failure(
                    .configuration,
                    code: "cli.no_data",
                    "There is no data directory `\(directory)`.",
                    hint: "A run creates it; --data-dir or MILLRACE_DATA names another."
                )
            }
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
}
