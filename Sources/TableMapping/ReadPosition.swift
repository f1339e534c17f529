public import ConnectorSDK
internal import JSONDocuments

/// How far a table, view or query was read.
public struct ReadPosition: Sendable {
    /// The mode in which it was read.
    public var mode: String
    /// What the rows were ordered by; empty when nothing orders them.
    public var order: [String]
    /// The values of ``order`` in the last row that was read; empty before the first.
    public var after: [OrderValue] = []
    /// Whether a `bulk` was read to its end.
    public var isDone = false
    /// Without an order: the rows read so far.
    public var rows: Int64 = 0
    /// Without an order: a hash of these rows, to see whether they are still the same.
    public var hash: UInt64 = RowHash.start

    /// Makes the position before the first row.
    public init(mode: String, order: [String]) {
        self.mode = mode
        self.order = order
    }

    /// The position as a JSON object.
    public var json: String {
        var object = JSONObjectText()
        object.add("mode", mode)
        if isDone {
            object.add("done", true)
        } else if order.isEmpty {
            object.add("rows", rows)
            object.add("hash", String(hash, radix: 16))
        } else {
            object.add("by", .array(order.map { .string($0) }))
            object.add("after", .array(after.map(\.document)))
        }
        return object.closed()
    }

    /// Reads ``json``; `nil` when the text is something else.
    public init?(_ text: String) {
        guard let document = JSONDocument(parsing: text), let mode = document["mode"]?.string else {
            return nil
        }
        self.init(mode: mode, order: [])
        isDone = document["done"]?.bool ?? false
        rows = document["rows"]?.int ?? 0
        if let digits = document["hash"]?.string {
            guard let value = UInt64(digits, radix: 16) else { return nil }
            hash = value
        }
        if let names = document["by"]?.array {
            order = names.compactMap(\.string)
            guard order.count == names.count else { return nil }
        }
        if let values = document["after"]?.array {
            after = values.compactMap(OrderValue.init)
            guard after.count == values.count else { return nil }
        }
    }

    /// Whether reading in the mode and order of `other` may go on at this position.
    public func isUsable(for other: ReadPosition) -> Bool {
        mode == other.mode && (isDone || order == other.order)
            && after.count == (after.isEmpty ? 0 : order.count)
    }
}

/// A hash of rows, to recognise them after a restart.
public enum RowHash {
    /// The hash of no rows.
    public static let start: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Adds the rows of a batch.
    public static func add(_ batch: RecordBatch, to hash: UInt64) -> UInt64 {
        var hash = hash
        for row in batch.indices {
            for column in 0..<batch.schema.count {
                let cell = batch[row, column]
                hash = mix(hash, UInt64(cell.tag.rawValue) << 32 | UInt64(cell.length))
                if cell.isSlice {
                    for byte in cell.slice { hash = mix(hash, UInt64(byte)) }
                } else {
                    hash = mix(hash, cell.bits)
                }
            }
        }
        return hash
    }

    private static func mix(_ hash: UInt64, _ value: UInt64) -> UInt64 {
        let product = (hash ^ value) &* 0x0000_0100_0000_01b3
        return product ^ (product >> 29)
    }
}
