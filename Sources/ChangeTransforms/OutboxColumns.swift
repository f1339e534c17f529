internal import ConnectorSDK
internal import RecordFields

/// Which columns of an outbox table mean what.
internal struct OutboxColumns {
    enum Place: String {
        case header, envelope, partition
    }

    struct Additional {
        let column: String
        let place: Place
        let name: String
    }

    let route: String
    let id: String
    let key: String
    let payload: String
    let timestamp: String?
    let additional: [Additional]
    /// Whether additional columns must be there.
    let mustExist: Bool
    /// Whether the payload's fields become the value's.
    let expands: Bool
    /// Whether an empty payload becomes a tombstone.
    let buries: Bool

    var envelope: [Additional] { additional.filter { $0.place == .envelope } }

    /// Reads `column:place` and `column:place:name`.
    static func placements(
        _ texts: [String],
        at key: String
    ) throws(ConnectorError) -> [Additional] {
        var result: [Additional] = []
        for text in texts {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard (2...3).contains(parts.count), !parts.contains(""),
                let place = Place(rawValue: String(parts[1]))
            else { throw .invalid(key, "`\(text)` is not such as `type:header:eventType`.") }
            result.append(
                Additional(
                    column: String(parts[0]),
                    place: place,
                    name: String(parts[parts.count - 1 == 1 ? 0 : 2])
                )
            )
        }
        return result
    }
}

/// Where the parts of changes of one schema are.
internal final class OutboxPlan {
    private let operationColumn: Int
    let after: Int
    let rows: NestedRows

    /// `nil` when records of the schema are no changes.
    init?(_ schema: Schema) {
        guard let operation = schema.index(of: "op"), let after = schema.index(of: "after") else {
            return nil
        }
        operationColumn = operation
        self.after = after
        rows = NestedRows(schema.fields[after].type)
    }

    /// The operation's letter; 0 for what has none, such as a tombstone.
    func operation(_ batch: RecordBatch, _ row: Int) -> UInt8 {
        if batch.metadata(row).pointee.isTombstone { return 0 }
        let cell = batch[row, operationColumn]
        return cell.tag == .string && cell.length == 1 ? cell.slice.first ?? 0 : 0
    }
}
