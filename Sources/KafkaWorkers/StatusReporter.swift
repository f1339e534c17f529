internal import ConnectorSDK
internal import Glibc
internal import KafkaClient
internal import Logging
internal import PipelineEngine

/// Tells in `<NAME>-status` who this worker is and what its tasks do, when that changes.
///
/// Nothing depends on it: what cannot be written is tried again later, and no task hears of it.
/// Belongs to one thread.
internal final class StatusReporter {
    private let topic: StatusTopic
    private let record: WorkerRecord
    private let isStatic: Bool
    private let logger: Logger
    private var ledger: StatusLedger
    /// The id that the group knows this worker by; `nil` while it is no member.
    private var member: String?
    private var leases: [TaskID: Int64] = [:]
    private var records: [TaskID: TaskRecord] = [:]
    private var hasFailed = false

    internal init(
        _ topic: StatusTopic,
        _ options: WorkerGroupOptions,
        _ connectors: [SharedConnector],
        _ logger: Logger
    ) {
        self.topic = topic
        self.logger = logger
        isStatic = options.isStatic
        record = WorkerRecord(options, since: Self.now)
        ledger = StatusLedger(lasting: [StatusKey.tasks.text: RosterRecord(connectors).text])
    }

    private static var now: Int64 {
        var clock = timespec()
        clock_gettime(CLOCK_REALTIME, &clock)
        return Int64(clock.tv_sec) * 1_000 + Int64(clock.tv_nsec) / 1_000_000
    }

    /// Notes tasks that the group has given to this worker, which it knows as `member`.
    ///
    /// `entries` is what the topic holds, and `members` who the group has, if that is known: what
    /// others have said is removed when they are gone.
    internal func granted(
        _ tasks: [TaskID],
        as member: String,
        _ entries: [String: String],
        members: Set<String>?
    ) {
        self.member = member.isEmpty ? nil : member
        var highest: [TaskID: Int64] = [:]
        var gone: Set<String> = []
        for (text, value) in entries {
            guard let key = StatusKey(text) else { continue }
            if case .task(let id, _) = key, let lease = TaskRecord(value)?.lease {
                highest[id] = max(highest[id] ?? 0, lease)
            }
            if let said = key.member, let members, members.contains(member),
                !members.contains(said)
            {
                gone.insert(text)
            }
        }
        for task in tasks where leases[task] == nil { leases[task] = (highest[task] ?? 0) + 1 }
        ledger.want(wanted)
        ledger.found(entries, ofGone: gone)
    }

    /// Notes tasks that are this worker's no longer.
    internal func withdrawn(_ tasks: [TaskID]) {
        for task in tasks { (leases[task], records[task]) = (nil, nil) }
    }

    /// Notes that the group does not know this worker any more.
    internal func forgotten() {
        member = nil
        leases = [:]
        records = [:]
    }

    private var wanted: [String: String] {
        guard let member else { return [:] }
        var entries = [StatusKey.worker(member: member).text: record.text]
        for (id, record) in records {
            entries[StatusKey.task(id, member: member).text] = record.text
        }
        return entries
    }

    /// Looks at what tasks do, and sends what has changed; waits for nothing.
    internal func turn(_ ownership: TaskOwnership) {
        for report in ownership.reports() {
            guard let lease = leases[report.id] else { continue }
            let found = TaskRecord(report, lease: lease, since: Self.now)
            if let last = records[report.id], last.says(thatOf: found) { continue }
            records[report.id] = found
        }
        ledger.want(wanted)
        settle()
        send()
    }

    /// Removes what was said of this worker's tasks, for at most `timeout`, and of itself, unless
    /// the group waits for it to come back.
    internal func leave(_ timeout: Duration) {
        withdrawn(Array(leases.keys))
        if !isStatic { forgotten() }
        ledger.want(wanted)
        let deadline = ContinuousClock.now + timeout
        repeat {
            settle(.milliseconds(50))
            send()
        } while ledger.isWaiting && ContinuousClock.now < deadline
    }

    private func settle(_ wait: Duration = .zero) {
        guard ledger.isWaiting else { return }
        switch topic.outcome(wait) {
        case .pending: break
        case .delivered:
            ledger.delivered()
            hasFailed = false
        case .failed(let failure): fail(failure)
        }
    }

    private func send() {
        let changes = ledger.next(.now)
        guard !changes.isEmpty else { return }
        do throws(KafkaFailure) {
            try topic.send(changes)
        } catch {
            fail(error)
        }
    }

    private func fail(_ failure: KafkaFailure) {
        ledger.failed(.now)
        guard !hasFailed else { return }
        hasFailed = true
        logger.warning(
            "what this worker does cannot be written for `cluster status`; its tasks go on",
            metadata: ["error": "\(failure.description)"]
        )
    }
}
