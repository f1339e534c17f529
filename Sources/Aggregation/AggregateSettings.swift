internal import ConnectorSDK

/// What an ``Aggregate`` was configured to do.
internal struct AggregateSettings {
    internal enum Emission: String, Sendable, CaseIterable {
        case updates, final
    }
    internal enum Lateness: String, Sendable, CaseIterable {
        case reject, drop
    }

    internal static let groupKey = ConfigKey<[String]>.list(
        "group.by",
        importance: .high,
        help: """
            The fields that make a group, with their values in the result. Without it all records \
            are one group. An absent field counts as null.
            """
    )
    internal static let byKeyKey = ConfigKey.bool(
        "group.by.key",
        default: false,
        help: """
            Whether `group.by` names fields of the record's key, all that it has; a key that is no \
            object is the field `key`, which is the default then. Only so several tasks can share \
            the partitions: each key is in one of them.
            """
    )
    internal static let aggregatesKey = ConfigMapKey(
        "aggregates",
        importance: .high,
        help: """
            The results: for each its name and `count`, or `count`, `sum`, `min`, `max`, `avg`, \
            `first`, `last` or `distinct` of a field, such as `sum(amount)`. Nulls and absent \
            fields are left out. Sums of integers and decimals are exact, up to 38 digits; `avg` \
            is a double. `first` and `last` go by the order of the records; `distinct` counts \
            exactly, up to `distinct.max`.
            """
    )
    internal static let sizeKey = ConfigKey.duration(
        "window.size",
        default: .seconds(60),
        in: .milliseconds(1) ... .seconds(400 * 86_400),
        importance: .high,
        help: """
            How long a window is. Windows begin at multiples of `window.advance` since 1970, UTC.
            """
    )
    internal static let advanceKey = ConfigKey.duration(
        "window.advance",
        default: .zero,
        in: .zero ... .seconds(400 * 86_400),
        help: """
            How far apart windows begin: with less than `window.size` they overlap (hopping \
            windows), and a record counts in each that holds its time. 0 means `window.size`.
            """
    )
    internal static let graceKey = ConfigKey.duration(
        "grace",
        default: .zero,
        in: .zero ... .seconds(400 * 86_400),
        help: """
            How long a window stays open for records that come late, in event time. The time of an \
            input is that of its newest record.
            """
    )
    internal static let lateKey = ConfigKey<Lateness>.choice(
        "late.records",
        default: .reject,
        help: """
            What becomes of a record all of whose windows are closed. `reject`: a dead letter, or \
            the end of the task, as `errors.tolerance` says. `drop`: it is left out and counted in \
            the log.
            """
    )
    internal static let emitKey = ConfigKey<Emission>.choice(
        "emit",
        default: .updates,
        help: """
            `updates`: the results of every group that a batch of records changed. `final`: each \
            group once, when its window is closed. A run that comes to its end emits windows that \
            are still open as they stand and keeps them; if a later run brings more for them, it \
            emits them again. All results of a group and window have one key, so a compacted topic \
            or an upsert keeps the newest.
            """
    )
    internal static let timeKey = ConfigKey<String?>.optional(
        "timestamp.field",
        help: """
            The field with the time of the event: an instant, text in ISO 8601, or a number (see \
            `timestamp.unit`). Without it the record's own timestamp is the time.
            """
    )
    internal static let unitKey = ConfigKey<TimeUnit>.choice(
        "timestamp.unit",
        default: .milliseconds,
        importance: .low,
        help: "What a number in `timestamp.field` counts since 1970."
    )
    internal static let groupsKey = ConfigKey.int(
        "groups.max",
        default: 1_000_000,
        in: 1...100_000_000,
        importance: .low,
        help: """
            How many groups all open windows together may have; more fail the task. They are kept \
            in memory, some 200 bytes each.
            """
    )
    internal static let distinctKey = ConfigKey.int(
        "distinct.max",
        default: 10_000,
        in: 1...10_000_000,
        importance: .low,
        help: "How many different values `distinct` may find in a group; more fail the task."
    )

    internal enum TimeUnit: String, Sendable, CaseIterable {
        case seconds, milliseconds, microseconds
    }

    internal static let configuration = ConfigSpec()
        .with(sizeKey).with(advanceKey).with(groupKey).with(byKeyKey).with(aggregatesKey)
        .with(timeKey).with(unitKey).with(graceKey).with(lateKey).with(emitKey)
        .with(groupsKey).with(distinctKey)

    internal let group: [String]
    internal let groupsByKey: Bool
    internal let functions: [AggregateFunction]
    /// In milliseconds, as all times here.
    internal let size: Int64
    internal let advance: Int64
    internal let grace: Int64
    internal let lateness: Lateness
    internal let emission: Emission
    internal let timeField: String?
    internal let timeUnit: TimeUnit
    internal let groupLimit: Int
    internal let distinctLimit: Int

    internal init(_ configuration: Configuration) throws(ConnectorError) {
        groupsByKey = try configuration.get(Self.byKeyKey)
        let names = try configuration.get(Self.groupKey)
        group = groupsByKey && names.isEmpty ? ["key"] : names
        size = Self.milliseconds(try configuration.get(Self.sizeKey))
        let step = Self.milliseconds(try configuration.get(Self.advanceKey))
        advance = step > 0 ? step : size
        grace = Self.milliseconds(try configuration.get(Self.graceKey))
        lateness = try configuration.get(Self.lateKey)
        emission = try configuration.get(Self.emitKey)
        timeField = try configuration.get(Self.timeKey)
        timeUnit = try configuration.get(Self.unitKey)
        groupLimit = try configuration.get(Self.groupsKey)
        distinctLimit = try configuration.get(Self.distinctKey)
        var functions: [AggregateFunction] = []
        let texts = configuration.get(Self.aggregatesKey)
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
            functions.append(try AggregateFunction(name, text))
        }
        self.functions = functions
        try check()
    }

    private func check() throws(ConnectorError) {
        let key = Self.aggregatesKey.declaration.name
        guard !functions.isEmpty else {
            throw .invalid(key, "A result is required, such as `{requests: count}`.")
        }
        guard advance <= size else {
            throw .invalid(
                Self.advanceKey.declaration.name,
                "It is longer than `window.size`, so that records between windows were lost."
            )
        }
        guard size / advance <= Self.largestOverlap else {
            throw .invalid(
                Self.advanceKey.declaration.name,
                "A record would count in \(size / advance) windows; \(Self.largestOverlap) are "
                    + "the most."
            )
        }
        var names: Set<String> = ["window_start", "window_end"]
        for name in group + functions.map(\.name) where !names.insert(name).inserted {
            throw .invalid(key, "Two fields of the result would be named `\(name)`.")
        }
    }

    /// A record counts in no more windows than this, since each costs as much as a record.
    private static let largestOverlap: Int64 = 1_000

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let parts = duration.components
        return parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000
    }

    /// The fields of values that are looked for, with the keys that name them.
    internal var fields: [(name: String, key: String)] {
        let groups = groupsByKey ? [] : group
        let results = functions.compactMap { function in
            function.field.map { ($0, "\(Self.aggregatesKey.declaration.name).\(function.name)") }
        }
        let time = timeField.map { [($0, Self.timeKey.declaration.name)] } ?? []
        return groups.map { ($0, Self.groupKey.declaration.name) } + results + time
    }

    /// Says which fields are looked for.
    internal func trace(_ outline: inout RecordOutline) {
        // Without names the whole key is the group.
        let isWholeKey = groupsByKey && group == ["key"]
        let key = isWholeKey ? Self.byKeyKey.declaration : Self.groupKey.declaration
        if groupsByKey { for name in group { outline.need([name], of: .key, at: key.name) } }
        for field in fields { outline.need([field.name], at: field.key) }
    }

    /// What kept results depend on.
    internal var fingerprint: String {
        let list = functions.map { "\($0.name)=\($0.kind.rawValue)(\($0.field ?? ""))" }
        return "\(size) \(advance) \(groupsByKey) \(group) \(list) \(timeField ?? "") "
            + timeUnit.rawValue
    }
}
