internal import ChildProcesses
internal import ConnectorSDK
internal import JSONDocuments
internal import Logging

/// One run of a tap: its files, its process, and what it writes.
final class TapRun {
    let settings: SingerSettings
    private let context: ConnectorContext
    private let log: ProgramLog
    private let files: PrivateFiles

    init(_ settings: SingerSettings, _ context: ConnectorContext) throws(ConnectorError) {
        self.settings = settings
        self.context = context
        log = ProgramLog(context)
        files = try PrivateFiles()
    }

    /// The records that the tap says it has read.
    var countedRecords: Int64? { log.countedRecords }

    /// Starts the tap.
    func start(
        from state: String?,
        isStopping: @escaping () -> Bool
    ) throws(ConnectorError) -> ChildProcess {
        let config = try files.write(settings.config, to: "config.json")
        var arguments = ["--config", config]
        if let catalog = try catalog(config, isStopping) {
            arguments += [
                settings.catalogArgument, try files.write(catalog.text, to: "catalog.json"),
            ]
        }
        if let state { arguments += ["--state", try files.write(state, to: "state.json")] }
        return try process(arguments)
    }

    /// Ends what is left of the tap; returns how it ended.
    func end(_ child: ChildProcess) -> ChildEnding {
        let ending = child.waitForEnd(within: settings.command.grace)
        let last = child.end(within: settings.command.grace)
        return ending ?? last
    }

    private func process(_ arguments: [String]) throws(ConnectorError) -> ChildProcess {
        var command = settings.command.command
        command.arguments += arguments
        // Python holds back what it writes to a pipe, and logs of a run that is killed are lost.
        command.environment["PYTHONUNBUFFERED"] = "1"
        command.environment["PYTHONIOENCODING"] = "utf-8"
        let child = try ChildProcess(command, redact: context.redact) { [log] in log.take($0) }
        child.closeInput()
        return child
    }

    /// The catalog that the tap would be given, if any.
    func makeCatalog() throws(ConnectorError) -> Catalog? {
        try catalog(try files.write(settings.config, to: "config.json")) { false }
    }

    /// What the tap said last on standard error.
    var lastLine: String? { log.lastLine }

    private func catalog(
        _ config: String,
        _ isStopping: @escaping () -> Bool
    ) throws(ConnectorError) -> Catalog? {
        guard settings.catalog != nil || !settings.streams.isEmpty else { return nil }
        let text =
            if let path = settings.catalog {
                try ProgramConfiguration.content(path, of: SingerSettings.catalog.declaration.name)
            } else {
                try discover(config, isStopping)
            }
        guard var catalog = Catalog(text) else {
            throw ConnectorError(
                .init("singer.catalog"),
                .failTask,
                settings.catalog.map { "\($0) is no catalog." }
                    ?? "What the tap printed for --discover is no catalog.",
                at: settings.catalog.map { _ in SingerSettings.catalog.declaration.name },
                hint: "A catalog is a JSON object with `streams`."
            )
        }
        if !settings.streams.isEmpty { try catalog.select(settings.streams) }
        return catalog
    }

    private func discover(
        _ config: String,
        _ isStopping: @escaping () -> Bool
    ) throws(ConnectorError) -> String {
        let child = try process(["--config", config, "--discover"])
        defer { child.end(within: settings.command.grace) }
        let output = ChildOutput(
            of: child,
            until: settings.timeout.map { .now + $0 },
            isStopping: isStopping
        )
        var bytes: [UInt8] = []
        let room = Chunk(capacity: 64 << 10)
        // No catalog is larger. (D7)
        while bytes.count < 256 << 20 {
            let count = try output.read(into: room.bytes)
            if count == 0 { break }
            bytes += room.bytes[..<count]
        }
        let ending = end(child)
        guard ending == .exited(0) else {
            throw ConnectorError(
                .init("singer.discover"),
                .retry(after: nil),
                "The tap `\(child.name)`, asked what it offers, \(ending).",
                hint: "What it said is in the log."
            )
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
