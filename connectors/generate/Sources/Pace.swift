/// How many records are due: a value that is asked with the time.
struct Pace {
    /// A source that was held up makes good at most so much of it.
    private static let longestDebt = Duration.seconds(1)
    /// The shortest wait between two batches: more of them a second gain nothing.
    private static let beat = Duration.milliseconds(20)

    /// Records a second; `nil` for no limit.
    private let rate: Int?
    private var base: ContinuousClock.Instant
    private var made: Int64 = 0

    init(rate: Int?, at start: ContinuousClock.Instant) {
        self.rate = rate
        base = start
    }

    /// How many records may be made now, at most `limit`.
    mutating func due(at now: ContinuousClock.Instant, limit: Int) -> Int {
        guard let rate else { return limit }
        let whole = Self.records(in: now - base, rate)
        let debt = Int64(rate) * Self.longestDebt.components.seconds + Int64(limit)
        if whole - made > debt {
            base = now
            made = 0
            return 1
        }
        // The first record is due at once.
        return Int(min(Int64(limit), max(0, whole + 1 - made)))
    }

    /// Notes that records were made.
    mutating func made(_ count: Int) { made += Int64(count) }

    /// How long to wait for the next one.
    func wait(at now: ContinuousClock.Instant) -> Duration {
        guard let rate else { return .zero }
        let next = base + .seconds(1) * (Double(made) / Double(rate))
        return max(next - now, Self.beat)
    }

    private static func records(in time: Duration, _ rate: Int) -> Int64 {
        let parts = time.components
        let part = Double(parts.attoseconds) / 1e18 * Double(rate)
        return parts.seconds * Int64(rate) + Int64(part)
    }
}
