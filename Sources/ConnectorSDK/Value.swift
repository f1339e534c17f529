/// A value as connector and transform authors write it, where convenience beats nanoseconds.
public enum Value: Hashable, Sendable {
    /// The field is absent.
    case missing
    /// An explicit null.
    case null
    /// True or false.
    case bool(Bool)
    /// An integer.
    case int(Int64)
    /// A floating-point number.
    case double(Double)
    /// An exact number in JSON's number grammar, such as `12.50`.
    case decimal(String)
    /// Text.
    case string(String)
    /// Bytes.
    case bytes([UInt8])
    /// An object or array as JSON text.
    case json(String)
    /// Days since 1970-01-01.
    case date(Int64)
    /// Microseconds since midnight.
    case time(Int64)
    /// Microseconds since the epoch, UTC.
    case timestamp(Int64)
    /// Microseconds since 1970-01-01T00:00:00 of an unnamed zone.
    case localTimestamp(Int64)
}

extension RecordBatch {
    /// The value of a named field; ``Value/missing`` when the schema has no such field.
    public func value(_ row: Int, _ field: String) -> Value {
        guard let column = schema.index(of: field) else { return .missing }
        return Value(self[row, column])
    }

    /// Sets the value of a named field, adding the field to the schema when it is new.
    public func set(_ row: Int, _ field: String, _ value: Value) {
        let column: Int
        if let known = schema.index(of: field) {
            column = known
        } else {
            column = schema.count
            widen(to: schema.with(schema.fields + [Field(field)]))
        }
        self[row, column] = makeCell(value)
    }

    /// Appends a record with these fields.
    public func append(_ fields: KeyValuePairs<String, Value>) {
        if schema.isOpaque, count == 0 {
            setColumns(schema: Schema(fields.map { $0.key }), keySchema: keySchema)
        }
        let row = appendRow()
        for (name, value) in fields { set(row, name, value) }
    }

    /// Makes a cell of `value`, copying what does not fit inline into the arena.
    public func makeCell(_ value: Value) -> Cell {
        switch value {
        case .missing: .missing
        case .null: .null
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .double(let value): .double(value)
        case .decimal(let text): makeSlice(.number, text)
        case .string(let text): makeSlice(.string, text)
        case .json(let text): makeSlice(.json, text)
        case .bytes(let bytes): bytes.withUnsafeBytes { .slice(.bytes, arena.copy($0)) }
        case .date(let days): Cell(tag: .date, bits: UInt64(bitPattern: days))
        case .time(let micros): Cell(tag: .time, bits: UInt64(bitPattern: micros))
        case .timestamp(let micros): .timestamp(microseconds: micros)
        case .localTimestamp(let micros):
            Cell(tag: .localTimestamp, bits: UInt64(bitPattern: micros))
        }
    }

    private func makeSlice(_ tag: Cell.Tag, _ text: String) -> Cell {
        var text = text
        return text.withUTF8 { .slice(tag, arena.copy(UnsafeRawBufferPointer($0))) }
    }
}

extension Value {
    /// Copies the value out of a cell.
    public init(_ cell: Cell) {
        switch cell.tag {
        case .missing: self = .missing
        case .null: self = .null
        case .bool: self = .bool(cell.bits != 0)
        case .int: self = .int(cell.int64)
        case .double: self = .double(Double(bitPattern: cell.bits))
        case .decimal: self = .decimal(Self.decimalText(cell.int64, scale: Int(cell.scale)))
        case .number: self = .decimal(String(decoding: cell.slice, as: UTF8.self))
        case .string: self = .string(String(decoding: cell.slice, as: UTF8.self))
        case .bytes: self = .bytes(Array(cell.slice))
        case .json: self = .json(String(decoding: cell.slice, as: UTF8.self))
        case .date: self = .date(cell.int64)
        case .time: self = .time(cell.int64)
        case .timestamp: self = .timestamp(cell.int64)
        case .localTimestamp: self = .localTimestamp(cell.int64)
        }
    }

    private static func decimalText(_ mantissa: Int64, scale: Int) -> String {
        guard scale > 0 else { return String(mantissa) }
        let digits = String(mantissa.magnitude)
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        return (mantissa < 0 ? "-" : "") + padded.dropLast(scale) + "." + padded.suffix(scale)
    }
}
