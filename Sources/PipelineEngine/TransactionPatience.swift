/// Knows when to say that rows wait for the end of a transaction which may never be told.
///
/// A value without a clock: whoever waits tells what it sees.
struct TransactionPatience {
    /// Longer than a busy source takes between the rows of one transaction and its end.
    static let limit = Duration.seconds(10)

    private var since: ContinuousClock.Instant?
    private var hasSpoken = false

    /// Notes that a transaction's end was read, or that no rows wait for one.
    mutating func passed() { since = nil }

    /// Notes that rows wait at a moment; `true` once, when they have waited too long.
    mutating func isExhausted(at now: ContinuousClock.Instant) -> Bool {
        let start = since ?? now
        since = start
        guard !hasSpoken, now - start >= Self.limit else { return false }
        hasSpoken = true
        return true
    }
}
