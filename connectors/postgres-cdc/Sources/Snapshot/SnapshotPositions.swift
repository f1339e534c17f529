internal import ConnectorSDK
internal import JSONDocuments
internal import LogicalReplication

/// The progress of snapshots as positions: one part for each table, `public.orders`, and one for
/// each of its ranges, `public.orders#3`.
internal enum SnapshotPositions {
    /// What is stored of every table.
    internal static func read(_ positions: [String: String]) -> [String: TableProgress] {
        var tables: [String: TableProgress] = [:]
        for (part, text) in positions {
            guard let tree = JSONDocument(parsing: text), let progress = progress(tree) else {
                continue
            }
            tables[part] = progress
        }
        for (part, text) in positions {
            guard let mark = part.lastIndex(of: "#"), let tree = JSONDocument(parsing: text),
                let number = Int(part[part.index(after: mark)...]),
                let range = range(number, tree), let run = tree["run"]?.uint64
            else { continue }
            let table = String(part[..<mark])
            guard tables[table]?.run == Int(clamping: run) else { continue }
            tables[table]?.ranges[number] = range
        }
        return tables
    }

    private static func progress(_ tree: JSONDocument) -> TableProgress? {
        guard let state = tree["snapshot"]?.string.flatMap({ TableProgress.State(rawValue: $0) }),
            let run = tree["run"]?.uint64
        else { return nil }
        var progress = TableProgress(state, run: Int(clamping: run))
        progress.isNew = tree["new"]?.bool ?? false
        progress.filter = tree["filter"]?.string
        progress.exclusion = tree["sees"]?.string.flatMap { TransactionView($0) }
        progress.exclusionEnd = tree["until"]?.string.flatMap { LSN($0) }
        return progress
    }

    private static func range(_ number: Int, _ tree: JSONDocument) -> SnapshotRange? {
        var range = SnapshotRange(number: number)
        range.from = tree["from"]?.strings
        range.to = tree["to"]?.strings
        range.after = tree["after"]?.strings
        range.isDone = tree["done"]?.bool ?? false
        return range
    }

    /// The position of a table.
    internal static func position(_ table: String, _ progress: TableProgress) -> SourcePosition {
        var text = "{\"snapshot\":\"\(progress.state.rawValue)\",\"run\":\(progress.run)"
        if progress.isNew { text += ",\"new\":true" }
        if let filter = progress.filter { text += ",\"filter\":\(JSONDocument.quote(filter))" }
        if let exclusion = progress.exclusion, let end = progress.exclusionEnd {
            text += ",\"sees\":\"\(exclusion.text)\",\"until\":\"\(end)\""
        }
        return SourcePosition(partition: table, offset: text + "}")
    }

    /// The position of one of its ranges.
    internal static func position(
        _ table: String,
        _ range: SnapshotRange,
        run: Int
    ) -> SourcePosition {
        var text = "{\"run\":\(run)"
        if let from = range.from { text += ",\"from\":\(JSONDocument.quote(from))" }
        if let to = range.to { text += ",\"to\":\(JSONDocument.quote(to))" }
        if range.isDone {
            text += ",\"done\":true"
        } else if let after = range.after {
            text += ",\"after\":\(JSONDocument.quote(after))"
        }
        return SourcePosition(partition: "\(table)#\(range.number)", offset: text + "}")
    }
}
