internal import ConnectorSDK

/// How a field stands in Connect's JSON envelope: a schema type, and a logical name or none.
///
/// Beside Connect's own logical types these are Debezium's, which say what Connect's cannot:
/// microseconds, zones, UUIDs and JSON.
internal enum ConnectKind: Hashable {
    case bool, int16, int32, int64, float, double, string, bytes
    /// Base64 of the unscaled value, two's complement, big-endian.
    case decimal(scale: Int)
    /// Days.
    case date
    /// Since midnight.
    case timeMillis, timeMicros
    /// Since the epoch, UTC.
    case timestampMillis
    /// ISO 8601 with a zone.
    case zonedTimestamp
    /// Since 1970-01-01T00:00:00 of an unnamed zone.
    case localMillis, localMicros
    /// Text.
    case uuid
    /// Text that is a JSON value.
    case json
    /// A struct, array or map, as JSON; read only.
    case nested

    private static let connect = "org.apache.kafka.connect.data."
    private static let debezium = "io.debezium."

    /// The schema type, and the logical name if any.
    var schema: (type: String, name: String?) {
        switch self {
        case .bool: ("boolean", nil)
        case .int16: ("int16", nil)
        case .int32: ("int32", nil)
        case .int64: ("int64", nil)
        case .float: ("float", nil)
        case .double: ("double", nil)
        case .string, .nested: ("string", nil)
        case .bytes: ("bytes", nil)
        case .decimal: ("bytes", Self.connect + "Decimal")
        case .date: ("int32", Self.connect + "Date")
        case .timeMillis: ("int32", Self.connect + "Time")
        case .timeMicros: ("int64", Self.debezium + "time.MicroTime")
        case .timestampMillis: ("int64", Self.connect + "Timestamp")
        case .zonedTimestamp: ("string", Self.debezium + "time.ZonedTimestamp")
        case .localMillis: ("int64", Self.debezium + "time.Timestamp")
        case .localMicros: ("int64", Self.debezium + "time.MicroTimestamp")
        case .uuid: ("string", Self.debezium + "data.Uuid")
        case .json: ("string", Self.debezium + "data.Json")
        }
    }

    /// The kind of a schema; `nil` when the type is unknown or a decimal's scale is missing.
    ///
    /// A logical name that is not known is ignored, as Connect does.
    init?(type: String, name: String?, scale: Int?) {
        let known: [ConnectKind] = [
            .date, .timeMillis, .timeMicros, .timestampMillis, .zonedTimestamp, .localMillis,
            .localMicros, .uuid, .json,
        ]
        if let name {
            if name == Self.connect + "Decimal", type == "bytes" {
                guard let scale else { return nil }
                self = .decimal(scale: scale)
                return
            }
            let named = known.first { $0.schema.name == name && $0.schema.type == type }
            if let named {
                self = named
                return
            }
            if name == Self.debezium + "time.Date", type == "int32" {
                self = .date
                return
            }
            if name == Self.debezium + "time.Time", type == "int32" {
                self = .timeMillis
                return
            }
        }
        switch type {
        case "boolean": self = .bool
        case "int8", "int16": self = .int16
        case "int32": self = .int32
        case "int64": self = .int64
        case "float", "float32": self = .float
        case "double", "float64": self = .double
        case "string": self = .string
        case "bytes": self = .bytes
        case "struct", "array", "map": self = .nested
        default: return nil
        }
    }

    /// The type of the column that such a field becomes.
    var fieldType: FieldType {
        switch self {
        case .bool: .bool
        case .int16: .int16
        case .int32: .int32
        case .int64: .int64
        case .float: .float
        case .double: .double
        case .string: .string
        case .bytes: .bytes
        case .decimal(let scale): .decimal(precision: nil, scale: scale)
        case .date: .date
        case .timeMillis, .timeMicros: .time
        case .timestampMillis, .zonedTimestamp: .timestamp
        case .localMillis, .localMicros: .localTimestamp
        case .uuid: .uuid
        case .json, .nested: .json
        }
    }

    /// The kind of a column of which no value has been seen.
    init(_ type: FieldType) {
        switch type {
        case .bool: self = .bool
        case .int16: self = .int16
        case .int32: self = .int32
        case .int64: self = .int64
        case .float: self = .float
        case .double: self = .double
        case .decimal(_, let scale): self = .decimal(scale: scale ?? 0)
        case .bytes: self = .bytes
        case .json, .object: self = .json
        case .date: self = .date
        case .time: self = .timeMillis
        case .timestamp: self = .timestampMillis
        case .localTimestamp: self = .localMicros
        case .uuid: self = .uuid
        case .any, .string: self = .string
        }
    }

    /// The kind that holds `cell` exactly, and if possible is the one the column had before.
    ///
    /// `nil` when there is none.
    static func holding(
        _ cell: Cell,
        type: FieldType,
        after last: ConnectKind?
    ) -> ConnectKind? {
        switch cell.tag {
        case .missing, .null: return last ?? ConnectKind(type)
        case .bool: return .bool
        case .int: return integer(cell.int64, type: type, after: last)
        case .double: return type == .float ? .float : .double
        case .decimal: return .decimal(scale: max(Int(cell.scale), scale(of: type, last)))
        case .number:
            guard let number = ConnectDecimal(text: cell.slice) else { return nil }
            if number.isNegativeZero { return .double }
            return .decimal(scale: max(number.scale, scale(of: type, last)))
        case .string: return type == .uuid ? .uuid : .string
        case .bytes: return .bytes
        case .json: return .json
        case .date: return .date
        case .time:
            return last == .timeMicros || cell.int64 % 1_000 != 0 ? .timeMicros : .timeMillis
        case .timestamp:
            let isPlain = cell.length == 0 && cell.int64 % 1_000 == 0
            return last == .zonedTimestamp || !isPlain ? .zonedTimestamp : .timestampMillis
        case .localTimestamp: return .localMicros
        }
    }

    private static func integer(
        _ value: Int64,
        type: FieldType,
        after last: ConnectKind?
    ) -> ConnectKind {
        switch type {
        case .int16 where Int16(exactly: value) != nil: return .int16
        case .int32 where Int32(exactly: value) != nil: return .int32
        case .decimal: return .decimal(scale: scale(of: type, last))
        default:
            if case .decimal = last { return last ?? .int64 }
            return .int64
        }
    }

    /// The scale that a column has so far.
    ///
    /// Scales only grow, so that schemas do not alternate.
    private static func scale(of type: FieldType, _ last: ConnectKind?) -> Int {
        if case .decimal(let scale) = last { return scale }
        if case .decimal(_, let scale) = type { return scale ?? 0 }
        return 0
    }
}
