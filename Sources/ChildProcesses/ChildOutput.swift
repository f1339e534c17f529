public import ConnectorSDK

/// A program's output as a stream that is waited for, until it ends, a time is up or a stop.
public final class ChildOutput {
    /// How long a writer may pause between two pieces of what it writes in one go.
    private static let pause: Int32 = 2

    private let child: ChildProcess
    private let patience: ChildPatience

    /// Makes a stream of a program's output; `deadline` is when it must have ended.
    public init(
        of child: ChildProcess,
        until deadline: ContinuousClock.Instant? = nil,
        isStopping: @escaping () -> Bool
    ) {
        self.child = child
        patience = ChildPatience(
            deadline: deadline,
            isStopping: isStopping,
            complaint: "took longer than it may"
        )
    }

    /// Whether nothing is there to be read now, nor a moment later.
    public var isIdle: Bool {
        !child.wait(for: .output, milliseconds: Self.pause).contains(.output)
    }

    /// Reads the next bytes, and waits for them; returns how many, 0 at the end.
    ///
    /// - Throws: ``ConnectorError/Code/cancelled`` when the task must stop.
    public func read(
        into room: UnsafeMutableRawBufferPointer
    ) throws(ConnectorError) -> Int {
        try patience.read(child, into: room) {
            child.wait(for: .output, milliseconds: ChildPatience.slice).contains(.output)
        }
    }
}

extension ChildOutput {
    /// Reads some bytes and forgets them; `false` at the end, and at a stop.
    public func skip() throws(ConnectorError) -> Bool {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 1)
        defer { room.deallocate() }
        do throws(ConnectorError) {
            return try read(into: room) > 0
        } catch {
            guard error.code == .cancelled else { throw error }
            return false
        }
    }
}

extension ConnectorError.Code {
    /// A program took longer than it may.
    public static let childTimeout = Self("process.timeout")
}
