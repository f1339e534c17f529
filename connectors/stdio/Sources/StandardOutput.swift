internal import ConnectorSDK
internal import Glibc
internal import Synchronization

/// The stream of records on standard output, which one sink of a process writes.
///
/// It outlives the sink's instances, of which the engine makes a new one when topics come or after
/// an error: a stream has one start and one end.
final class StandardOutput {
    private struct Owner {
        var name: String
        var output: Handed
    }

    private struct Handed: @unchecked Sendable {
        // SAFETY: `take(by:_:)` removes it from the mutex's state, so at most one thread has it; a
        // class that is not Sendable cannot say so in a checked form.
        var output: StandardOutput?
    }

    private static let owner = Mutex<Owner?>(nil)
    // More than this in one write(2) gains nothing.
    private static let flushSize = 256 << 10

    /// Whether it is the process's own, which is taken and given back.
    private let isShared: Bool
    private let descriptor: Int32
    private let writer: any RecordWriter
    /// What is not written yet; a record that was begun is always brought to its end.
    private let buffer = OutputBuffer(capacity: 2 * flushSize)
    private var hasBegun = false

    init(_ writer: any RecordWriter, descriptor: Int32 = STDOUT_FILENO) {
        self.writer = writer
        self.descriptor = descriptor
        isShared = descriptor == STDOUT_FILENO
    }

    /// Takes standard output for a connector, until it is given back.
    static func take(
        by name: String,
        _ format: any RecordFormat
    ) throws(ConnectorError) -> StandardOutput {
        let fresh = Handed(output: StandardOutput(try format.makeWriter()))
        let found: Result<Handed, ConnectorError> = owner.withLock { owner in
            let current = owner?.name ?? name
            guard current == name else {
                return .failure(
                    .invalid(
                        "connector",
                        "Standard output is written by `\(current)` already.",
                        hint: "One sink of a process can write it; it may read several topics."
                    )
                )
            }
            let output = owner?.output.output ?? fresh.output
            owner = Owner(name: name, output: Handed(output: nil))
            return .success(Handed(output: output))
        }
        guard let output = try found.get().output else { throw gone }
        return output
    }

    /// Gives it back, for the connector's next instance or ``finish()``.
    func giveBack(by name: String) {
        guard isShared else { return }
        let handed = Handed(output: self)
        Self.owner.withLock { $0 = Owner(name: name, output: handed) }
    }

    /// Writes what belongs at the stream's end, when the process is done.
    static func finish() throws(ConnectorError) {
        let handed = owner.withLock { owner in
            defer { owner = nil }
            return Handed(output: owner?.output.output)
        }
        try handed.output?.end()
    }

    /// Adds records; when it throws, nothing of the batch was added.
    func write(_ batch: RecordBatch) throws(ConnectorError) {
        let before = buffer.count
        do throws(ConnectorError) {
            if !hasBegun { try writer.begin(batch, into: buffer) }
            try writer.write(batch, rows: batch.indices, into: buffer)
        } catch {
            buffer.count = before
            throw error
        }
        hasBegun = true
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// Writes out what was added.
    func flush() throws(ConnectorError) {
        var rest = buffer.bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else if errno == EAGAIN {
                var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&request, 1, -1)
            } else if errno != EINTR {
                let code = errno
                keep(rest)
                throw Self.failure(code)
            }
        }
        buffer.count = 0
    }

    /// Keeps what could not be written, and nothing that was.
    private func keep(_ rest: UnsafeRawBufferPointer) {
        if let start = rest.baseAddress {
            buffer.base.copyMemory(from: start, byteCount: rest.count)
        }
        buffer.count = rest.count
    }

    private func end() throws(ConnectorError) {
        guard hasBegun else { return }
        try writer.end(into: buffer)
        try flush()
    }

    private static let gone = ConnectorError(
        .readerGone,
        .failTask,
        "Nobody reads standard output any more."
    )

    private static func failure(_ code: Int32) -> ConnectorError {
        guard code != EPIPE else { return gone }
        return ConnectorError(
            .init("stdout.write"),
            .failTask,
            "Standard output cannot be written: \(String(cString: strerror(code))).",
            kind: .environment
        )
    }
}
