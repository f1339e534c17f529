internal import ChildProcesses
public import ConnectorSDK

extension SingerSource {
    // A tap that asks a server needs some seconds.
    private static let longestDiscovery = Duration.seconds(60)

    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        var settings: SingerSettings
        do throws(ConnectorError) {
            settings = try SingerSettings(configuration, untilEnd: context.untilEnd)
        } catch {
            return [PreflightCheck("configuration", failed: error)]
        }
        let program = settings.command.preflight()
        let isDiscovered = settings.catalog == nil && !settings.streams.isEmpty
        // Without it nothing is asked.
        guard program.outcome == .passed || !isDiscovered else { return [program] }
        settings.timeout = min(settings.timeout ?? longestDiscovery, longestDiscovery)
        guard isDiscovered || settings.catalog != nil else { return [program] }
        return [program, try TapRun(settings, context).preflight()]
    }
}

extension SingerSink {
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        do throws(ConnectorError) {
            _ = try ProgramConfiguration.text(configuration)
            return [try CommandSettings(configuration).preflight()]
        } catch {
            return [PreflightCheck("configuration", failed: error)]
        }
    }
}

extension TapRun {
    /// Whether there is a catalog, and the streams that are to be read are in it; no record is read.
    fileprivate func preflight() -> PreflightCheck {
        let isFile = settings.catalog != nil
        do throws(ConnectorError) {
            let catalog = try makeCatalog()
            let names = catalog?.selectedNames ?? []
            let shown = names.prefix(5).joined(separator: ", ")
            return PreflightCheck(
                "streams",
                names.isEmpty ? .warning : .passed,
                names.isEmpty
                    ? "No stream of the catalog is selected."
                    : "\(names.count) to read: \(shown)\(names.count > 5 ? ", …" : "").",
                at: isFile
                    ? SingerSettings.catalog.declaration.name
                    : SingerSettings.streams.declaration.name,
                hint: names.isEmpty ? "Name them in `streams`, or `*` for all." : nil
            )
        } catch {
            var check = PreflightCheck(isFile ? "catalog" : "discovery", failed: error)
            if error.configurationKey == nil {
                check.configurationKey = CommandSettings.command.declaration.name
                check.hint = lastLine.map { "It said last: \($0)" } ?? error.hint
            }
            return check
        }
    }
}
