public import ConnectorSDK

/// Compares a source's table with a sink's, row by row in the order of the key, and repairs the
/// sink's.
///
/// Both tables are read once, a few thousand rows at a time, so memory does not grow with them
/// (D7). They are not locked: what changes in between may look different, which ``recheck(_:)``
/// settles for the keys in question.
public final class TableComparer {
    /// How many differences are kept.
    public static let differenceLimit = 100_000

    private let source: any ComparableTable
    private let sink: any RepairableTable
    /// The key's columns on either side.
    private let sourceKey: [String]
    private let sinkKey: [String]
    /// The other columns that both have, by their names on either side.
    private let shared: [(source: String, sink: String)]
    private var found: (source: Schema, sink: Schema, columns: [(Int?, Int?)])?
    /// The columns that only one side has; they are not compared.
    public let onlyInSource: [String]
    /// The columns that only one side has; they are not compared.
    public let onlyInSink: [String]

    /// Prepares a comparison; names are the same when only the case of their letters differs.
    ///
    /// - Throws: `verify.no_key` when there is no key to compare by.
    public init(
        source: any ComparableTable,
        sink: any RepairableTable
    ) throws(ConnectorError) {
        self.source = source
        self.sink = sink
        let names = Dictionary(
            sink.columns.map { ($0.lowercased(), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        guard !source.key.isEmpty else {
            throw ConnectorError(
                .init("verify.no_key"),
                .failTask,
                "The table \(source.name) has no primary key, so its rows cannot be found again.",
                kind: .configuration
            )
        }
        sourceKey = source.key
        var sinkKey: [String] = []
        for name in source.key {
            guard let found = names[name.lowercased()] else {
                throw ConnectorError(
                    .init("verify.no_key"),
                    .failTask,
                    "The table \(sink.name) has no column `\(name)`, which is in the key of "
                        + "\(source.name).",
                    kind: .configuration
                )
            }
            sinkKey.append(found)
        }
        self.sinkKey = sinkKey
        let keyNames = Set(source.key)
        shared = source.columns.filter { !keyNames.contains($0) }.compactMap { name in
            names[name.lowercased()].map { (name, $0) }
        }
        let known = Set(source.columns.map { $0.lowercased() })
        onlyInSource = source.columns.filter { names[$0.lowercased()] == nil }
        onlyInSink = sink.columns.filter { !known.contains($0.lowercased()) }
    }

    /// Compares all rows, or those with keys after `after` and up to and including `through`.
    public func compare(
        after: [Value]? = nil,
        through: [Value]? = nil
    ) throws(ConnectorError) -> TableComparison {
        let sourceRows = KeyedRows(source, key: sourceKey, after: after)
        let sinkRows = KeyedRows(sink, key: sinkKey, after: after)
        let last = through.map { KeyRow($0, of: sourceKey) }
        var result = TableComparison()
        func current(_ rows: KeyedRows) throws(ConnectorError) -> Row? {
            guard let row = try rows.current() else { return nil }
            if let last, row.order(to: last.row) > 0 { return nil }
            return row
        }
        while true {
            let left = try current(sourceRows), right = try current(sinkRows)
            guard left != nil || right != nil else { break }
            let order = left.map { left in right.map { left.order(to: $0) } ?? -1 } ?? 1
            if order < 0, let left {
                note(TableDifference(.missing, key: left.key), in: &result)
            } else if order > 0, let right {
                note(TableDifference(.extra, key: right.key), in: &result)
            } else if let left, let right {
                let columns = differing(left, right)
                if !columns.isEmpty {
                    note(TableDifference(.different, key: left.key, columns: columns), in: &result)
                }
            }
            if order <= 0 { sourceRows.advance() }
            if order >= 0 { sinkRows.advance() }
        }
        result.sourceRows = sourceRows.count
        result.sinkRows = sinkRows.count
        return result
    }

    /// The differences that are still there, read anew by their keys.
    public func recheck(
        _ differences: [TableDifference]
    ) throws(ConnectorError) -> [TableDifference] {
        let left = RecordBatch(), right = RecordBatch()
        var remaining: [TableDifference] = []
        for difference in differences {
            try read(difference.key, of: source, into: left)
            try read(difference.key, of: sink, into: right)
            switch (left.count, right.count) {
            case (0, 0): break
            case (_, 0): remaining.append(TableDifference(.missing, key: difference.key))
            case (0, _): remaining.append(TableDifference(.extra, key: difference.key))
            default:
                let columns = differing(Row(left, 0, []), Row(right, 0, []))
                if !columns.isEmpty {
                    remaining.append(
                        TableDifference(.different, key: difference.key, columns: columns)
                    )
                }
            }
        }
        return remaining
    }

    /// Makes the sink's rows with these keys what the source's are now, a few hundred in each
    /// transaction; returns how many keys were repaired.
    ///
    /// While changes are still on their way to the sink, a repaired row may go through its older
    /// states once more; it ends where the source is, since the changes end there.
    public func repair(_ differences: [TableDifference]) throws(ConnectorError) -> Int {
        var repaired = 0
        let batch = RecordBatch(), row = RecordBatch()
        let schema = Schema(
            zip(sourceKey + shared.map(\.source), sinkKey + shared.map(\.sink)).map(\.1)
        )
        for start in stride(from: 0, to: differences.count, by: 500) {
            let part = differences[start..<min(start + 500, differences.count)]
            batch.reset(topic: sink.name, schema: schema)
            var extra: [[Value]] = []
            for difference in part {
                try read(difference.key, of: source, into: row)
                if row.count == 0 {
                    extra.append(difference.key)
                } else {
                    copy(row, to: batch)
                }
            }
            try sink.apply(batch, deleting: extra)
            repaired += part.count
        }
        return repaired
    }

    private func copy(_ row: RecordBatch, to batch: RecordBatch) {
        let target = batch.appendRow()
        for (column, name) in (sourceKey + shared.map(\.source)).enumerated() {
            guard let found = row.schema.index(of: name) else { continue }
            var cell = row[0, found]
            if cell.isSlice { cell = .slice(cell.tag, batch.arena.copy(cell.slice)) }
            batch[target, column] = cell
        }
    }

    private func read(
        _ key: [Value],
        of table: any ComparableTable,
        into batch: RecordBatch
    ) throws(ConnectorError) {
        batch.reset(topic: table.name)
        try table.read(key: key, into: batch)
        if let rejected = batch.takeRejections().first { throw rejected.error }
    }

    private func differing(_ left: Row, _ right: Row) -> [String] {
        var names: [String] = []
        let columns = sharedColumns(left.batch.schema, right.batch.schema)
        for (index, (first, second)) in columns.enumerated() {
            let one = first.map { left.batch[left.index, $0] } ?? .missing
            let other = second.map { right.batch[right.index, $0] } ?? .missing
            if !CellComparison.areEqual(one, other) { names.append(shared[index].source) }
        }
        return names
    }

    /// Where the columns that both have are, found once for each pair of schemas.
    private func sharedColumns(_ source: Schema, _ sink: Schema) -> [(Int?, Int?)] {
        if let found, found.source === source, found.sink === sink { return found.columns }
        let columns = shared.map { (source.index(of: $0.source), sink.index(of: $0.sink)) }
        found = (source, sink, columns)
        return columns
    }

    private func note(_ difference: TableDifference, in result: inout TableComparison) {
        result.counts[difference.kind, default: 0] += 1
        if result.differences.count < Self.differenceLimit {
            result.differences.append(difference)
        }
    }
}

/// A key that a user gave, as a row to compare with.
private final class KeyRow {
    private let batch = RecordBatch()
    private let count: Int

    init(_ key: [Value], of columns: [String]) {
        count = min(key.count, columns.count)
        batch.reset(topic: "", schema: Schema(columns))
        batch.appendRow()
        for (name, value) in zip(columns, key) { batch.set(0, name, value) }
    }

    /// Only as many columns as were given: the others do not matter.
    var row: Row { Row(batch, 0, Array(0..<count)) }
}
