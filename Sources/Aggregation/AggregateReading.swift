internal import ConnectorSDK
internal import RecordFields

/// What an ``Aggregate`` looks at in each record; names are resolved once per schema.
internal struct AggregateReading {
    private let settings: AggregateSettings
    private var schema: Schema?
    private var keySchema: Schema?
    private var groupColumns: [Int] = []
    private var columns: [Int] = []
    private var timeColumn = -1
    private var keyFits = true
    /// Why records of this schema are refused: their types are declared, without a field.
    private var undeclared: ConnectorError?
    /// The fields of values that no record has had so far, with the keys that name them.
    internal private(set) var unseen: [(name: String, key: String)]
    /// Functions whose values may be refused.
    private var checked: [Int] = []
    private var bytes: [UInt8] = []

    internal init(_ settings: AggregateSettings) {
        self.settings = settings
        unseen = settings.fields
        bytes.reserveCapacity(1_024)
    }

    internal mutating func resolve(_ batch: RecordBatch) throws(ConnectorError) {
        guard schema !== batch.schema || keySchema !== batch.keySchema || schema == nil else {
            return
        }
        let schema = batch.schema
        guard !schema.isOpaque || needsNothing else {
            throw .invalid(
                "type",
                "The records are opaque values without fields.",
                hint: "Choose a format or converter that has fields, or take them apart first."
            )
        }
        self.schema = schema
        keySchema = batch.keySchema
        columns = settings.functions.map { $0.field.flatMap { schema.index(of: $0) } ?? -1 }
        checked = settings.functions.indices.filter {
            columns[$0] >= 0 && settings.functions[$0].kind != .count
        }
        unseen.removeAll { schema.index(of: $0.name) != nil }
        undeclared =
            schema.declaresTypes
            ? settings.fields.first { schema.index(of: $0.name) == nil }
                .map { Self.undeclared($0.name, $0.key, in: schema) } : nil
        timeColumn = settings.timeField.flatMap { schema.index(of: $0) } ?? -1
        let names = settings.groupsByKey ? batch.keySchema : schema
        groupColumns = settings.group.map { names?.index(of: $0) ?? -1 }
        keyFits =
            !settings.groupsByKey || Set(batch.keySchema?.names ?? []) == Set(settings.group)
    }

    private var needsNothing: Bool {
        settings.timeField == nil && (settings.group.isEmpty || settings.groupsByKey)
            && settings.functions.allSatisfy { $0.field == nil }
    }

    /// The value that a function takes.
    @inline(__always)
    internal func cell(_ function: Int, _ row: Int, of batch: RecordBatch) -> Cell {
        let column = columns[function]
        return column < 0 ? .missing : batch.row(row)[column]
    }

    /// Refuses a record before anything of it counts.
    @inline(__always)
    internal func check(_ row: Int, of batch: RecordBatch) throws(ConnectorError) {
        let cells = batch.row(row)
        for function in checked {
            let cell = cells[columns[function]]
            if cell.tag == .int || cell.tag == .decimal { continue }
            if let error = settings.functions[function].refusal(of: cell) { throw error }
        }
        guard keyFits else { throw Self.otherKey }
        if let undeclared { throw undeclared }
    }

    // MARK: Groups

    /// The bytes of the group encoded last, valid until the next.
    internal var group: UnsafeRawBufferPointer {
        bytes.withUnsafeBytes { UnsafeRawBufferPointer(start: $0.baseAddress, count: $0.count) }
    }

    @inline(__always)
    internal mutating func encodeGroup(_ row: Int, of batch: RecordBatch) {
        bytes.removeAll(keepingCapacity: true)
        let cells = settings.groupsByKey ? batch.keyRow(row) : batch.row(row)
        for column in groupColumns {
            var cell = column < 0 ? Cell.null : cells?[column] ?? .null
            if cell.tag == .missing { cell = .null }
            CellBytes.append(cell, to: &bytes)
        }
    }

    // MARK: Times

    /// When the record happened, in milliseconds.
    @inline(__always)
    internal func time(of row: Int, in batch: RecordBatch) throws(ConnectorError) -> Int64 {
        guard settings.timeField != nil else {
            let time = batch.metadata(row).pointee.timestamp
            guard time != RecordMetadata.noTimestamp else { throw Self.noTimestamp }
            return try Self.bounded(time)
        }
        return try Self.bounded(fieldTime(timeColumn < 0 ? .missing : batch.row(row)[timeColumn]))
    }

    private func fieldTime(_ cell: Cell) throws(ConnectorError) -> Int64 {
        switch cell.tag {
        case .int: return try scaled(cell.int64)
        case .timestamp, .localTimestamp: return Self.milliseconds(cell.int64)
        case .double:
            let value = factor * Double(bitPattern: cell.bits)
            guard let whole = Int64(exactly: value.rounded(.down)) else { throw noTime }
            return settings.timeUnit == .microseconds ? Self.milliseconds(whole) : whole
        case .decimal:
            var divisor: Int128 = settings.timeUnit == .microseconds ? 1_000 : 1
            for _ in 0..<cell.scale { divisor *= 10 }
            let value = Int128(cell.int64) * (settings.timeUnit == .seconds ? 1_000 : 1)
            let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
            guard let time = Int64(exactly: quotient - (rest < 0 ? 1 : 0)) else { throw noTime }
            return time
        case .string:
            guard let instant = TimeText.instant(cell.slice) else { throw noTime }
            return Self.milliseconds(instant.int64)
        default: throw noTime
        }
    }

    /// What a number is multiplied by to be milliseconds; microseconds are divided afterwards.
    private var factor: Double { settings.timeUnit == .seconds ? 1_000 : 1 }

    private func scaled(_ number: Int64) throws(ConnectorError) -> Int64 {
        switch settings.timeUnit {
        case .milliseconds: return number
        case .microseconds: return Self.milliseconds(number)
        case .seconds:
            let (product, overflow) = number.multipliedReportingOverflow(by: 1_000)
            guard !overflow else { throw noTime }
            return product
        }
    }

    private static func milliseconds(_ microseconds: Int64) -> Int64 {
        let rest = microseconds % 1_000
        return microseconds / 1_000 - (rest < 0 ? 1 : 0)
    }

    /// Years 1 to 9999, in milliseconds: what can be written as a time.
    private static let range: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

    @inline(__always)
    private static func bounded(_ time: Int64) throws(ConnectorError) -> Int64 {
        guard range.contains(time) else { throw outOfRange }
        return time
    }

    private static func undeclared(
        _ name: String,
        _ key: String,
        in schema: Schema
    ) -> ConnectorError {
        ConnectorError(
            .init("aggregate.no_field"),
            .rejectRecord,
            "The record's types are declared, and there is no field `\(name)` among them.",
            at: key,
            hint: Spelling.nearest(to: name, in: schema.names).map { "Did you mean `\($0)`?" }
        )
    }

    private static let outOfRange = ConnectorError(
        .init("aggregate.no_time"),
        .rejectRecord,
        "The record's time is not between the years 1 and 9999.",
        at: AggregateSettings.timeKey.declaration.name
    )
    private static let noTimestamp = ConnectorError(
        .init("aggregate.no_time"),
        .rejectRecord,
        "The record has no timestamp.",
        at: AggregateSettings.timeKey.declaration.name,
        hint: "Name the field that has the time with `timestamp.field`; records get a timestamp of "
            + "their own in a topic only."
    )
    private var noTime: ConnectorError {
        ConnectorError(
            .init("aggregate.no_time"),
            .rejectRecord,
            "The field `\(settings.timeField ?? "")` holds no time.",
            at: AggregateSettings.timeKey.declaration.name
        )
    }
    private static let otherKey = ConnectorError(
        .init("aggregate.other_key"),
        .rejectRecord,
        "The record's key does not have the fields that `group.by` names, and no others.",
        at: AggregateSettings.byKeyKey.declaration.name
    )
}
