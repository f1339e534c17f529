internal import CPostgres
internal import Glibc

/// What a replication connection has for its reader.
public enum PostgresStreamEvent {
    /// A message, valid until the next call on the connection.
    case message(UnsafeRawBufferPointer)
    /// Nothing has arrived yet.
    case nothing
    /// The server ended the stream.
    case ended
}

/// Why a wait for the server ended.
public enum PostgresWait: Sendable {
    /// Something arrived, or the connection broke: read on.
    case readable
    /// The wake-up was signalled.
    case woken
    /// Nothing happened in time.
    case timedOut
}

extension PostgresConnection {
    /// Starts a stream in both directions: `START_REPLICATION …` on a replication connection.
    public func startReplication(_ command: String) throws(PostgresFailure) {
        _ = try start(command, PGRES_COPY_BOTH)
    }

    /// The next message of the stream, without waiting.
    ///
    /// Reads from the socket only when nothing is buffered, so that a burst of messages costs few
    /// system calls.
    public func nextStreamEvent() throws(PostgresFailure) -> PostgresStreamEvent {
        var mayRead = true
        while true {
            var bytes: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(handle.pointer, &bytes, 1)
            message.replace(by: bytes)
            if count > 0 {
                return .message(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            }
            if count == -1 {
                try finishStream()
                return .ended
            }
            guard count == 0 else { throw handle.failure() }
            guard mayRead else { return .nothing }
            guard PQconsumeInput(handle.pointer) == 1 else { throw handle.failure() }
            mayRead = false
        }
    }

    /// Waits until there may be something to read, `wakeUp` is signalled or `timeout` has passed.
    public func waitReadable(
        timeout: Duration?,
        wakeUp: PostgresWakeUp? = nil
    ) -> PostgresWait {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        let descriptor = wakeUp?.descriptor ?? -1
        switch Poll.wait(
            PQsocket(handle.pointer),
            for: POLLIN,
            wakeUp: descriptor,
            until: deadline
        ) {
        case .ready: return .readable
        case .timedOut: return .timedOut
        case .woken:
            wakeUp?.reset()
            return .woken
        }
    }

    /// Sends one message to the server, such as a status update.
    public func sendStreamMessage(_ bytes: UnsafeRawBufferPointer) throws(PostgresFailure) {
        let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard PQputCopyData(handle.pointer, start, Int32(clamping: bytes.count)) == 1,
            PQflush(handle.pointer) == 0
        else { throw handle.failure() }
    }

    /// Tells the server that no more messages follow, and reads the stream to its end.
    public func endStream() throws(PostgresFailure) {
        guard PQputCopyEnd(handle.pointer, nil) == 1 else { throw handle.failure() }
        while true {
            var bytes: UnsafeMutablePointer<CChar>?
            let count = PQgetCopyData(handle.pointer, &bytes, 0)
            message.replace(by: bytes)
            if count > 0 { continue }
            guard count == -1 else { throw handle.failure() }
            return try finishStream()
        }
    }

    /// Takes the results behind a stream; throws the error that ended it.
    private func finishStream() throws(PostgresFailure) {
        var failure: PostgresFailure?
        while let result = nextResult() {
            if result.handle.isError, failure == nil { failure = result.handle.failure() }
            if result.handle.status == PGRES_COPY_IN {
                // The server has ended its direction and waits for the end of ours.
                _ = PQputCopyEnd(handle.pointer, nil)
            }
        }
        if let failure { throw failure }
    }
}
