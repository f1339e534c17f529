internal import ConnectorSDK

/// How long a reader waits for what a program says: until it has ended, a time is up, or a stop.
struct ChildPatience {
    /// How long a stop may take to be noticed while nothing comes.
    static let slice: Int32 = 100

    /// When the program is late; `nil` for never.
    var deadline: ContinuousClock.Instant?
    /// Whether to stop waiting.
    var isStopping: () -> Bool
    /// What a program that is late does, to be read after its name.
    var complaint: String

    /// Reads the next bytes of a program, and waits for them.
    ///
    /// - Parameters:
    ///   - child: the program.
    ///   - room: where to read to.
    ///   - wait: waits for ``slice`` milliseconds; whether there is output.
    /// - Returns: how many, 0 at the end.
    /// - Throws: ``ConnectorError/Code/cancelled`` when the task must stop.
    func read(
        _ child: ChildProcess,
        into room: UnsafeMutableRawBufferPointer,
        wait: () -> Bool
    ) throws(ConnectorError) -> Int {
        while true {
            try check(child)
            let hasEnded = child.ending() != nil
            guard wait() else {
                // What the program has started, and left behind, may hold its output open.
                if hasEnded { return 0 }
                continue
            }
            if let count = try child.read(into: room) { return count }
        }
    }

    /// Throws when there is nothing more to wait for.
    func check(_ child: ChildProcess) throws(ConnectorError) {
        if isStopping() {
            throw ConnectorError(.cancelled, .failTask, "The task was told to stop.")
        }
        guard let deadline, ContinuousClock.now >= deadline else { return }
        throw ConnectorError(
            .childTimeout,
            .retry(after: nil),
            "The program `\(child.name)` \(complaint).",
            kind: .environment
        )
    }
}
