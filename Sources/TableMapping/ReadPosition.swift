public import ConnectorSDK

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
        var parts = ["\"mode\":\(PositionText.quote(mode))"]
        if isDone {
            parts.append("\"done\":true")
        } else if order.isEmpty {
            parts.append("\"rows\":\(rows)")
            parts.append("\"hash\":\"\(String(hash, radix: 16))\"")
        } else {
            let names = order.map(PositionText.quote).joined(separator: ",")
            parts.append("\"by\":[\(names)]")
            parts.append("\"after\":[\(after.map(\.json).joined(separator: ","))]")
        }
        return "{\(parts.joined(separator: ","))}"
    }

    /// Reads ``json``; `nil` when the text is something else.
    public init?(_ text: String) {
        guard case .object(let members)? = PositionText.read(text) else { return nil }
        guard case .string(let mode)? = members["mode"] else { return nil }
        self.init(mode: mode, order: [])
        if case .boolean(let value)? = members["done"] { isDone = value }
        if case .integer(let value)? = members["rows"] { rows = value }
        if case .string(let digits)? = members["hash"] {
            guard let value = UInt64(digits, radix: 16) else { return nil }
            hash = value
        }
        if case .array(let names)? = members["by"] {
            for case .string(let name) in names { order.append(name) }
            guard order.count == names.count else { return nil }
        }
        if case .array(let values)? = members["after"] {
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
