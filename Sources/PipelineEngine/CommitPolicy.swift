/// Decides when a sink commits: the more records a commit covers, the less it costs each; the
/// longer it waits, the older is what the target shows.
///
/// A value without a clock.
struct CommitPolicy {
    /// The longest time between commits.
    let interval: Duration

    /// Bytes of values after which a commit is due whatever the time, so that what a target holds
    /// back stays bounded (D7): 64 MiB.
    static let byteLimit = 64 << 20
    /// How long a sink that has caught up waits for more before it commits: longer than the store
    /// takes to make the next batch of a busy source readable.
    static let linger = Duration.milliseconds(20)

    private var since: ContinuousClock.Instant?
    private(set) var records = 0
    private var bytes = 0

    init(interval: Duration) { self.interval = interval }

    /// Whether something was written or skipped since the last commit.
    var isDirty: Bool { since != nil }

    /// Notes that records were written, or passed over.
    mutating func wrote(records: Int, bytes: Int, at now: ContinuousClock.Instant) {
        since = since ?? now
        self.records += records
        self.bytes += bytes
    }

    /// Whether to commit while records arrive.
    func isDue(at now: ContinuousClock.Instant, preferredRecords: Int) -> Bool {
        guard let since else { return false }
        return records >= preferredRecords || bytes >= Self.byteLimit || now - since >= interval
    }

    /// How long to wait for records before an idle commit; `nil` when there is nothing to commit.
    func idleWait(at now: ContinuousClock.Instant) -> Duration? {
        guard let since else { return nil }
        return max(.zero, min(Self.linger, interval - (now - since)))
    }

    /// Notes a commit.
    mutating func committed() {
        since = nil
        records = 0
        bytes = 0
    }
}
