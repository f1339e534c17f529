internal import Synchronization

/// Memory that many share, each of whom may be hostile: what is not there is not given. (D7)
public final class MemoryBudget: Sendable {
    private let limit: Int
    private let used = Atomic<Int>(0)

    /// Makes a budget.
    public init(limit: Int) { self.limit = limit }

    /// Takes so many bytes, or none of them.
    public func reserve(_ bytes: Int) -> Bool {
        guard bytes > 0 else { return true }
        let (_, after) = used.add(bytes, ordering: .relaxed)
        guard after > limit else { return true }
        used.subtract(bytes, ordering: .relaxed)
        return false
    }

    /// Gives bytes back.
    public func release(_ bytes: Int) {
        if bytes > 0 { used.subtract(bytes, ordering: .relaxed) }
    }

    /// What is taken.
    public var usedBytes: Int { used.load(ordering: .relaxed) }
}
