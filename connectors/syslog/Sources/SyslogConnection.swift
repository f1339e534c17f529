internal import ConnectorSDK
internal import Listening
internal import NIOCore
internal import NIOTLS
internal import SyslogMessages

/// One stream connection: finds messages in what is sent, and hands them over.
///
/// Lives on its event loop.
final class SyslogConnection: ChannelDuplexHandler, ListenerConnection {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = Never
    typealias OutboundOut = Never

    // Who has sent nothing for so long is not in the middle of sending.
    private static let quiet = TimeAmount.milliseconds(500)

    private let services: SyslogServices
    private let table: ConnectionTable
    private let source: [UInt8]
    /// The same for people.
    private let name: String
    private var framer: MessageFramer
    private var context: ChannelHandlerContext?
    /// What is not a whole message yet.
    private var partial = ByteBuffer()
    private var reserved = 0
    private var found: [Range<Int>] = []
    private var isReadHeld = false
    private var isReady: Bool
    private var isEnded = false
    /// When the message at hand began, or the connection.
    private var began = NIODeadline.now()
    private var lastRead = NIODeadline.now()

    init(_ services: SyslogServices, _ table: ConnectionTable, _ channel: any Channel, isTLS: Bool)
    {
        self.services = services
        self.table = table
        let address = channel.remoteAddress?.ipAddress
        source = Array((address ?? "").utf8)
        name = address ?? "a local process"
        framer = MessageFramer(services.settings.framing, longest: services.settings.longest)
        isReady = !isTLS
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        table.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnded else { return }
        var buffer = unwrapInboundIn(data)
        lastRead = .now()
        if partial.readableBytes == 0 {
            began = lastRead
            take(&buffer)
        } else {
            partial.writeBuffer(&buffer)
            var all = partial
            partial = ByteBuffer()
            take(&all)
        }
    }

    /// Hands over the messages that are whole, and keeps the rest.
    private func take(_ buffer: inout ByteBuffer) {
        found.removeAll(keepingCapacity: true)
        let result = buffer.withUnsafeReadableBytes { bytes in
            do throws(FramingProblem) {
                return Result<Int, FramingProblem>.success(try framer.scan(bytes, &found))
            } catch {
                return .failure(error)
            }
        }
        if !found.isEmpty {
            began = lastRead
            buffer.withUnsafeReadableBytes { handOver(found, of: $0) }
        }
        switch result {
        case .success(let consumed):
            buffer.moveReaderIndex(forwardBy: consumed)
            keep(&buffer)
        case .failure(.tooLong): refuse(.tooLong)
        case .failure(.malformed): refuse(.malformed)
        }
    }

    private func keep(_ rest: inout ByteBuffer) {
        let count = rest.readableBytes
        if count > 0 {
            // A copy, so that a few bytes do not keep the memory of a whole read.
            if rest.capacity > 4 * count + 1_024 {
                partial.writeBuffer(&rest)
            } else {
                rest.discardReadBytes()
                partial = rest
            }
        }
        let cost = count > 0 ? partial.capacity : 0
        guard cost <= reserved || services.memory.reserve(cost - reserved, for: name) == nil
        else {
            return refuse(.memory)
        }
        if cost < reserved { services.memory.release(reserved - cost, of: name) }
        reserved = cost
    }

    private func handOver(_ messages: [Range<Int>], of bytes: UnsafeRawBufferPointer) {
        guard let first = messages.first, let last = messages.last else { return }
        // From the first message to the last in one piece, and whom they are from behind it.
        let length = last.upperBound - first.lowerBound
        let chunk = Chunk(capacity: length + source.count)
        chunk.bytes.copyBytes(from: bytes[first.lowerBound..<last.upperBound])
        UnsafeMutableRawBufferPointer(rebasing: chunk.bytes[length...]).copyBytes(from: source)
        let block = MessageBlock(
            chunk,
            messages.map {
                .init(
                    start: $0.lowerBound - first.lowerBound,
                    length: $0.count,
                    sourceStart: length,
                    sourceLength: source.count
                )
            }
        )
        services.queue.put(block, cost: block.cost)
    }

    // MARK: Back-pressure

    /// Reads on only while there is room for it. (D7)
    func read(context: ChannelHandlerContext) {
        guard !isEnded else { return }
        if services.queue.hasRoom { context.read() } else { isReadHeld = true }
    }

    func resumeReading() {
        guard isReadHeld else { return }
        isReadHeld = false
        lastRead = .now()
        began = lastRead
        context?.read()
    }

    // MARK: The end

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event { isReady = true }
        if let event = event as? ChannelEvent, event == .inputClosed { close() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Others may go away whenever they like; only what they should not have done is counted.
        if !isReady { services.refusals.note(.tls, name) }
        isReady = true
        close()
    }

    func tick(_ now: NIODeadline) {
        let limits = services.settings
        let patience = TimeAmount(limits.messageTimeout)
        if !isReady, now - began > patience { return refuse(.timeout) }
        // Who is not read from cannot be too slow.
        guard !isReadHeld else { return }
        if partial.readableBytes > 0, now - began > patience { return refuse(.timeout) }
        let idle = limits.idleTimeout
        if idle > .zero, now - lastRead > TimeAmount(idle) { return close() }
        if table.isDraining, now - lastRead > Self.quiet { close() }
    }

    /// What is on its way is still taken, until the sender ends or falls silent.
    func drain() {}

    private func refuse(_ reason: RefusalLog.Reason) {
        services.refusals.note(reason, name)
        partial = ByteBuffer()
        isReady = true
        close()
    }

    private func close() {
        let context = context
        end()
        context?.close(promise: nil)
    }

    /// Lets go of everything, once; a last line without an end is a message.
    private func end() {
        guard !isEnded else { return }
        isEnded = true
        if partial.readableBytes > 0 {
            if framer.style == .newline {
                partial.withUnsafeReadableBytes { handOver([0..<$0.count], of: $0) }
            } else {
                services.refusals.note(.cut, name)
            }
        }
        partial = ByteBuffer()
        services.memory.release(reserved, of: name)
        reserved = 0
        table.remove(self)
    }
}

/// What the connections of a source share.
struct SyslogServices: Sendable {
    let settings: SyslogSettings
    let queue: HandOver<MessageBlock>
    /// For messages that are not complete.
    let memory: ListenerMemory
    let refusals: RefusalLog
}
