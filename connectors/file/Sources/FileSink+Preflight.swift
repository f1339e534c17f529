public import ConnectorSDK
internal import FileSystem
internal import RecordTemplates

extension FileSink {
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try FileSinkSettings(configuration, taskCount: context.taskCount)
        // What comes before the first thing that a record fills in.
        var start = ""
        if case .text(let text)? = settings.template.pieces.first { start = text }
        return DirectoryPreflight(FileSystem.directory(of: start), key: "path").checks
            + DirectoryPreflight(context.stateDirectory, key: nil).checks.prefix(1)
    }
}
