/// Which transactions a snapshot of the database sees, as `pg_current_snapshot()` writes it.
///
/// The stream knows transactions by their commits and a snapshot by their numbers. A commit may be
/// in the log, and streamed, an instant before a snapshot sees it (or long before, while it waits
/// for a synchronous standby), so places in the log do not tell what a snapshot sees; this does.
internal struct TransactionView: Equatable {
    /// All before it are over.
    internal let first: UInt64
    /// None from it on had begun, or none of those was over.
    internal let next: UInt64
    /// Those between that were going on.
    private let running: Set<UInt64>

    /// Reads `xmin:xmax:xip,xip`.
    internal init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let first = UInt64(parts[0]), let next = UInt64(parts[1]),
            first <= next
        else { return nil }
        let running = parts[2].split(separator: ",").map { UInt64($0) }
        guard !running.contains(nil) else { return nil }
        self.first = first
        self.next = next
        self.running = Set(running.compactMap { $0 })
    }

    /// Whether the snapshot sees a transaction that is known to have committed, by its number as
    /// the stream has it: without the upper half.
    internal func sees(_ transaction: UInt32) -> Bool {
        let number = number(of: transaction)
        return number < first || number < next && !running.contains(number)
    }

    /// The whole number: the one nearest to the snapshot's, as no two that are in use are more
    /// than two billion apart.
    private func number(of transaction: UInt32) -> UInt64 {
        let distance = Int32(bitPattern: transaction &- UInt32(truncatingIfNeeded: next))
        return next &+ UInt64(bitPattern: Int64(distance))
    }

    /// PostgreSQL's notation.
    internal var text: String {
        "\(first):\(next):\(running.sorted().map { String($0) }.joined(separator: ","))"
    }
}
