internal import ConnectorSDK
internal import SQLiteClient

/// How far a table, view or query was read.
internal struct ReadPosition {
    /// The mode in which it was read.
    internal var mode: String
    /// What the rows were ordered by; empty when nothing orders them.
    internal var order: [String]
    /// The values of ``order`` in the last row that was read; empty before the first.
    internal var after: [KeyValue] = []
    /// Whether a `bulk` was read to its end.
    internal var isDone = false
    /// Without an order: the rows read so far.
    internal var rows: Int64 = 0
    /// Without an order: a hash of these rows, to see whether they are still the same.
    internal var hash: UInt64 = RowHash.start

    internal init(mode: String, order: [String]) {
        self.mode = mode
        self.order = order
    }

    /// The position as a JSON object.
    internal var json: String {
        var parts = ["\"mode\":\(KeyValue.quote(mode))"]
        if isDone {
            parts.append("\"done\":true")
        } else if order.isEmpty {
            parts.append("\"rows\":\(rows)")
            parts.append("\"hash\":\"\(String(hash, radix: 16))\"")
        } else {
            let names = order.map(KeyValue.quote).joined(separator: ",")
            parts.append("\"by\":[\(names)]")
            parts.append("\"after\":[\(after.map(\.json).joined(separator: ","))]")
        }
        return "{\(parts.joined(separator: ","))}"
    }

    /// Reads ``json``; `nil` when the text is something else.
    internal init?(
        _ text: String,
        with database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) {
        let fields = try database.prepare(
            "SELECT json_extract(t, '$.mode'), json_extract(t, '$.done'), "
                + "json_extract(t, '$.rows'), json_extract(t, '$.hash') "
                + "FROM (SELECT CASE WHEN json_valid(?1) THEN ?1 END AS t)"
        )
        try fields.bind(1, text)
        guard try fields.step(), let mode = fields.optionalString(0) else { return nil }
        self.mode = mode
        order = []
        isDone = fields.int64(1) != 0
        rows = fields.int64(2)
        if let digits = fields.optionalString(3) {
            guard let hash = UInt64(digits, radix: 16) else { return nil }
            self.hash = hash
        }
        let names = try database.prepare("SELECT value FROM json_each(?1, '$.by')")
        try names.bind(1, text)
        while try names.step() { order.append(names.string(0)) }
        guard let after = try Self.values(text, database) else { return nil }
        self.after = after
    }

    private static func values(
        _ text: String,
        _ database: borrowing SQLiteHandle
    ) throws(SQLiteFailure) -> [KeyValue]? {
        let values = try database.prepare(
            "SELECT e.type, e.value, "
                + "CASE e.type WHEN 'object' THEN (SELECT key FROM json_each(e.value)) END, "
                + "CASE e.type WHEN 'object' THEN (SELECT value FROM json_each(e.value)) END "
                + "FROM json_each(?1, '$.after') AS e"
        )
        try values.bind(1, text)
        var result: [KeyValue] = []
        while try values.step() {
            switch values.string(0) {
            case "integer": result.append(.integer(values.int64(1)))
            case "text": result.append(.text(Chunk(copying: values.text(1))))
            case "object":
                guard let value = KeyValue(form: values.string(2), values.string(3)) else {
                    return nil
                }
                result.append(value)
            default: return nil
            }
        }
        return result
    }
}

/// A hash of rows, to recognise them after a restart.
internal enum RowHash {
    internal static let start: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Adds the rows of a batch.
    internal static func add(_ batch: RecordBatch, to hash: UInt64) -> UInt64 {
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
