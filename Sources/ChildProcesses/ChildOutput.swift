public import ConnectorSDK

/// A program's output as a stream that is waited for, until it ends, a time is up or a stop.
public final class ChildOutput {
    /// How long a stop may take to be noticed while nothing comes.
    private static let slice: Int32 = 100
    /// How long a writer may pause between two pieces of what it writes in one go.
    private static let pause: Int32 = 2

    private let child: ChildProcess
    private let deadline: ContinuousClock.Instant?
    private let isStopping: () -> Bool

    /// Makes a stream of a program's output; `deadline` is when it must have ended.
    public init(
        of child: ChildProcess,
        until deadline: ContinuousClock.Instant? = nil,
        isStopping: @escaping () -> Bool
    ) {
        self.child = child
        self.deadline = deadline
        self.isStopping = isStopping
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
        while true {
            if isStopping() {
                throw ConnectorError(.cancelled, .failTask, "The task was told to stop.")
            }
            if let deadline, ContinuousClock.now >= deadline {
                throw ConnectorError(
                    .childTimeout,
                    .retry(after: nil),
                    "The program `\(child.name)` took longer than it may.",
                    kind: .environment
                )
            }
            let hasEnded = child.ending() != nil
            guard child.wait(for: .output, milliseconds: Self.slice).contains(.output) else {
                // What the program has started, and left behind, may hold its output open.
                if hasEnded { return 0 }
                continue
            }
            if let count = try child.read(into: room) { return count }
        }
    }
}

extension ConnectorError.Code {
    /// A program took longer than it may.
    public static let childTimeout = Self("process.timeout")
}
