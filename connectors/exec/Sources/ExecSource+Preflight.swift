internal import ChildProcesses
public import ConnectorSDK

extension ExecSource {
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try ExecSettings(configuration, untilEnd: context.untilEnd)
        return [settings.command.preflight()]
    }
}
