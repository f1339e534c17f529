public import ConnectorSDK

/// Lets only the first of several records with one key pass, within a window of records and time.
///
/// What it has seen is stored with the position (D3), so that a repetition is found across restarts.
public final class Dedupe: StatefulTransform {
    public static let name = "Dedupe"
    public static let summary = "Drops records that repeat a key, within a window."
    public static let configuration = ConfigSpec()
        .with(fieldsKey).with(keysKey).with(sizeKey)

    private static let fieldsKey = ConfigKey<[String]>.list(
        "fields",
        importance: .high,
        help: """
            The fields that tell whether a record repeats another. Without them its key does; only \
            then several tasks can share the partitions of a topic.
            """
    )
    private static let keysKey = ConfigKey.int(
        "window.keys",
        default: 100_000,
        in: 1...100_000_000,
        help: """
            How many different keys are remembered, the newest; they are kept in memory, with some \
            150 bytes each besides.
            """
    )
    private static let sizeKey = ConfigKey.duration(
        "window.size",
        default: .seconds(3_600),
        in: .zero ... .seconds(400 * 86_400),
        help: """
            How long a key is remembered, by the timestamps of the records, or by the clock where \
            they have none; 0 for as long as `window.keys` allows.
            """
    )

    private let fields: [String]
    private let window: Int64
    @exclusivity(unchecked) private var seen: SeenKeys
    private let pending = StateChanges(capacity: 4_096)
    private var partition: Int32 = 0
    private var schema: Schema?
    private var columns: [Int] = []
    private var bytes: [UInt8] = []
    private var newest = Int64.min

    public init(configuration: Configuration) throws(ConnectorError) {
        fields = try configuration.get(Self.fieldsKey)
        let parts = try configuration.get(Self.sizeKey).components
        window = parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000
        seen = SeenKeys(capacity: try configuration.get(Self.keysKey))
    }

    /// Without `fields`: then only records of one key meet.
    public static func keepsToKeys(_ configuration: Configuration) -> Bool {
        (try? configuration.get(fieldsKey).isEmpty) ?? false
    }

    public func begin(_ input: TransformInput) { partition = input.partition?.partition ?? 0 }

    public func trace(_ outline: inout RecordOutline) {
        for name in fields { outline.need([name], at: Self.fieldsKey.declaration.name) }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        let names = fields.isEmpty ? batch.keySchema : batch.schema
        if schema !== names || schema == nil {
            schema = names
            columns =
                fields.isEmpty
                ? Array(0..<(names?.count ?? 0)) : fields.map { names?.index(of: $0) ?? -1 }
        }
        let clock = WallClock.milliseconds()
        var rejected: [(row: Int, error: ConnectorError)] = []
        batch.filter { row in
            let metadata = batch.metadata(row)
            guard encode(row, of: batch) else {
                // A deletion has no fields; it repeats nothing.
                if metadata.pointee.isTombstone { return true }
                rejected.append((row, noKey))
                return true
            }
            let time = metadata.pointee.timestamp
            return isFirst(
                metadata.pointee.isTombstone,
                time == RecordMetadata.noTimestamp ? clock : time
            )
        }
        if !rejected.isEmpty { rejectKept(rejected, in: batch) }
    }

    /// Rows have moved up since they were looked at.
    private func rejectKept(
        _ rejected: [(row: Int, error: ConnectorError)],
        in batch: RecordBatch
    ) {
        let rows = batch.indices.filter { row in
            !batch.metadata(row).pointee.isTombstone && !encode(row, of: batch)
        }
        batch.reject(rows.map { ($0, noKey) })
    }

    private func isFirst(_ isTombstone: Bool, _ time: Int64) -> Bool {
        newest = max(newest, time)
        if window > 0 {
            while let old = seen.oldest, old.time < newest - window { forget(seen.removeOldest()) }
        }
        if let known = seen[bytes] {
            // A deletion repeats nothing, and what comes behind it is new.
            let isNew = isTombstone || known.isDeleted
            guard isNew || window > 0 && known.time < time - window else { return false }
            store(seen.update(bytes, time: time, isDeleted: isTombstone))
            return true
        }
        if isTombstone { return true }
        if seen.isFull { forget(seen.removeOldest()) }
        store(seen.insert(bytes, time: time, partition: partition))
        return true
    }

    private func encode(_ row: Int, of batch: RecordBatch) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        let cells = fields.isEmpty ? batch.keyRow(row) : batch.row(row)
        var hasValue = false
        for column in columns {
            var cell = column < 0 ? Cell.null : cells?[column] ?? .null
            if cell.isNil { cell = .null } else { hasValue = true }
            CellBytes.append(cell, to: &bytes)
        }
        return hasValue
    }

    private var noKey: ConnectorError {
        ConnectorError(
            .init("dedupe.no_key"),
            .rejectRecord,
            fields.isEmpty
                ? "The record has no key." : "The record has none of the fields it is known by.",
            at: Self.fieldsKey.declaration.name,
            hint: "Use a predicate, so that the transform applies to records that have one."
        )
    }

    // MARK: State

    public func takeChanges(_ changes: StateChanges) { changes.take(pending) }

    public func restore(_ entries: [StateEntry]) throws(ConnectorError) {
        let known = entries.compactMap { SeenKeys.Entry($0) }
        for entry in known.sorted(by: { $0.number < $1.number }) {
            newest = max(newest, entry.time)
            // The limit may be lower than it was.
            if seen.isFull { forget(seen.removeOldest()) }
            seen.restore(entry)
        }
    }

    private func store(_ entry: SeenKeys.Entry) {
        pending.set(part: entry.partition, entry.key, entry.value(behind: seen.base))
    }

    private func forget(_ entry: SeenKeys.Entry) {
        pending.remove(part: entry.partition, entry.key)
    }
}
