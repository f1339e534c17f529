internal import ConnectorSDK
internal import Glibc
internal import Listening
internal import Logging
internal import NIOCore

/// The sockets of a source, and the queue that they fill.
final class SyslogServer {
    // What is on its way gets so long to arrive.
    private static let grace = Duration.seconds(10)

    let services: SyslogServices
    /// What `tls://` shows to its clients.
    let certificate: TLSCertificate?
    private let listener: Listener
    private var receivers: [DatagramReceiver] = []
    private var isOpen = true
    private var deadline = ContinuousClock.now

    /// Opens the sockets; nothing is open when one cannot be.
    init(_ settings: SyslogSettings, _ logger: Logger?) throws(ConnectorError) {
        certificate = try settings.listener.tls.map { files throws(ConnectorError) in
            try TLSCertificate(files)
        }
        let refusals = RefusalLog()
        let listener = try Listener(settings.listener, refusals: refusals)
        let limit = settings.listener.buffer
        self.listener = listener
        services = SyslogServices(
            settings: settings,
            queue: HandOver(limit: limit) { listener.resumeReading() },
            memory: ListenerMemory(total: limit, each: settings.listener.clientBuffer),
            refusals: refusals
        )
        do throws(ConnectorError) {
            for endpoint in settings.endpoints {
                let address = try open(endpoint)
                logger?.info(
                    "listening",
                    metadata: ["address": "\(endpoint.description(address))"]
                )
            }
        } catch {
            close()
            throw error
        }
    }

    private func open(
        _ endpoint: SyslogEndpoint
    ) throws(ConnectorError) -> ListenAddress {
        if endpoint.isDatagram {
            let receiver = try DatagramReceiver(
                endpoint.address,
                receiveBuffer: services.settings.receiveBuffer,
                longest: services.settings.longest,
                into: services.queue,
                refusals: services.refusals
            )
            receivers.append(receiver)
            return receiver.address
        }
        let services = services
        let isTLS = endpoint.kind == .tls
        let certificate = isTLS ? certificate : nil
        return try listener.listen(on: endpoint.address, tls: certificate) { channel, table in
            let connection = SyslogConnection(services, table, channel, isTLS: isTLS)
            try channel.pipeline.syncOperations.addHandler(connection)
        }
    }

    /// Waits for messages that come together with those that have come.
    func linger(_ duration: Duration) {
        // Full as it is, it is better emptied.
        guard services.queue.cost < services.settings.listener.buffer / 4 else { return }
        usleep(UInt32(duration / .microseconds(1)))
    }

    /// Accepts nothing more, and asks connections to end.
    func stop() {
        listener.stopAccepting()
        listener.drain()
        for receiver in receivers { receiver.stop() }
        receivers = []
        deadline = .now + Self.grace
    }

    /// Whether connections are still ending; waits a moment to find out.
    var isEnding: Bool {
        guard listener.openConnections > 0, ContinuousClock.now < deadline else { return false }
        usleep(10_000)
        return true
    }

    /// Closes everything.
    func close() {
        guard isOpen else { return }
        isOpen = false
        for receiver in receivers { receiver.stop() }
        receivers = []
        listener.shutDown()
    }
}
