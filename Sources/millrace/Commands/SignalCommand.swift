import ArgumentParser
import ConnectorSDK
import FileSystem
import Glibc
import JSONDocuments
import Topics

/// The command `millrace signal`.
struct SignalCommand: MillraceCommand {
    static let configuration = CommandConfiguration(
        commandName: "signal",
        abstract: "Ask something of a source that captures changes, while it runs.",
        discussion: """
            `execute-snapshot` has tables read again while changes are captured, `stop-snapshot` ends \
            that, `pause-snapshot` and `resume-snapshot` interrupt it, `log` has a message logged. \
            The source does it within a second, or when it is started.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "The connector's name in its pipeline file.")
    var connector: String

    @Argument(help: ArgumentHelp("What is asked.", valueName: "request"))
    var request: Request

    @Option(
        help: ArgumentHelp(
            "A regular expression for tables, such as 'public\\.orders'; may be repeated.",
            valueName: "table"
        )
    )
    var table: [String] = []

    @Option(help: ArgumentHelp("An SQL condition for the rows to read.", valueName: "sql"))
    var filter: String?

    @Option(help: ArgumentHelp("What to log.", valueName: "text"))
    var message: String?

    /// What can be asked.
    enum Request: String, CaseIterable, ExpressibleByArgument {
        case executeSnapshot = "execute-snapshot"
        case stopSnapshot = "stop-snapshot"
        case pauseSnapshot = "pause-snapshot"
        case resumeSnapshot = "resume-snapshot"
        case log
    }

    mutating func execute() async throws -> ExitStatus {
        try check()
        let store = try TopicPlace.open(shared, for: .reading)
        defer { store.close() }
        try checkConnector(in: store)
        let id = Self.makeID()
        try write(id)
        if shared.json {
            try StandardOutput.print([
                "id": .string(id), "connector": .string(connector),
                "type": .string(request.rawValue),
            ])
        } else {
            try StandardOutput.printLine("\(connector): \(request.rawValue) is left for it (\(id))")
        }
        return .done
    }

    private var directory: String {
        "\(shared.dataDirectory)/connectors/\(connector)/signals"
    }

    /// Whoever takes signals has made a directory for them, maybe before its first position.
    private func checkConnector(in store: any TopicStore) throws {
        if (try? FileInformation.of(directory))?.kind == .directory { return }
        let all = try ConnectorOffsets.all(in: store)
        switch all.first(where: { $0.connector == connector }) {
        case .consumer:
            throw Failure.usage(
                "`\(connector)` reads topics; signals are for sources of other systems."
            )
        case .source:
            throw Failure.usage(
                "`\(connector)` has not taken signals so far.",
                hint: "Sources of type postgres-cdc do, once they have been started."
            )
        case nil:
            let near = Spelling.nearest(to: connector, in: all.map(\.connector))
            throw Failure(
                .configuration,
                code: "signal.unknown",
                "No connector `\(connector)` has run in this data directory.",
                hint: near.map { "Did you mean `\($0)`?" }
                    ?? "Start it with `millrace run` first."
            )
        }
    }

    private func check() throws {
        if request == .executeSnapshot, table.isEmpty {
            throw Failure.usage(
                "execute-snapshot needs --table.",
                hint: "--table '.*' means all that are captured."
            )
        }
        let takesTables = request == .executeSnapshot || request == .stopSnapshot
        if !takesTables, !table.isEmpty {
            throw Failure.usage("\(request.rawValue) takes no --table.")
        }
        if request != .executeSnapshot, filter != nil {
            throw Failure.usage("\(request.rawValue) takes no --filter.")
        }
        if request == .log, message == nil { throw Failure.usage("log needs --message.") }
        if request != .log, message != nil {
            throw Failure.usage("\(request.rawValue) takes no --message.")
        }
    }

    /// Puts a file where the source looks for it, whole or not at all.
    private func write(_ id: String) throws {
        do throws(FileSystemError) {
            try FileSystem.makeDirectories(directory)
            let text = Array((document(id).text + "\n").utf8)
            var failure: FileSystemError?
            text.withUnsafeBytes { bytes in
                do throws(FileSystemError) {
                    try FileSystem.replaceContent(of: "\(directory)/\(id).json", with: bytes)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        } catch {
            throw Failure(
                .environment,
                code: "signal.write",
                "The signal cannot be written: \(error)."
            )
        }
    }

    private func document(_ id: String) -> JSONDocument {
        var data: [(String, JSONDocument)] = []
        if !table.isEmpty {
            data.append(("data-collections", .array(table.map { .string($0) })))
        }
        if let filter {
            let conditions = table.map { table -> JSONDocument in
                ["data-collection": .string(table), "filter": .string(filter)]
            }
            data.append(("additional-conditions", .array(conditions)))
        }
        if let message { data.append(("message", .string(message))) }
        return ["id": .string(id), "type": .string(request.rawValue), "data": .object(data)]
    }

    /// Sorts by time, so that signals are taken in order.
    private static func makeID() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let nanoseconds = String(1_000_000_000 + time.tv_nsec).dropFirst()
        return "\(time.tv_sec)\(nanoseconds)-\(getpid())"
    }
}
