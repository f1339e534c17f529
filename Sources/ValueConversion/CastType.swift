package import ConnectorSDK

/// The types that `Cast` knows, by Kafka Connect's names and a few more.
package enum CastType: String, CaseIterable {
    case int8, int16, int32, int64, float32, float64, boolean, string
    case decimal, date, time, timestamp, bytes

    /// The type that the field then declares.
    package var fieldType: FieldType {
        switch self {
        case .int8, .int16: .int16
        case .int32: .int32
        case .int64: .int64
        case .float32: .float
        case .float64: .double
        case .boolean: .bool
        case .string: .string
        case .decimal: .decimal(precision: nil, scale: nil)
        case .date: .date
        case .time: .time
        case .timestamp: .timestamp
        case .bytes: .bytes
        }
    }

    /// The tag that needs no cast.
    package var tag: Cell.Tag {
        switch self {
        case .int8, .int16, .int32, .int64: .int
        case .float32, .float64: .double
        case .boolean: .bool
        case .string: .string
        case .decimal: .decimal
        case .date: .date
        case .time: .time
        case .timestamp: .timestamp
        case .bytes: .bytes
        }
    }

    /// The integers that fit.
    package var range: ClosedRange<Int64> {
        switch self {
        case .int8: Int64(Int8.min)...Int64(Int8.max)
        case .int16: Int64(Int16.min)...Int64(Int16.max)
        case .int32: Int64(Int32.min)...Int64(Int32.max)
        default: .min ... .max
        }
    }

    /// Whether every cell of ``tag`` is of the type.
    package var isWholeTag: Bool {
        switch self {
        case .int8, .int16, .int32, .float32, .float64: false
        default: true
        }
    }
}
