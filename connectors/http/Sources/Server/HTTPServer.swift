internal import ConnectorSDK
internal import Glibc
internal import Listening
internal import NIOCore
internal import NIOHTTP1

/// The socket of a source, and the queue that its connections fill.
final class HTTPServer {
    // Requests that are in flight when the source is stopped get so long.
    private static let grace = Duration.seconds(10)
    // As much as other servers take. D7: each connection may keep so much until a head is complete.
    private static let longestHead = 16 << 10
    private static let mostFields = 100
    // Beyond what the kernel holds, so that this is hundreds of answers that nobody has read.
    private static let unreadAnswers = 8 << 10

    let services: HTTPServices
    /// Where it listens.
    let address: ListenAddress
    /// What makes it HTTPS.
    let certificate: TLSCertificate?
    private let listener: Listener
    private var isOpen = true

    init(_ settings: HTTPSourceSettings) throws(ConnectorError) {
        let tls = try settings.listener.tls.map { files throws(ConnectorError) in
            try TLSCertificate(files)
        }
        certificate = tls
        let refusals = RefusalLog()
        let listener = try Listener(settings.listener, refusals: refusals)
        let limit = settings.listener.buffer
        let services = HTTPServices(
            settings: settings,
            queue: HandOver(limit: limit) { listener.resumeReading() },
            memory: ListenerMemory(
                total: limit,
                each: settings.listener.clientBuffer,
                rate: settings.clientRate
            ),
            refusals: refusals
        )
        self.listener = listener
        self.services = services
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = Self.longestHead
        limits.maxHeaderListSize = Self.longestHead
        limits.maxHeaderFieldCount = Self.mostFields
        let decoding = limits
        do throws(ConnectorError) {
            address = try listener.listen(on: settings.address, tls: tls) { channel, table in
                let pipeline = channel.pipeline.syncOperations
                let connection = HTTPConnection(services, table, channel)
                try channel.syncOptions?.setOption(
                    .writeBufferWaterMark,
                    value: .init(low: Self.unreadAnswers / 2, high: Self.unreadAnswers)
                )
                try pipeline.configureHTTPServerPipeline(
                    withErrorHandling: true,
                    withEncoderConfiguration: .init(),
                    withDecoderLimitConfiguration: decoding
                )
                try pipeline.addHandler(connection)
            }
        } catch {
            listener.shutDown()
            throw error
        }
    }

    /// Accepts nothing more, and closes connections as they become idle.
    func stop() -> ContinuousClock.Instant {
        listener.stopAccepting()
        listener.drain()
        return .now + Self.grace
    }

    /// Whether requests are still in flight; waits a moment to find out.
    func isEnding(before deadline: ContinuousClock.Instant) -> Bool {
        guard listener.openConnections > 0, ContinuousClock.now < deadline else { return false }
        usleep(2_000)
        return true
    }

    /// Closes everything.
    func close() {
        guard isOpen else { return }
        isOpen = false
        listener.shutDown()
    }
}
