internal import CKafka

/// A client of librdkafka's, destroyed with its last reference or by ``close()``.
internal final class ClientHandle: @unchecked Sendable {
    // SAFETY: librdkafka's clients may be used from any thread; the pointer is constant, and
    // `isClosed` changes only in `close()`, which the one owner of a handle calls when it is done.
    internal let pointer: OpaquePointer
    internal let events: ClientEvents
    private let joinsGroup: Bool
    private var isClosed = false

    internal var settings: KafkaSettings { events.settings }

    internal init(
        _ type: rd_kafka_type_t,
        _ settings: KafkaSettings,
        _ observer: KafkaObserver,
        joinsGroup: Bool = false
    ) throws(KafkaFailure) {
        try KafkaLibrary.load()
        guard !(settings["bootstrap.servers"] ?? settings["metadata.broker.list"] ?? "").isEmpty
        else {
            throw KafkaFailure(
                .configuration,
                .none,
                "No broker is named.",
                at: "bootstrap.servers",
                hint: "Give one or more as HOST:PORT, with commas between them."
            )
        }
        self.joinsGroup = joinsGroup
        events = ClientEvents(settings, observer)
        let configuration = ConfigurationHandle()
        try configuration.set(settings)
        configuration.report(to: events, countsDeliveries: type == RD_KAFKA_PRODUCER)
        if joinsGroup { configuration.enableRebalanceEvents() }
        pointer = try configuration.makeClient(type, settings)
    }

    deinit { close() }

    /// Ends the client's threads and connections.
    ///
    /// What was not delivered is given up.
    internal func close() {
        guard !isClosed else { return }
        isClosed = true
        guard joinsGroup else { return Self.destroy(pointer) }
        let ending = EndingHandle(pointer, events)
        guard !ending.wait(Self.patience) else { return }
        events.observer.log?(4, "a member of a group does not end; its threads are left alone")
    }

    /// How long the end of a member is waited for: librdkafka up to 2.16 waits for ever, now and
    /// then, for the thread of a broker that nobody needs any more.
    private static let patience: Duration = .seconds(10)

    internal static func destroy(_ pointer: OpaquePointer) {
        // Without the flag it would wait for a group: of all clients only a `KafkaGroupMember` is a
        // member of one, and has left it or has given up to.
        rd_kafka_destroy_flags(pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    }

    /// Serves callbacks: errors, statistics and delivery reports.
    @discardableResult
    internal func poll(_ timeout: Duration = .zero) -> Int {
        Int(rd_kafka_poll(pointer, timeout.milliseconds))
    }

    /// How long one call into librdkafka blocks before the next look at whether it is to go on.
    internal static let slice: Duration = .seconds(1)

    /// Whether calls are to end.
    internal var isInterrupted: Bool { events.observer.isInterrupted?() ?? false }

    /// Repeats a question that nobody has answered in time, until `timeout` has passed.
    ///
    /// `ask` gets the milliseconds that it may take; asking again costs as much as asking once.
    internal func patiently(
        _ timeout: Duration,
        _ ask: (Int32) -> rd_kafka_resp_err_t
    ) -> rd_kafka_resp_err_t {
        let deadline = ContinuousClock.now + timeout
        var slice = Self.slice
        while true {
            let rest = max(deadline - .now, .milliseconds(1))
            let code = ask(min(rest, slice).milliseconds)
            let isLate = KafkaErrorCode(code).kind == .unreachable
            guard isLate, ContinuousClock.now < deadline, !isInterrupted else { return code }
            // A broker that is slow must not be asked for ever.
            slice = min(slice * 2, timeout)
            poll(.milliseconds(50))
            // Credentials that are refused do not get better.
            if events.brokerError?.code.kind == .authentication { return code }
        }
    }

    /// What a code means here, in the words of the broker where it has said something.
    internal func failure(
        _ code: rd_kafka_resp_err_t,
        _ text: String? = nil,
        doing what: String
    ) -> KafkaFailure {
        failure(KafkaErrorCode(code), text, doing: what)
    }

    /// What a code means here, in the words of the broker where it has said something.
    internal func failure(
        _ code: KafkaErrorCode,
        _ text: String? = nil,
        doing what: String
    ) -> KafkaFailure {
        var code = code
        var said = settings.redact(text ?? code.text)
        if code == .fatal {
            var buffer = [CChar](repeating: 0, count: 512)
            let real = rd_kafka_fatal_error(pointer, &buffer, buffer.count)
            if real != RD_KAFKA_RESP_ERR_NO_ERROR {
                code = KafkaErrorCode(real)
                said = String(buffer: buffer)
            }
        }
        var kind = code.kind
        if kind == .unreachable {
            poll()
            if let reason = events.brokerError {
                said = "\(reason.reason)"
                if reason.code.kind == .authentication {
                    (kind, code) = (.authentication, reason.code)
                }
            } else if code == .timedOut {
                kind = .retriable
            }
        }
        let servers = settings["bootstrap.servers"] ?? ""
        return KafkaFailure(
            kind,
            code,
            "\(what) on \(servers) failed: \(said) (\(code.name))."
        ).advised(for: settings)
    }

    /// Reads and frees an error object; `nil` means that all went well.
    internal func take(_ error: OpaquePointer?, doing what: String) -> KafkaFailure? {
        guard let error else { return nil }
        defer { rd_kafka_error_destroy(error) }
        let code = rd_kafka_error_code(error)
        var failure = failure(code, String(cString: rd_kafka_error_string(error)), doing: what)
        failure.requiresAbort = rd_kafka_error_txn_requires_abort(error) != 0
        if rd_kafka_error_is_fatal(error) != 0, failure.kind != .fenced { failure.kind = .fatal }
        if rd_kafka_error_is_retriable(error) != 0, failure.kind == .refused {
            failure.kind = .retriable
        }
        return failure
    }
}

extension Duration {
    /// Milliseconds, as librdkafka takes them.
    internal var milliseconds: Int32 {
        let parts = components
        return Int32(clamping: parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000)
    }
}

/// An error object of librdkafka's, or `nil` for success.
internal typealias OpaqueError = OpaquePointer?
