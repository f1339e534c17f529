public import ConnectorSDK
internal import Listening

/// Listens for syslog messages, over UDP, TCP, TLS and Unix sockets.
///
/// One task does the work; others have nothing to do.
public final class SyslogSource: SourceConnector {
    /// `syslog`.
    public static let name = "syslog"
    /// For lists.
    public static let summary = "Listens for syslog messages: UDP, TCP, TLS, Unix sockets."
    /// The keys.
    public static let configuration = SyslogKeys.all

    // Long enough that an attack does not fill the disk, short enough to be seen.
    private static let reportInterval = Duration.seconds(10)

    private let settings: SyslogSettings
    private let context: ConnectorContext

    /// Those of a message.
    public static func fields(
        _ configuration: Configuration
    ) throws(ConnectorError) -> KnownFields {
        .only(SyslogIntake.fields(withRaw: try configuration.get(SyslogKeys.keepRaw)))
    }

    /// Makes one task's instance.
    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        settings = try SyslogSettings(configuration)
        self.context = context
    }

    /// Others decide when they have nothing more to say.
    public var isBounded: Bool { false }

    /// Listens until it is told to stop.
    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        guard !context.untilEnd else { throw .noEnd(Self.name) }
        guard context.taskID == 0 else { return }
        let intake = SyslogIntake(
            settings,
            outlet,
            received: ListenerPosition.count(in: positions)
        )
        let checks = try ListenerChecks.all(settings.listener)
        ListenerChecks.report(checks, to: context.logger)
        let server = try SyslogServer(settings, context.logger)
        defer { server.close() }
        server.services.queue.whenPut(outlet.makeWaker())
        var nextReport = ContinuousClock.now + Self.reportInterval
        while !outlet.isStopping {
            try await intake.send(server.services.queue)
            try await outlet.idle(for: .seconds(1))
            server.certificate?.renew(logger: context.logger)
            if settings.linger > .zero, server.services.queue.cost > 0 {
                // What comes together is written together.
                server.linger(settings.linger)
            }
            if ContinuousClock.now >= nextReport {
                nextReport = .now + Self.reportInterval
                server.services.refusals.report(to: context.logger)
            }
        }
        // Nothing new is accepted; what was received is written.
        server.stop()
        while server.isEnding { try await intake.send(server.services.queue) }
        server.close()
        try await intake.send(server.services.queue)
        try await outlet.settle()
        server.services.refusals.report(to: context.logger)
    }

    /// Senders of syslog messages do not wait for an answer.
    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {}

    /// Tries whether the addresses can be listened on, and whether the files of TLS can be used.
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try SyslogSettings(configuration)
        do throws(ConnectorError) {
            let server = try SyslogServer(settings, nil)
            server.close()
        } catch {
            return [PreflightCheck("listen", failed: error)]
        }
        return [
            PreflightCheck("listen", .passed, "Every address can be listened on.", at: "listen")
        ] + (try ListenerChecks.all(settings.listener))
    }
}
