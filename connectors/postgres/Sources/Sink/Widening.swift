internal import ConnectorSDK
internal import PostgresRecords

/// Wider types for columns in which values do not fit; every value that is there stays what it is.
internal enum Widening {
    /// The type that a column needs for a value; `nil` when there is none that is only wider.
    internal static func declaration(
        for type: ColumnType,
        holding cell: Cell,
        _ problem: EncodingProblem
    ) -> String? {
        // A domain is there for its constraints.
        guard problem == .inexact || problem == .outOfRange,
            ColumnType(builtIn: type.oid, modifier: type.modifier) != nil
        else { return nil }
        switch type.kind {
        case .int2, .int4, .int8:
            guard cell.tag == .int else { return "numeric" }
            return Int32(exactly: cell.int64) != nil ? "integer" : "bigint"
        case .float4:
            guard cell.tag == .double || isShort(cell) else { return "numeric" }
            return "double precision"
        case .float8, .numeric: return "numeric"
        case .text: return "text"
        case .time where type.modifier >= 0: return "time"
        case .timestamp where type.modifier >= 0: return "timestamp"
        case .timestamptz where type.modifier >= 0: return "timestamptz"
        default: return nil
        }
    }

    /// Whether a double certainly gives the number back.
    private static func isShort(_ cell: Cell) -> Bool {
        (cell.tag == .int || cell.tag == .decimal) && cell.int64.magnitude < 1_000_000_000_000_000
    }

    /// How long the values of a column may be.
    internal enum Limit {
        case characters(Int)
        /// Digits before the point.
        case digits(Int)

        /// The limit of a type; `nil` when it has none.
        internal init?(_ type: ColumnType) {
            guard ColumnType(builtIn: type.oid, modifier: type.modifier) != nil else { return nil }
            if type.kind == .text, type.modifier >= 4 {
                self = .characters(Int(type.modifier) - 4)
            } else if case .decimal(let precision?, let scale?) = type.fieldType,
                type.kind == .numeric
            {
                self = .digits(precision - scale)
            } else {
                return nil
            }
        }

        internal func isExceeded(by cell: Cell) -> Bool {
            switch self {
            case .characters(let limit):
                guard cell.isSlice, Int(cell.length) > limit else { return false }
                // Each character of UTF-8 has one byte that continues none.
                return cell.slice.reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 } > limit
            case .digits(let limit):
                guard let magnitude = Widening.magnitude(cell) else { return false }
                var power = 1.0
                for _ in 0..<min(limit, 308) { power *= 10 }
                return magnitude >= power
            }
        }
    }

    private static func magnitude(_ cell: Cell) -> Double? {
        switch cell.tag {
        case .int: return Double(cell.int64.magnitude)
        case .double: return Double(bitPattern: cell.bits).magnitude
        case .number: return NumberText.nearest(cell.slice).magnitude
        case .decimal:
            var power = 1.0
            for _ in 0..<cell.scale { power *= 10 }
            return Double(cell.int64.magnitude) / power
        default: return nil
        }
    }
}
