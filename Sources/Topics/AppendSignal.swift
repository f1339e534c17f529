/// Lets one task wait until one of its partitions has new records, or until it is told to stop.
public final class AppendSignal: Sendable {
    private let isRaised = Monitor(false)

    /// Makes a signal that is not raised.
    public init() {}

    /// Wakes the waiter, or lets its next wait return at once.
    public func raise() { isRaised.update { $0 = true } }

    /// Blocks until the signal is raised or `timeout` has passed, and lowers it.
    ///
    /// - Returns: whether it was raised.
    @discardableResult
    public func wait(timeout: Duration) -> Bool {
        let raised: Void? = isRaised.wait(until: .now + timeout) { isRaised in
            guard isRaised else { return nil }
            isRaised = false
            return ()
        }
        return raised != nil
    }
}
