internal import ChildProcesses
public import ConnectorSDK

extension SubprocessSource {
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        Conversation.preflight(configuration, context, role: "source")
    }
}

extension SubprocessSink {
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        Conversation.preflight(configuration, context, role: "sink")
    }
}

extension Conversation {
    /// Whether the program is there, and answers the greeting; it is not told to start.
    fileprivate static func preflight(
        _ configuration: Configuration,
        _ context: ConnectorContext,
        role: String
    ) -> [PreflightCheck] {
        let settings: SubprocessSettings
        do throws(ConnectorError) {
            settings = try SubprocessSettings(configuration)
        } catch {
            return [PreflightCheck("configuration", failed: error)]
        }
        let program = settings.command.preflight()
        guard program.outcome == .passed else { return [program] }
        let key = CommandSettings.command.declaration.name
        do throws(ConnectorError) {
            try Conversation(settings, context, role: role, isStopping: { false }).end()
        } catch {
            var check = PreflightCheck("protocol", failed: error)
            check.configurationKey = check.configurationKey ?? key
            return [program, check]
        }
        let answer = "It answers, with version \(version) of the protocol."
        return [program, PreflightCheck("protocol", .passed, answer, at: key)]
    }
}
