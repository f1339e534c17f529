public import ConnectorSDK

/// Counts and sums records in windows of time, group by group.
///
/// The records end here; results go on in their place, as `{window_start, window_end, group fields,
/// results}` with the key `{window_start, group fields}`. What is open is state that is stored with
/// the position (D3), so each record counts once, whatever happens.
public final class Aggregate: StatefulTransform {
    public static let name = "Aggregate"
    public static let summary = "Counts and sums records in windows of time, group by group."
    public static let configuration = AggregateSettings.configuration

    private let settings: AggregateSettings
    // One task uses them, and no access calls out: the run-time check for overlapping accesses
    // would cost as much as the access, for every record.
    @exclusivity(unchecked) private var time = EventTime()
    private var windows: [Int64: WindowTable] = [:]
    private var spare: [WindowTable] = []
    @exclusivity(unchecked) private var groupCount = 0
    /// The window looked up last.
    @exclusivity(unchecked) private var last: WindowTable?
    @exclusivity(unchecked) private var reading: AggregateReading
    private var results: AggregateResults
    /// Closed windows whose entries the store still has.
    private var closed: [WindowTable] = []
    private var late = 0
    private var tombstones = 0
    private var missedWindows = 0
    private var records = 0
    private var hasToldUnseen = false
    /// Whether the store must learn how far all partitions have come.
    private var mustStoreTimes = false
    private var waiting: [TopicPartition] = []

    public init(configuration: Configuration) throws(ConnectorError) {
        settings = try AggregateSettings(configuration)
        reading = AggregateReading(settings)
        results = AggregateResults(settings)
    }

    /// With `group.by.key`: then a group is a key, and a key is in one partition.
    public static func keepsToKeys(_ configuration: Configuration) -> Bool {
        (try? configuration.get(AggregateSettings.byKeyKey)) ?? false
    }

    public func begin(_ input: TransformInput) {
        time.begin(input)
        waiting = input.waiting
    }

    public func trace(_ outline: inout RecordOutline) {
        settings.trace(&outline)
        outline.key = .only(results.keySchema.fields)
        outline.value = .only(results.schema.fields)
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {}

    public func split(_ batch: RecordBatch) throws(ConnectorError) -> [RecordBatch] {
        guard batch.count > 0 else { return [] }
        results.topic = batch.topic
        try reading.resolve(batch)
        records += batch.count
        var rejected: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices {
            if batch.metadata(row).pointee.isTombstone {
                tombstones += 1
                continue
            }
            do throws(ConnectorError) {
                try add(row, of: batch)
            } catch {
                guard error.disposition == .rejectRecord else { throw error }
                rejected.append((row, error))
            }
        }
        batch.reject(rejected)
        time.finish()
        results.begin()
        if settings.emission == .updates {
            for window in windows.values where !window.dirty.isEmpty {
                for group in window.dirty { results.append(group, of: window) }
            }
        }
        closeWindows()
        return results.batches
    }

    // MARK: Records

    @inline(__always)
    private func add(_ row: Int, of batch: RecordBatch) throws(ConnectorError) {
        let moment = try reading.time(of: row, in: batch)
        try reading.check(row, of: batch)
        let newest = Self.floor(moment, settings.advance)
        guard newest + settings.size + settings.grace > time.overHere else {
            guard settings.lateness == .drop else { throw Self.tooLate }
            late += 1
            return
        }
        reading.encodeGroup(row, of: batch)
        let hash = WindowTable.hash(reading.group)
        var start = newest
        while start > moment - settings.size {
            if start + settings.size + settings.grace > time.overHere {
                try count(row, of: batch, in: try window(at: start), hash, moment)
            } else {
                missedWindows += 1
            }
            start -= settings.advance
        }
        time.advance(to: moment)
    }

    @inline(__always)
    private func count(
        _ row: Int,
        of batch: RecordBatch,
        in window: WindowTable,
        _ hash: UInt64,
        _ moment: Int64
    ) throws(ConnectorError) {
        let before = window.count
        let index = window.find(reading.group, hash: hash)
        let group = window.group(index)
        if window.count != before {
            // Where its entry is in the store, so it stays.
            group.pointee.partition = time.partition
            try countGroup()
        }
        group.pointee.newest = max(group.pointee.newest, moment)
        if !group.pointee.isDirty {
            group.pointee.isDirty = true
            window.dirty.append(index)
        }
        group.pointee.isUntold = true
        let accumulators = window.accumulators(index)
        for function in settings.functions.indices {
            try accumulators[function].add(
                reading.cell(function, row, of: batch),
                settings.functions[function],
                limit: settings.distinctLimit
            )
        }
    }

    /// D7: what is open is in memory, so there is a limit.
    private func countGroup() throws(ConnectorError) {
        groupCount += 1
        guard groupCount > settings.groupLimit else { return }
        throw ConnectorError(
            .init("aggregate.too_many_groups"),
            .failTask,
            "More than \(settings.groupLimit) groups are in windows that are open.",
            at: AggregateSettings.groupsKey.declaration.name,
            hint: "Raise `groups.max`, or make `window.size`, `grace` or the number of different "
                + "`group.by` values smaller."
        )
    }

    @inline(__always)
    private func window(at start: Int64) throws(ConnectorError) -> WindowTable {
        if let last, last.start == start { return last }
        return openWindow(at: start)
    }

    @inline(never)
    private func openWindow(at start: Int64) -> WindowTable {
        let window: WindowTable
        if let known = windows[start] {
            window = known
        } else if let old = spare.popLast() {
            old.reset(start: start)
            window = old
        } else {
            window = WindowTable(start: start, functions: settings.functions.count)
        }
        windows[start] = window
        last = window
        return window
    }

    private static func floor(_ moment: Int64, _ step: Int64) -> Int64 {
        let rest = moment % step
        return moment - (rest < 0 ? rest + step : rest)
    }

    private static let tooLate = ConnectorError(
        .init("aggregate.late"),
        .rejectRecord,
        "The record is later than `grace` allows: its window is closed.",
        at: AggregateSettings.graceKey.declaration.name,
        hint: "Raise `grace`, or leave such records out with `late.records: drop`."
    )

    // MARK: Windows

    private func closeWindows() {
        let limit = settings.size + settings.grace
        let over = windows.keys.filter { $0 + limit <= time.over }.sorted()
        guard !over.isEmpty else { return }
        for start in over {
            guard let window = windows.removeValue(forKey: start) else { continue }
            if settings.emission == .final {
                for group in 0..<window.count where window.group(group).pointee.isUntold {
                    results.append(group, of: window)
                }
            }
            groupCount -= window.count
            closed.append(window)
        }
        last = nil
        time.closeForAll()
        mustStoreTimes = true
    }

    public func due(_ moment: DueMoment) throws(ConnectorError) -> [RecordBatch] {
        results.begin()
        time.pass(waiting: waiting)
        closeWindows()
        if moment == .end, settings.emission == .final {
            for (_, window) in windows.sorted(by: { $0.key < $1.key }) {
                for group in 0..<window.count where window.group(group).pointee.isUntold {
                    results.append(group, of: window)
                    window.group(group).pointee.isUntold = false
                    guard !window.group(group).pointee.isDirty else { continue }
                    window.group(group).pointee.isDirty = true
                    window.dirty.append(group)
                }
            }
        }
        return results.batches
    }

    public func takePassedOver() -> (count: Int, reason: String)? {
        defer { (late, tombstones, missedWindows) = (0, 0, 0) }
        let count = late + tombstones + missedWindows
        var reasons: [String] = []
        if count > 0 {
            reasons.append(
                "\(late) late records, \(missedWindows) late for some of their windows, "
                    + "\(tombstones) tombstones"
            )
        }
        if let unseen = takeUnseen() { reasons.append(unseen) }
        guard !reasons.isEmpty else { return nil }
        return (count > 0 ? count : records, "Aggregate: " + reasons.joined(separator: "; "))
    }

    /// What is probably misspelt, once: a result of it is null, whatever the records are. (D6)
    private func takeUnseen() -> String? {
        guard records > 0, !hasToldUnseen, !reading.unseen.isEmpty else { return nil }
        hasToldUnseen = true
        let names = reading.unseen.map { "`\($0.name)` (\($0.key))" }
        return "no record has had the field " + names.joined(separator: ", ")
    }
}

// MARK: - State

extension Aggregate {
    public func takeChanges(_ changes: StateChanges) {
        results.recycle()
        var state = AggregateState(settings, changes)
        for window in closed {
            state.remove(window)
            window.reset(start: window.start)
            if spare.count < 8 { spare.append(window) }
        }
        closed.removeAll(keepingCapacity: true)
        for window in windows.values where !window.dirty.isEmpty { state.store(window) }
        if mustStoreTimes {
            for (place, part) in time.parts { state.store(part, of: place, topic: results.topic) }
            mustStoreTimes = false
        } else if let part = time.parts[time.place] {
            state.store(part, of: time.place, topic: results.topic)
        }
    }

    public func restore(_ entries: [StateEntry]) throws(ConnectorError) {
        for entry in entries {
            let window = { (start: Int64) in self.openWindow(at: start) }
            switch try AggregateState.read(entry, settings, window) {
            case .time(let place, let part, let topic):
                time.restore(place, part)
                results.topic = topic
            case .group: try countGroup()
            case .distinct: break
            }
        }
        // Each group may have been met first by one of its distinct values.
        groupCount = windows.values.reduce(0) { $0 + $1.count }
    }
}
