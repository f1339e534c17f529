public import ConnectorSDK
public import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// Stream sockets that are listened on, and the threads that serve their connections.
///
/// Made and closed on a connector's own thread; its methods block until they are done. Connections
/// live on event loops, each a thread of its own, and never touch the connector.
public final class Listener: Sendable {
    // What one read may bring; it bounds what arrives after reading was stopped. (D7)
    private static let readSize = 16 << 10
    // Answers are short. What the kernel would hold of them else is tens of thousands, all of which
    // are made before it is noticed that nobody reads them.
    private static let sendSize: SocketOptionValue = 32 << 10

    private let group: MultiThreadedEventLoopGroup
    private let tables: [ObjectIdentifier: NIOLoopBound<ConnectionTable>]
    private let channels = Mutex<[any Channel]>([])
    private let open = Atomic<Int>(0)
    private let limit: Int
    /// Counts what is not taken.
    public let refusals: RefusalLog

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - settings: how many serve connections, and how many connections there may be at once, if
    ///     there may be as many open files.
    ///   - refusals: counts what is not taken.
    /// - Throws: when threads cannot be started.
    public init(
        _ settings: ListenerSettings,
        refusals: RefusalLog
    ) throws(ConnectorError) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.threads)
        self.group = group
        self.refusals = refusals
        limit = OpenFiles.connections(wanted: settings.connections)
        var tables: [ObjectIdentifier: NIOLoopBound<ConnectionTable>] = [:]
        for loop in group.makeIterator() {
            tables[ObjectIdentifier(loop)] = try Self.wait(
                loop.submit {
                    let table = NIOLoopBound(ConnectionTable(), eventLoop: loop)
                    loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
                        table.value.tick(.now())
                    }
                    return table
                }
            )
        }
        self.tables = tables
    }

    /// Starts listening at one more address.
    ///
    /// - Parameters:
    ///   - address: where.
    ///   - tls: the certificate, if connections are encrypted.
    ///   - serve: makes the handlers of a connection, on its event loop.
    /// - Returns: the address, with the port that was free if it had none.
    /// - Throws: when the address is in use, or none of this machine.
    public func listen(
        on address: ListenAddress,
        tls: TLSCertificate?,
        serve: @escaping @Sendable (any Channel, ConnectionTable) throws -> Void
    ) throws(ConnectorError) -> ListenAddress {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 1_024)
            .serverChannelInitializer { channel in
                // Without free files, accepting waits for a moment instead of turning in circles.
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            .childChannelOption(ChannelOptions.maxMessagesPerRead, value: 1)
            .childChannelOption(
                ChannelOptions.recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 512,
                    initial: 2_048,
                    maximum: Self.readSize
                )
            )
            .childChannelOption(ChannelOptions.socketOption(.so_sndbuf), value: Self.sendSize)
            // Clients may close their side and still wait for an answer.
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel, tls, serve) }
            }
        do {
            return try bind(bootstrap, address)
        } catch let error as IOError {
            throw .cannotListen(on: address.description, errno: error.errnoCode)
        } catch let error as ConnectorError {
            throw error
        } catch {
            throw ConnectorError(
                .listen,
                .failTask,
                "Cannot listen on \(address): it is no address of this machine.",
                kind: .environment,
                at: "listen",
                underlying: error
            )
        }
    }

    private func bind(
        _ bootstrap: ServerBootstrap,
        _ address: ListenAddress
    ) throws -> ListenAddress {
        switch address {
        case .internet(let host, let port):
            let bootstrap =
                bootstrap
                .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
                // Finds out about machines that vanished.
                .childChannelOption(ChannelOptions.socketOption(.so_keepalive), value: 1)
            let channel = try bootstrap.bind(host: host, port: port).wait()
            channels.withLock { $0.append(channel) }
            return .internet(host: host, port: channel.localAddress?.port ?? port)
        case .unix(let path, let mode):
            let socket = try UnixSocketFile.open(path, mode, isDatagram: false)
            let channel = try bootstrap.withBoundSocket(socket).wait()
            channels.withLock { $0.append(channel) }
            return address
        }
    }

    private func accept(
        _ channel: any Channel,
        _ tls: TLSCertificate?,
        _ serve: @Sendable (any Channel, ConnectionTable) throws -> Void
    ) throws {
        let (_, count) = open.add(1, ordering: .relaxed)
        channel.closeFuture.whenComplete { [self] _ in open.subtract(1, ordering: .relaxed) }
        guard count <= limit else {
            refusals.note(.connectionLimit, channel.remoteAddress?.ipAddress ?? "a local process")
            return channel.close(promise: nil)
        }
        guard let table = tables[ObjectIdentifier(channel.eventLoop)] else { return }
        if let tls {
            try channel.pipeline.syncOperations.addHandler(
                NIOSSLServerHandler(context: tls.context.context)
            )
        }
        try serve(channel, table.value)
    }

    /// The connections there are now.
    public var openConnections: Int { open.load(ordering: .relaxed) }

    /// Has all connections go on reading.
    ///
    /// Does not wait; safe from any thread.
    public func resumeReading() {
        for table in tables.values { table.eventLoop.execute { table.value.resumeReading() } }
    }

    /// Closes the sockets that are listened on; connections stay.
    public func stopAccepting() {
        let closing = channels.withLock { channels in
            defer { channels.removeAll() }
            return channels
        }
        for channel in closing {
            let path = channel.localAddress?.pathname
            _ = try? channel.close().wait()
            if let path { UnixSocketFile.remove(path) }
        }
    }

    /// Asks connections to end when they have nothing in flight.
    public func drain() {
        for table in tables.values { table.eventLoop.execute { table.value.drain() } }
    }

    /// Closes everything and ends the threads.
    public func shutDown() {
        stopAccepting()
        try? group.syncShutdownGracefully()
    }

    private static func wait<Value: Sendable>(
        _ future: EventLoopFuture<Value>
    ) throws(ConnectorError) -> Value {
        do {
            return try future.wait()
        } catch {
            throw ConnectorError(
                .listen,
                .failTask,
                "The listener's threads cannot be started.",
                kind: .environment,
                underlying: error
            )
        }
    }
}
