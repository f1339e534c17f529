internal import HTTPRequests
internal import Listening
internal import NIOCore
internal import NIOHTTP1
internal import NIOTLS

/// One connection of a client: reads a request, hands it over, and answers when it is told to.
///
/// Lives on its event loop. Requests of one connection come one after the other.
final class HTTPConnection: ChannelInboundHandler, ListenerConnection {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// What the connection is in the middle of.
    private enum State {
        /// Waiting for a request.
        case idle
        /// The body of a request is coming in.
        case body(HTTPRequestHead, RequestPlan, ByteBuffer)
        /// Somebody else has the request.
        case waiting
        /// It is answered; what still comes of it is not looked at.
        case leftovers
        /// It is answered for the last time, and closed when that is sent: nothing that still comes
        /// counts, or a client that is told so and sends it elsewhere would double it.
        case closing
    }

    // How long what comes behind an early answer is read: closing would take it from a client that
    // still sends.
    private static let lingering = TimeAmount.seconds(10)

    private let services: HTTPServices
    private let table: ConnectionTable
    private let source: String
    private var context: ChannelHandlerContext?
    private var state = State.idle
    private var reserved = 0
    /// How much of what comes behind an early answer is still read.
    private var patience = 0
    private var isReady: Bool
    private var keepsAlive = true
    private var isDraining = false
    private var isEnded = false
    /// Whether answers are written and not sent, and soon will be.
    private var isFlushDue = false
    private var began = NIODeadline.now()
    private var requests = 0

    init(_ services: HTTPServices, _ table: ConnectionTable, _ channel: any Channel) {
        self.services = services
        self.table = table
        source = channel.remoteAddress?.ipAddress ?? ""
        isReady = services.settings.listener.tls == nil
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        table.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    // MARK: A request

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isEnded else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head)
        case .body(let part): take(part)
        case .end: finish()
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        guard case .idle = state, let context else { return }
        if !context.channel.isWritable { context.flush() }
        guard context.channel.isWritable else {
            // D7: answers that nobody reads would pile up.
            services.refusals.note(.unread, source)
            return close()
        }
        requests += 1
        began = .now()
        keepsAlive = head.isKeepAlive && !isDraining
        switch services.plan(head, of: source) {
        case .refused(let answer):
            if answer.isUninvited { services.refusals.note(.unauthorized, source) }
            if answer.isExcess { services.refusals.note(.excess, source) }
            // A body may follow, of any size.
            if head.hasBody { keepsAlive = false }
            state = .leftovers
            respond(answer, isHead: head.method == .HEAD)
        case .taken(let plan):
            if head.headers.first(name: "expect")?.lowercased() == "100-continue" {
                let part = HTTPResponseHead(version: head.version, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(part)), promise: nil)
            }
            state = .body(head, plan, ByteBuffer())
        }
    }

    private func take(_ part: ByteBuffer) {
        guard case .body(let head, let plan, var body) = state else {
            if case .closing = state { return }
            patience -= part.readableBytes
            if patience < 0 { close() }
            return
        }
        var part = part
        // So that the buffer is written to where it is.
        state = .leftovers
        guard body.readableBytes + part.readableBytes <= services.settings.longest else {
            return refuse(HTTPServices.tooLarge(services.settings.longest))
        }
        if let refusal = services.reserve(part.readableBytes, for: source) {
            services.refusals.note(.excess, source)
            return refuse(refusal)
        }
        reserved += part.readableBytes
        body.writeBuffer(&part)
        state = .body(head, plan, body)
    }

    private func finish() {
        switch state {
        case .body(let head, let plan, let body): handOver(head, plan, body)
        case .leftovers where keepsAlive: state = .idle
        case .leftovers: close()
        default: break
        }
    }

    private func handOver(_ head: HTTPRequestHead, _ plan: RequestPlan, _ body: ByteBuffer) {
        state = .waiting
        if let refusal = services.check(head, body) {
            services.refusals.note(.unauthorized, source)
            state = .leftovers
            respond(refusal)
            if keepsAlive { state = .idle }
            return
        }
        guard let loop = context?.eventLoop else { return }
        let number = requests
        let reference = NIOLoopBound(self, eventLoop: loop)
        let request = HTTPRequest(
            body: RequestBody(
                topic: plan.topic,
                format: plan.format,
                encoding: plan.encoding,
                bytes: body,
                headers: plan.headers
            ),
            client: source,
            reserved: reserved
        ) { answer in
            loop.execute { reference.value.answer(answer, to: number) }
        }
        reserved = 0
        services.handOver(request)
    }

    private func answer(_ answer: HTTPAnswer, to number: Int) {
        guard case .waiting = state, number == requests, !isEnded else { return }
        state = .idle
        if isDraining { keepsAlive = false }
        respond(answer)
    }

    // MARK: Answers

    /// Answers before all of a request is there.
    private func refuse(_ answer: HTTPAnswer) {
        keepsAlive = false
        state = .leftovers
        respond(answer)
    }

    private func respond(_ answer: HTTPAnswer, isHead: Bool = false) {
        services.memory.release(reserved, of: source)
        reserved = 0
        began = .now()
        guard let context else { return }
        let hasMore = if case .leftovers = state { true } else { false }
        // Before it is written, for what waits behind this request comes as soon as it is.
        if !keepsAlive, !hasMore { state = .closing }
        var head = HTTPResponseHead(version: .http1_1, status: answer.status)
        head.headers.add(name: "Content-Type", value: "application/json")
        head.headers.add(name: "Content-Length", value: String(answer.body.utf8.count))
        if !keepsAlive { head.headers.add(name: "Connection", value: "close") }
        for (name, value) in answer.headers { head.headers.add(name: name, value: value) }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !isHead {
            let body = context.channel.allocator.buffer(string: answer.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        guard !keepsAlive else {
            context.write(wrapOutboundOut(.end(nil)), promise: nil)
            return flushSoon()
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        let channel = context.channel
        if hasMore {
            // The client sees the end, and gets some time to notice.
            patience = services.settings.longest
            written.futureResult.whenComplete { _ in channel.close(mode: .output, promise: nil) }
            context.eventLoop.scheduleTask(in: Self.lingering) { channel.close(promise: nil) }
        } else {
            written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        }
    }

    /// Sends what is written, together with the answers to what else has arrived: hundreds of
    /// requests fit into one read, and a system call for each would keep others waiting.
    private func flushSoon() {
        guard !isFlushDue, let loop = context?.eventLoop else { return }
        isFlushDue = true
        let reference = NIOLoopBound(self, eventLoop: loop)
        loop.execute {
            reference.value.isFlushDue = false
            reference.value.context?.flush()
        }
    }

    // MARK: The end

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event { isReady = true }
        if let event = event as? ChannelEvent, event == .inputClosed {
            // A client may have said all, and wait for the answer.
            if case .waiting = state { keepsAlive = false } else { close() }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isEnded {
            // It is closed, for another reason.
        } else if !isReady {
            isReady = true
            services.refusals.note(.tls, source)
        } else if error is HTTPParserError {
            // It was answered 400 in front of this handler.
            services.refusals.note(.malformed, source)
        }
        close()
    }

    func tick(_ now: NIODeadline) {
        let age = now - began
        switch state {
        case .waiting: break
        case .leftovers, .closing: if age > Self.lingering { close() }
        case .body:
            guard age > TimeAmount(services.settings.requestTimeout) else { return }
            services.refusals.note(.timeout, source)
            refuse(.refused(.requestTimeout, "The request did not arrive in time."))
        case .idle:
            // A head that trickles in looks like none.
            let isFirst = requests == 0
            let limit = isFirst ? services.settings.requestTimeout : services.settings.idleTimeout
            guard age > TimeAmount(limit) else { return }
            if isFirst { services.refusals.note(.timeout, source) }
            close()
        }
    }

    /// Bodies are read for as long as they take; that there is no room is answered.
    func resumeReading() {}

    func drain() {
        isDraining = true
        if case .idle = state { close() }
    }

    private func close() {
        let context = context
        end()
        context?.flush()
        context?.close(promise: nil)
    }

    private func end() {
        guard !isEnded else { return }
        isEnded = true
        if case .body = state { services.refusals.note(.cut, source) }
        state = .leftovers
        services.memory.release(reserved, of: source)
        reserved = 0
        table.remove(self)
    }
}

extension HTTPRequestHead {
    /// Whether a body follows.
    fileprivate var hasBody: Bool {
        headers.contains(name: "transfer-encoding")
            || (headers.first(name: "content-length").flatMap { Int($0) } ?? 0) > 0
    }
}
