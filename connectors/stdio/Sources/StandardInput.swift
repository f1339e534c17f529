internal import ConnectorSDK
internal import Glibc
internal import RecordStreams
internal import Synchronization

/// The process's standard input, which can be read once, by one connector.
///
/// A task that starts again after an error goes on behind its last durable record, so text that is
/// not acknowledged is kept until it is. What is on its way to the disk is bounded by the engine,
/// and so is this. (D7)
final class StandardInput {
    /// Who reads standard input of this process, and what it has read.
    private struct Owner {
        var name: String
        // SAFETY of handing it from thread to thread: one task at a time has it, and gives it back
        // before the next attempt takes it.
        var input: Handed
    }

    private struct Handed: @unchecked Sendable {
        // SAFETY: `take(by:)` removes it from the mutex's state, so at most one thread has it; a
        // class that is not Sendable cannot say so in a checked form.
        var input: StandardInput?
    }

    private static let owner = Mutex<Owner?>(nil)

    /// Tells this process's stream from those of others, whose positions mean nothing here.
    let run: String
    /// Whether it is the process's own, which is taken and given back.
    private let isShared: Bool
    private let descriptor: Int32
    private var source: ByteInput.Source?
    private var kept: [[UInt8]] = []
    /// The place of the first byte of `kept` in the text.
    private var start: Int64 = 0
    /// The place behind the last byte of `kept`.
    private var end: Int64 = 0
    private var isAtEnd = false

    init(descriptor: Int32 = STDIN_FILENO) {
        self.descriptor = descriptor
        isShared = descriptor == STDIN_FILENO
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        run = "\(getpid())-\(time.tv_sec)"
    }

    /// Takes standard input for a connector, until it is given back.
    static func take(by name: String) throws(ConnectorError) -> StandardInput {
        let found: Result<StandardInput, ConnectorError> = owner.withLock { owner in
            let current = owner?.name ?? name
            guard current == name else {
                return .failure(
                    .invalid(
                        "connector",
                        "Standard input is read by `\(current)` already.",
                        hint: "One connector of a process can read it."
                    )
                )
            }
            let input = owner?.input.input ?? StandardInput()
            owner = Owner(name: name, input: Handed(input: nil))
            return .success(input)
        }
        return try found.get()
    }

    /// Gives it back, for the connector's next attempt.
    func giveBack(by name: String) {
        guard isShared else { return }
        let handed = Handed(input: self)
        Self.owner.withLock { $0 = Owner(name: name, input: handed) }
    }

    /// The text from `byte` on.
    ///
    /// - Throws: when that is not there any more.
    func open(
        at byte: Int64,
        _ settings: StreamSettings,
        for format: any RecordFormat,
        isStopping: @escaping () -> Bool
    ) throws(ConnectorError) -> ByteInput {
        guard (start...end).contains(byte) else { throw Self.passed }
        let reader = DescriptorReader(descriptor, isStopping: isStopping)
        if source == nil {
            source = try settings.text(
                of: { room throws(ConnectorError) in try reader.read(into: room) },
                for: format
            )
        }
        var place = byte
        return ByteInput(
            offset: byte,
            mustWait: { place >= self.end && !self.isAtEnd && reader.isIdle },
            source: { room throws(ConnectorError) in
                let count = try self.read(at: place, into: room)
                place += Int64(count)
                return count
            }
        )
    }

    /// Lets go of the text before `byte`, whose records are durable. (D1)
    func release(through byte: Int64) {
        while let first = kept.first, start + Int64(first.count) <= byte {
            start += Int64(first.count)
            kept.removeFirst()
        }
    }

    private func read(
        at place: Int64,
        into room: UnsafeMutableRawBufferPointer
    ) throws(ConnectorError) -> Int {
        if place < end { return copy(from: place, into: room) }
        guard let source, !isAtEnd else { return 0 }
        let count = try source(room)
        isAtEnd = count == 0
        if count > 0 { kept.append(Array(UnsafeRawBufferPointer(rebasing: room[..<count]))) }
        end += Int64(count)
        return count
    }

    private func copy(from place: Int64, into room: UnsafeMutableRawBufferPointer) -> Int {
        var before = start
        for piece in kept {
            let next = before + Int64(piece.count)
            guard next <= place else {
                let part = piece[Int(place - before)...].prefix(room.count)
                room.copyBytes(from: part)
                return part.count
            }
            before = next
        }
        return 0
    }

    static let passed = ConnectorError(
        .init("stdin.passed"),
        .failTask,
        "Standard input cannot be read a second time.",
        hint: "Run the command again with its input."
    )
}
