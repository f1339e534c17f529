internal import Glibc

/// Spreads requests over time: so many a second, and not all of them at its start.
struct RequestPace {
    private let interval: Duration
    private var next = ContinuousClock.now

    init(limit: Int) {
        interval = limit > 0 ? .seconds(1) / limit : .zero
    }

    /// Waits until the next request may be sent.
    mutating func wait() {
        guard interval > .zero else { return }
        let now = ContinuousClock.now
        if next > now { usleep(UInt32((next - now) / .microseconds(1))) }
        next = max(next, now) + interval
    }
}
