internal import ConnectorSDK

/// The entries that an ``Aggregate`` has in the store.
///
/// | key | value |
/// |---|---|
/// | 1, topic | how far its partition has come: newest time, what is over, topic of the results, configuration |
/// | 2, window, length and bytes of the group | newest time, whether told, an accumulator for each function |
/// | 3, window, length and bytes of the group, function, a value | nothing: `distinct` has seen the value |
internal struct AggregateState {
    internal enum Entry {
        case time(TopicPartition, EventTime.Part, topic: String)
        case group
        case distinct
    }

    private let settings: AggregateSettings
    private let changes: StateChanges
    private var key: [UInt8] = []
    private var value: [UInt8] = []

    internal init(_ settings: AggregateSettings, _ changes: StateChanges) {
        self.settings = settings
        self.changes = changes
    }

    // MARK: Writing

    internal mutating func store(_ part: EventTime.Part, of place: TopicPartition, topic: String) {
        key.removeAll(keepingCapacity: true)
        key.append(1)
        key.append(contentsOf: place.topic.utf8)
        value.removeAll(keepingCapacity: true)
        CellBytes.append(part.newest, to: &value)
        CellBytes.append(part.over, to: &value)
        CellBytes.append(Int64(topic.utf8.count), to: &value)
        value.append(contentsOf: topic.utf8)
        value.append(contentsOf: settings.fingerprint.utf8)
        changes.set(part: place.partition, key, value)
    }

    /// Stores the groups of a window that have changed.
    internal mutating func store(_ window: WindowTable) {
        for index in window.dirty {
            let group = window.group(index)
            group.pointee.isDirty = false
            value.removeAll(keepingCapacity: true)
            CellBytes.append(group.pointee.newest, to: &value)
            CellBytes.append(group.pointee.isUntold ? 1 : 0, to: &value)
            let accumulators = window.accumulators(index)
            for function in settings.functions.indices {
                accumulators[function].append(to: &value)
                for seen in accumulators[function].takeNews() {
                    setKey(3, window, index)
                    key.append(UInt8(truncatingIfNeeded: function))
                    key.append(contentsOf: seen)
                    changes.set(part: group.pointee.partition, key, CollectionOfOne(0))
                }
            }
            setKey(2, window, index)
            changes.set(part: group.pointee.partition, key, value)
        }
        window.dirty.removeAll(keepingCapacity: true)
    }

    /// Removes all entries of a window.
    internal mutating func remove(_ window: WindowTable) {
        for index in 0..<window.count {
            let part = window.group(index).pointee.partition
            let accumulators = window.accumulators(index)
            for (function, what) in settings.functions.enumerated() where what.kind == .distinct {
                for seen in accumulators[function].seen {
                    setKey(3, window, index)
                    key.append(UInt8(truncatingIfNeeded: function))
                    key.append(contentsOf: seen)
                    changes.remove(part: part, key)
                }
            }
            setKey(2, window, index)
            changes.remove(part: part, key)
        }
    }

    private mutating func setKey(_ kind: UInt8, _ window: WindowTable, _ index: Int) {
        let group = window.key(index)
        key.removeAll(keepingCapacity: true)
        key.append(kind)
        CellBytes.append(window.start, to: &key)
        CellBytes.append(Int64(group.count), to: &key)
        key.append(contentsOf: group)
    }

    // MARK: Reading

    /// Puts an entry where it belongs.
    internal static func read(
        _ entry: StateEntry,
        _ settings: AggregateSettings,
        _ window: (Int64) -> WindowTable
    ) throws(ConnectorError) -> Entry {
        let result = entry.key.withUnsafeBytes { key in
            entry.value.withUnsafeBytes { value in
                var key = CellBytes.Reader(key), value = CellBytes.Reader(value)
                return read(entry.part, &key, &value, settings, window)
            }
        }
        guard let result else {
            throw ConnectorError(
                .init("aggregate.state"),
                .failTask,
                "The state that is stored was made with other settings.",
                hint: "`millrace offsets reset CONNECTOR` forgets it and reads everything again; "
                    + "with `--state only` it forgets it and goes on where it is."
            )
        }
        return result
    }

    private static func read(
        _ part: Int32,
        _ key: inout CellBytes.Reader,
        _ value: inout CellBytes.Reader,
        _ settings: AggregateSettings,
        _ window: (Int64) -> WindowTable
    ) -> Entry? {
        guard let kind = key.take(1)?[0] else { return nil }
        if kind == 1 {
            guard let newest = value.number(), let over = value.number(),
                let length = value.number(), let topic = value.take(Int(length))
            else { return nil }
            let made = String(decoding: value.rest(), as: UTF8.self)
            guard made == settings.fingerprint else { return nil }
            let name = String(decoding: key.rest(), as: UTF8.self)
            return .time(
                TopicPartition(name, part),
                EventTime.Part(newest: newest, over: over),
                topic: String(decoding: topic, as: UTF8.self)
            )
        }
        guard let start = key.number(), let length = key.number(),
            let bytes = key.take(Int(length))
        else { return nil }
        let table = window(start)
        let index = table.find(bytes, hash: WindowTable.hash(bytes))
        let group = table.group(index), accumulators = table.accumulators(index)
        group.pointee.partition = part
        if kind == 3 {
            guard let function = key.take(1)?[0], Int(function) < settings.functions.count else {
                return nil
            }
            accumulators[Int(function)].seen.insert(Array(key.rest()))
            return .distinct
        }
        guard kind == 2, let newest = value.number(), let untold = value.number() else {
            return nil
        }
        group.pointee.newest = newest
        group.pointee.isUntold = untold == 1
        for function in settings.functions.indices {
            guard var accumulator = Accumulator(&value) else { return nil }
            accumulator.seen = accumulators[function].seen
            accumulators[function] = accumulator
        }
        return .group
    }
}
