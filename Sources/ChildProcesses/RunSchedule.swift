public import ConnectorSDK
internal import Glibc

/// When a program is run: once, so often, or as cron would.
public struct RunSchedule: Sendable {
    /// How often the program is run.
    public static let interval = ConfigKey.duration(
        "poll.interval.ms",
        default: .zero,
        importance: .high,
        help: """
            The program is run so often, from start to start; one that takes longer is followed by \
            the next run at once. With 0, and without `schedule`, it is run once, and the source \
            ends.
            """
    )
    /// When the program is run.
    public static let schedule = ConfigKey<String?>.optional(
        "schedule",
        help: """
            When the program is run, as cron has it, in the machine's zone: `*/10 * * * *`, \
            `30 6 * * mon-fri`, `@hourly`.
            """,
        validator: {
            CronSchedule($0) == nil
                ? "must be five fields, minute hour day month weekday, such as `*/10 * * * *`" : nil
        }
    )

    /// The keys.
    public static let spec = ConfigSpec().with(interval).with(schedule)

    /// The longest wait between two looks at the clock, which may be set meanwhile.
    private static let longestWait = Duration.seconds(60)

    private let interval: Duration
    private let cron: CronSchedule?

    /// Whether the program is run again and again.
    public var isRepeated: Bool { cron != nil || interval != .zero }

    /// Reads the keys; in a run until the end, the program is run once whatever they say.
    public init(_ configuration: Configuration, untilEnd: Bool) throws(ConnectorError) {
        let interval = try configuration.get(Self.interval)
        let cron = try configuration.get(Self.schedule).flatMap { CronSchedule($0) }
        guard interval == .zero || cron == nil else {
            throw .invalid(
                "schedule",
                "Only one of `poll.interval.ms` and `schedule` can be set."
            )
        }
        self.interval = untilEnd ? .zero : interval
        self.cron = untilEnd ? nil : cron
    }

    /// When the next run is due; times are seconds since the epoch.
    ///
    /// - Parameters:
    ///   - started: when the last run was started; `nil` before the first.
    ///   - isComplete: whether that one was not cut short.
    ///   - now: the time.
    /// - Returns: the time, which may be past.
    /// - Throws: when the schedule names a day that never comes.
    public func due(
        after started: Int64?,
        isComplete: Bool,
        now: Int64
    ) throws(ConnectorError) -> Int64 {
        // A clock that was set back must not stop everything.
        let start = started.map { min($0, now) }
        if let cron {
            if start != nil, !isComplete { return now }
            guard let next = cron.next(after: start ?? now) else {
                throw .invalid("schedule", "No such time comes.")
            }
            return next
        }
        guard interval != .zero, let start, isComplete else { return now }
        return start + max(1, interval.components.seconds)
    }

    /// Waits until a time, or until the task must stop.
    public static func wait(
        until due: Int64,
        _ outlet: any RecordOutlet,
        now: () -> Int64
    ) async throws(ConnectorError) {
        while !outlet.isStopping {
            let rest = due - now()
            guard rest > 0 else { return }
            try await outlet.idle(for: min(.seconds(rest), longestWait))
        }
    }

    /// Seconds since the epoch.
    public static func systemTime() -> Int64 { Int64(time(nil)) }
}
