/// Keeps records without a key on one partition for a whole batch, so that batches are large.
public struct StickyPartitioner: Sendable {
    /// The partition of the next record without a key.
    public private(set) var partition: Int32
    private let count: Int32

    /// Begins at a random partition of `count`.
    public init(count: Int32) {
        self.init(count: count, startingAt: .random(in: 0..<max(count, 1)))
    }

    /// Begins at a partition of `count`.
    public init(count: Int32, startingAt first: Int32) {
        self.count = max(count, 1)
        partition = min(max(first, 0), self.count - 1)
    }

    /// Moves to the next partition; called when a batch was handed over.
    public mutating func batchIsComplete() {
        partition = partition + 1 < count ? partition + 1 : 0
    }
}

/// Gives each record without a key the next partition in turn.
public struct RoundRobinPartitioner: Sendable {
    private let count: Int32
    private var following: Int32

    /// Begins at a partition of `count`.
    public init(count: Int32, startingAt first: Int32 = 0) {
        self.count = max(count, 1)
        following = min(max(first, 0), self.count - 1)
    }

    /// The partition of the next record.
    public mutating func next() -> Int32 {
        defer { following = following + 1 < count ? following + 1 : 0 }
        return following
    }
}

/// Chooses the partition of each record a source sends.
///
/// A partition the record asks for wins, then its key's hash, then the strategy for the rest. (D5)
public struct Partitioner: Sendable {
    /// What happens to records that have neither a partition nor a key.
    public enum Strategy: String, Sendable, CaseIterable {
        /// They stay on one partition for a batch.
        case sticky
        /// They take turns, and so do records with a key: on request only, since it gives up the
        /// order of records with one key.
        case roundRobin = "round_robin"
    }

    private let count: Int32
    private let strategy: Strategy
    private var sticky: StickyPartitioner
    private var roundRobin: RoundRobinPartitioner

    /// Makes a partitioner for a topic of `count` partitions.
    public init(count: Int32, strategy: Strategy = .sticky) {
        self.init(count: count, strategy: strategy, startingAt: .random(in: 0..<max(count, 1)))
    }

    /// Makes a partitioner whose first choice without a key is known.
    public init(count: Int32, strategy: Strategy, startingAt first: Int32) {
        self.count = max(count, 1)
        self.strategy = strategy
        sticky = StickyPartitioner(count: count, startingAt: first)
        roundRobin = RoundRobinPartitioner(count: count, startingAt: first)
    }

    /// The partition of a record.
    ///
    /// - Parameters:
    ///   - wanted: the partition the record asks for, or a negative number for none.
    ///   - key: the key's bytes, or `nil` for none.
    /// - Returns: `nil` when it asks for a partition that the topic does not have.
    public mutating func partition(wanted: Int32, key: UnsafeRawBufferPointer?) -> Int32? {
        if wanted >= 0 { return wanted < count ? wanted : nil }
        switch strategy {
        case .roundRobin: return roundRobin.next()
        case .sticky:
            guard let key else { return sticky.partition }
            return Murmur2.partition(forKey: key, count: count)
        }
    }

    /// Tells that a batch was handed over, so that records without a key may move on.
    public mutating func batchIsComplete() { sticky.batchIsComplete() }
}
