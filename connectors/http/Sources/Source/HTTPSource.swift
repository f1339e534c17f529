public import ConnectorSDK
internal import HTTPRequests
internal import Listening
internal import Logging

/// Takes records from requests, as webhooks and collectors send them, and answers when they are
/// durable.
///
/// One task does the work; others have nothing to do.
public final class HTTPSource: SourceConnector {
    /// `http`.
    public static let name = "http"
    /// For lists.
    public static let summary = "Takes records from HTTP requests; answers when they are durable."
    /// The keys.
    public static let configuration = HTTPSourceKeys.all

    // Long enough that an attack does not fill the disk, short enough to be seen.
    private static let reportInterval = Duration.seconds(10)

    private let settings: HTTPSourceSettings
    private let context: ConnectorContext
    private var intake: HTTPIntake?

    /// Makes one task's instance.
    public init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        settings = try HTTPSourceSettings(configuration)
        self.context = context
    }

    /// Others decide when they have nothing more to send.
    public var isBounded: Bool { false }

    /// Listens until it is told to stop.
    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        guard !context.untilEnd else { throw .noEnd(Self.name) }
        guard context.taskID == 0 else { return }
        let reader = try BodyReader(
            longest: settings.longestInflated,
            recordPath: settings.recordPath,
            formats: context.formats,
            outlet: outlet
        )
        let received = ListenerPosition.count(in: positions)
        let intake = HTTPIntake(settings, reader, outlet, received: received)
        self.intake = intake
        let checks = try ListenerChecks.all(settings.listener)
        ListenerChecks.report(checks, to: context.logger)
        let server = try HTTPServer(settings)
        defer {
            // What nobody answered is answered before connections are closed.
            intake.abandon()
            for request in server.services.queue.takeAll() { request.answer(.ending) }
            server.close()
            self.intake = nil
        }
        server.services.queue.whenPut(outlet.makeWaker())
        let scheme = settings.listener.tls == nil ? "http" : "https"
        context.logger.info("listening", metadata: ["address": "\(scheme)://\(server.address)"])
        var nextReport = ContinuousClock.now + Self.reportInterval
        while !outlet.isStopping {
            try await intake.send(server.services)
            try await outlet.idle(for: .seconds(1))
            server.certificate?.renew(logger: context.logger)
            if ContinuousClock.now >= nextReport {
                nextReport = .now + Self.reportInterval
                server.services.refusals.report(to: context.logger)
            }
        }
        // Nothing new is accepted; what is in flight is answered.
        let deadline = server.stop()
        repeat {
            try await intake.send(server.services)
            try await outlet.settle()
        } while server.isEnding(before: deadline)
        try await intake.send(server.services)
        try await outlet.settle()
        server.services.refusals.report(to: context.logger)
    }

    /// Answers requests whose records are durable. (D1)
    public func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {
        intake?.acknowledge(through: positions)
    }

    /// Tries whether the address can be listened on, and whether the files of TLS can be used.
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try HTTPSourceSettings(configuration)
        do throws(ConnectorError) {
            let server = try HTTPServer(settings)
            server.close()
        } catch {
            return [PreflightCheck("listen", failed: error)]
        }
        let found = "\(settings.address) can be listened on."
        return [PreflightCheck("listen", .passed, found, at: "listen")]
            + (try ListenerChecks.all(settings.listener))
    }
}

extension HTTPAnswer {
    /// The source is ending.
    fileprivate static var ending: Self { .unavailable("Nothing is taken any more.") }
}
