public import ConnectorSDK

/// A program that is talked with, line by line: what it is told waits here until it listens, and
/// what it says meanwhile is read, so that neither waits for the other for ever.
public final class ChildDialogue {
    /// How long a program may say nothing before it is taken for idle.
    private static let silence = Duration.milliseconds(500)
    /// A program that listens so little does not listen at all. (D7)
    private static let longestQueue = 64 << 20

    private let child: ChildProcess
    private var queue: [UInt8] = []
    private var queueStart = 0
    private var isDeaf = false
    /// When the program must have said something; `nil` for no limit.
    public var deadline: ContinuousClock.Instant?
    /// Whether to stop waiting for what the program says.
    public var isStopping: () -> Bool = { false }

    /// Makes a dialogue with a program.
    public init(_ child: ChildProcess) { self.child = child }

    /// The bytes that the program has not taken.
    public var queued: Int { queue.count - queueStart }

    /// Tells the program something, now or as soon as it listens.
    public func tell(_ bytes: UnsafeRawBufferPointer) throws(ConnectorError) {
        guard !isDeaf else { return }
        queue += bytes
        guard queued <= Self.longestQueue else {
            throw ConnectorError(
                .init("process.deaf"),
                .failTask,
                "The program `\(child.name)` does not read what it is told."
            )
        }
        try flush()
    }

    /// Tells the program a line.
    public func tell(_ line: String) throws(ConnectorError) {
        let bytes = Array((line + "\n").utf8)
        let result = bytes.withUnsafeBytes { bytes -> Result<Void, ConnectorError> in
            do throws(ConnectorError) {
                return .success(try tell(bytes))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Whether the program says nothing for half a second.
    public var isSilent: Bool {
        let end = ContinuousClock.now + Self.silence
        repeat {
            if hasOutput() { return false }
        } while ContinuousClock.now < end && !isStopping()
        return true
    }

    /// Gives the program what waits for it, as far as it listens now; whether it says something.
    public func hasOutput() -> Bool {
        let wanted: ChildProcess.Readiness = queued > 0 && !isDeaf ? [.output, .input] : .output
        let ready = child.wait(for: wanted, milliseconds: ChildPatience.slice)
        // Who has gone away has also ended its output, which says so.
        if ready.contains(.input) { try? flush() }
        return ready.contains(.output)
    }

    /// Reads what the program says, and waits for it; returns how many bytes, 0 at the end.
    ///
    /// - Throws: ``ConnectorError/Code/cancelled`` when the task must stop.
    public func read(
        into room: UnsafeMutableRawBufferPointer
    ) throws(ConnectorError) -> Int {
        try patience("does not answer in time").read(child, into: room) { hasOutput() }
    }

    /// Lets the program read until no more than so many bytes wait for it, it says something, or it
    /// has ended.
    ///
    /// Each byte that it takes gives it as much time again as it had.
    ///
    /// - Throws: with code ``ConnectorError/Code/childTimeout`` when it takes none for so long.
    public func drain(
        to limit: Int,
        within time: Duration
    ) throws(ConnectorError) {
        var least = queued
        deadline = .now + time
        // What a program that has ended left behind may hold its pipes open.
        while queued > limit, !hasOutput(), child.ending() == nil {
            if queued < least { deadline = .now + time }
            least = min(least, queued)
            try patience("does not read what it is told").check(child)
        }
    }

    private func patience(_ complaint: String) -> ChildPatience {
        ChildPatience(deadline: deadline, isStopping: isStopping, complaint: complaint)
    }

    private func flush() throws(ConnectorError) {
        while queued > 0 {
            let count: Int
            do throws(ConnectorError) {
                count = try queue.withUnsafeBufferPointer { all throws(ConnectorError) in
                    let bytes = UnsafeRawBufferPointer(all)
                    return try child.write(UnsafeRawBufferPointer(rebasing: bytes[queueStart...]))
                }
            } catch {
                guard error.code == .childInputClosed else { throw error }
                isDeaf = true
                break
            }
            if count == 0 { break }
            queueStart += count
        }
        if queued == 0 || isDeaf {
            queue.removeAll(keepingCapacity: queue.count < 1 << 20)
            queueStart = 0
        } else if queueStart > 1 << 20 {
            queue.removeFirst(queueStart)
            queueStart = 0
        }
    }
}
