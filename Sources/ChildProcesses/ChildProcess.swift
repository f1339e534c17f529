public import ConnectorSDK
internal import Glibc

/// A program that runs beside the task that started it, and its three pipes.
///
/// One task uses it, on its own thread, and waits with ``wait(for:milliseconds:)``, which always
/// takes what the program says on standard error, so that no full pipe stops it. The program has a
/// process group of its own, which ends with this object, and is killed when this process dies.
public final class ChildProcess {
    /// What to wait for.
    public struct Readiness: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        /// The program's output can be read, or has ended.
        public static let output = Readiness(rawValue: 1)
        /// The program takes input, or does not any more.
        public static let input = Readiness(rawValue: 2)
    }

    // Of 16 KiB each: more than a pipe holds.
    private static let lastReads = 8

    /// The program's name, for messages.
    public let name: String
    private var handle: ChildHandle
    private var lines: ErrorLines
    private let onErrorLine: (String) -> Void

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - command: what to start.
    ///   - redact: replaces secrets in what it says: a program may repeat what it was given. (D8)
    ///   - onErrorLine: takes each line of its standard error, cut off if it is long.
    /// - Throws: when there is no such program or directory.
    public init(
        _ command: ChildCommand,
        redact: @escaping (String) -> String = { $0 },
        onErrorLine: @escaping (String) -> Void
    ) throws(ConnectorError) {
        name = command.arguments.first ?? ""
        self.onErrorLine = onErrorLine
        lines = ErrorLines(redact: redact)
        do throws(ChildHandle.Failure) {
            handle = try ChildHandle(command)
        } catch {
            let reason = String(cString: strerror(error.code))
            guard !error.isDirectory else {
                throw ConnectorError(
                    .init("process.directory"),
                    .failTask,
                    "The directory `\(command.directory ?? "")` cannot be used: \(reason).",
                    kind: .environment
                )
            }
            throw ConnectorError(
                .init("process.start"),
                .failTask,
                "The program `\(name)` cannot be started: \(reason).",
                kind: .environment,
                hint: name.contains("/") ? nil : "It is looked for in the directories of PATH."
            )
        }
    }

    /// The program's process id, which is also that of its group.
    public var id: Int32 { handle.id }

    /// Waits until something can be done, or for so long; returns what can be done.
    public func wait(for wanted: Readiness, milliseconds: Int32) -> Readiness {
        var requests = [
            pollfd(fd: handle.errors, events: Int16(POLLIN), revents: 0),
            pollfd(
                fd: wanted.contains(.output) ? handle.output : -1,
                events: Int16(POLLIN),
                revents: 0
            ),
            pollfd(
                fd: wanted.contains(.input) ? handle.input : -1,
                events: Int16(POLLOUT),
                revents: 0
            ),
        ]
        var ready: Readiness = []
        guard poll(&requests, nfds_t(requests.count), milliseconds) > 0 else { return ready }
        if requests[0].revents != 0 { takeErrors() }
        if requests[1].revents != 0 { ready.insert(.output) }
        if requests[2].revents != 0 { ready.insert(.input) }
        return ready
    }

    /// Reads output that is there; `nil` when there is none now, 0 at its end.
    public func read(into room: UnsafeMutableRawBufferPointer) throws(ConnectorError) -> Int? {
        guard handle.output >= 0 else { return 0 }
        while true {
            let count = Glibc.read(handle.output, room.baseAddress, room.count)
            if count >= 0 { return count }
            if errno == EAGAIN { return nil }
            guard errno == EINTR else { throw failure("read", errno) }
        }
    }

    /// Gives the program as much input as it takes now; returns how many bytes.
    ///
    /// - Throws: with code ``ConnectorError/Code/childInputClosed`` when it reads no more.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(ConnectorError) -> Int {
        guard handle.input >= 0 else { throw inputClosed }
        while true {
            let count = Glibc.write(handle.input, bytes.baseAddress, bytes.count)
            if count >= 0 { return count }
            if errno == EAGAIN { return 0 }
            if errno == EPIPE { throw inputClosed }
            guard errno == EINTR else { throw failure("written to", errno) }
        }
    }

    /// Tells the program that no more input comes.
    public func closeInput() { handle.closeInput() }

    /// How the program ended; `nil` while it runs.
    public func ending() -> ChildEnding? { handle.checkEnding() }

    /// Waits for the program to end by itself; `nil` when it has not within so long.
    ///
    /// What it still says on standard error is taken; its output is not read.
    public func waitForEnd(within limit: Duration) -> ChildEnding? {
        let deadline = ContinuousClock.now + limit
        while true {
            if let ending = handle.checkEnding() {
                // A full pipe of it may be left; what others still write there is not waited for.
                for _ in 0..<Self.lastReads where !takeErrors() { break }
                if let rest = lines.take() { onErrorLine(rest) }
                return ending
            }
            guard ContinuousClock.now < deadline else { return nil }
            // A program that has closed standard error would make this a busy loop.
            if handle.errors < 0 {
                usleep(2_000)
            } else {
                _ = wait(for: [], milliseconds: 2)
            }
        }
    }

    /// Ends the program and all that it has started: gently, and after so long at once.
    @discardableResult
    public func end(within grace: Duration) -> ChildEnding {
        handle.closeInput()
        handle.closeOutput()
        if let ending = handle.checkEnding() {
            handle.release()
            return ending
        }
        handle.signal(SIGTERM)
        let gentle = waitForEnd(within: grace)
        if gentle == nil { handle.signal(SIGKILL) }
        guard let ending = gentle ?? waitForEnd(within: .seconds(60)) else {
            // The system holds on to it, as over a disk that does not answer.
            return .signalled(SIGKILL)
        }
        handle.release()
        return ending
    }

    /// Reads some of standard error; `false` when nothing was there.
    @discardableResult
    private func takeErrors() -> Bool {
        guard handle.errors >= 0 else { return false }
        return withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { room in
            // Once around: whoever waits also has other things to do.
            let count = Glibc.read(handle.errors, room.baseAddress, room.count)
            if count > 0 {
                let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
                for line in lines.append(bytes) { onErrorLine(line) }
                return true
            } else if count == 0 || errno != EAGAIN && errno != EINTR {
                if let rest = lines.take() { onErrorLine(rest) }
                handle.closeErrors()
            }
            return false
        }
    }

    private var inputClosed: ConnectorError {
        ConnectorError(
            .childInputClosed,
            .retry(after: nil),
            "The program `\(name)` reads no more input."
        )
    }

    private func failure(_ what: String, _ code: Int32) -> ConnectorError {
        ConnectorError(
            .init("process.pipe"),
            .retry(after: nil),
            "The program `\(name)` cannot be \(what): \(String(cString: strerror(code))).",
            kind: .environment
        )
    }
}

extension ConnectorError.Code {
    /// A program that was given input does not read it any more.
    public static let childInputClosed = Self("process.input_closed")
}
