internal import ConnectorSDK
internal import Glibc
internal import LogicalReplication
internal import PostgresClient
internal import Synchronization

/// Receives the replication stream on a thread of its own, and answers the server.
///
/// The task that turns messages into records may wait for as long as a disk is slow; the server
/// ends a connection that says nothing for a minute. So nothing here waits for the task, except for
/// room, and then the server is still told that the connector lives.
internal final class ReplicationReceiver: Sendable {
    private let queue = ReceiveQueue()
    private let wakeUp = PostgresWakeUp()
    private let confirmed: Atomic<UInt64>
    private let wantsKeepalive = Atomic<Bool>(false)
    private let settings: CDCSettings
    private let wakeTask: @Sendable () -> Void
    private let thread = Mutex<pthread_t?>(nil)

    /// Starts receiving on a connection that is in the stream already, and is nobody else's now.
    ///
    /// Everything before `confirmed` is durable; `wakeTask` is called when something arrives while
    /// the queue is empty.
    internal init(
        _ connection: PostgresConnection,
        confirmed: LSN,
        _ settings: CDCSettings,
        wakeTask: @escaping @Sendable () -> Void
    ) throws(ConnectorError) {
        self.confirmed = Atomic(confirmed.rawValue)
        self.settings = settings
        self.wakeTask = wakeTask
        let body = ThreadBody(receiver: self, connection: connection)
        var started = pthread_t()
        let status = pthread_create(
            &started,
            nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
                body.receiver.run(body.connection)
                return nil
            },
            Unmanaged.passRetained(body).toOpaque()
        )
        guard status == 0 else {
            Unmanaged.passUnretained(body).release()
            throw CDCError.environment(
                "thread",
                "A thread cannot be started: \(String(cString: strerror(status))).",
                hint: "Raise the limit on threads (`ulimit -u`)."
            )
        }
        thread.withLock { $0 = started }
    }

    /// What the new thread needs, retained until it has it.
    private final class ThreadBody {
        let receiver: ReplicationReceiver
        let connection: PostgresConnection

        init(receiver: ReplicationReceiver, connection: PostgresConnection) {
            self.receiver = receiver
            self.connection = connection
        }
    }

    // MARK: - For the task

    /// The next messages; `nil` while nothing is there.
    ///
    /// - Throws: why nothing will come any more.
    internal func take() throws(ConnectorError) -> ReceivedChunk? {
        switch queue.take() {
        case nil: return nil
        case .success(let chunk)?: return chunk
        case .failure(let end)?:
            guard case .failed(let error) = end.ending else {
                throw ConnectorError(
                    .init("postgres_cdc.stream_ended"),
                    .retry(after: nil),
                    "The server ended the replication stream.",
                    kind: .environment,
                    hint: "It probably stops; the connector goes on as soon as it is back."
                )
            }
            throw error
        }
    }

    /// Gives messages back that are dealt with.
    internal func giveBack(_ chunk: ReceivedChunk) { queue.giveBack(chunk) }

    /// Lets the server forget what is before `lsn`.
    internal func confirm(_ lsn: LSN) {
        // D1: the only place from which the server's `confirmed_flush_lsn` moves.
        confirmed.max(lsn.rawValue, ordering: .relaxed)
        wakeUp.signal()
    }

    /// Asks the server how far it has read its log.
    internal func requestKeepalive() {
        wantsKeepalive.store(true, ordering: .relaxed)
        wakeUp.signal()
    }

    /// Tells the server what is durable by now, ends the stream, and waits for the thread.
    internal func stop() {
        queue.close()
        wakeUp.signal()
        let started = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let started { pthread_join(started, nil) }
    }

    // MARK: - The thread

    private func run(_ connection: PostgresConnection) {
        var session = ReceiveSession(confirmed: LSN(confirmed.load(ordering: .relaxed)))
        do throws(PostgresFailure) {
            while queue.isOpen {
                guard try receive(connection, &session) else {
                    queue.end(.ended)
                    wakeTask()
                    return
                }
                try report(connection, &session)
                wait(connection, session)
            }
            session.mustReport = true
            try report(connection, &session)
        } catch {
            queue.end(.failed(CDCError.stream(error, settings)))
            wakeTask()
        }
    }

    /// Takes what has arrived; returns `false` when the server has ended the stream.
    private func receive(
        _ connection: PostgresConnection,
        _ session: inout ReceiveSession
    ) throws(PostgresFailure) -> Bool {
        var chunk: ReceivedChunk?
        defer { if let chunk { put(chunk) } }
        // Looked at again for each chunk: a chunk more than the limit does no harm.
        while queue.hasRoom {
            while true {
                switch try connection.nextStreamEvent() {
                case .nothing: return true
                case .ended: return false
                case .message(let message):
                    session.arrived(message)
                    if let full = chunk, !full.hasRoom(for: message.count) {
                        put(full)
                        chunk = nil
                    }
                    if chunk == nil { chunk = queue.makeChunk(for: message.count) }
                    chunk?.append(message)
                }
                if session.mustReport || chunk?.used ?? 0 >= ReceiveQueue.chunkSize / 2 { break }
            }
            if let full = chunk { put(full) }
            chunk = nil
            if session.mustReport { return true }
        }
        return true
    }

    private func put(_ chunk: consuming ReceivedChunk) {
        if queue.put(chunk) { wakeTask() }
    }

    private func report(
        _ connection: PostgresConnection,
        _ session: inout ReceiveSession
    ) throws(PostgresFailure) {
        let asks = wantsKeepalive.exchange(false, ordering: .relaxed)
        let now = ContinuousClock.now
        guard
            let status = session.status(
                confirmed: LSN(confirmed.load(ordering: .relaxed)),
                asks: asks,
                at: now,
                interval: settings.statusInterval
            )
        else { return }
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let micros = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
        let message = status.message(now: micros)
        var failure: PostgresFailure?
        message.withUnsafeBytes { bytes in
            do throws(PostgresFailure) {
                try connection.sendStreamMessage(bytes)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func wait(_ connection: PostgresConnection, _ session: ReceiveSession) {
        let timeout = session.timeUntilStatus(
            confirmed: LSN(confirmed.load(ordering: .relaxed)),
            at: .now,
            interval: settings.statusInterval
        )
        if queue.hasRoom {
            _ = connection.waitReadable(timeout: timeout, wakeUp: wakeUp)
        } else {
            // The socket may be full of messages, so it is not what to wait for.
            queue.waitForRoom(timeout: min(timeout, ReceiveSession.shortestPause))
        }
    }
}
