public import ConnectorSDK

/// A column of a captured table, as the connector decodes it.
public struct CapturedColumn: Hashable, Sendable {
    /// The column's name.
    public var name: String
    /// The type of the cells that the connector gives.
    public var type: FieldType
    /// The database's own name of the type, see ``Field/nativeType``.
    public var nativeType: String?
    /// Whether the column may be null.
    public var isOptional: Bool
    /// The decimal places of seconds that a time column keeps, for `time.precision.mode`.
    public var secondsPrecision: Int

    /// Describes a column.
    public init(
        _ name: String,
        _ type: FieldType,
        nativeType: String? = nil,
        isOptional: Bool = true,
        secondsPrecision: Int = 6
    ) {
        self.name = name
        self.type = type
        self.nativeType = nativeType
        self.isOptional = isOptional
        self.secondsPrecision = secondsPrecision
    }
}

/// What is done to the values of a column before they are written, and what they are afterwards.
internal struct ColumnPlan {
    enum Conversion {
        case none
        case decimalDouble, decimalString
        /// A date, or a time in units of so many nanoseconds.
        case date
        case time(nanoseconds: Int64)
        case binary(BinaryMode)
        case mask(ColumnMask.Method)
    }

    /// The column among those that the connector gives.
    let index: Int
    let conversion: Conversion
    let field: Field

    var isPlain: Bool {
        if case .none = conversion { return true }
        return false
    }

    init(_ column: CapturedColumn, at index: Int, of table: String, _ settings: CaptureSettings) {
        self.index = index
        var field = Field(
            column.name,
            column.type,
            isOptional: column.isOptional,
            nativeType: column.nativeType
        )
        if let mask = settings.mask(column: column.name, of: table) {
            conversion = .mask(mask.method)
            field.type = .string
        } else {
            (conversion, field.type) = Self.conversion(of: column, settings)
        }
        // Who declares a column by the source's type must find values of that type.
        if field.type != column.type { field.nativeType = nil }
        self.field = field
    }

    private static func conversion(
        of column: CapturedColumn,
        _ settings: CaptureSettings
    ) -> (Conversion, FieldType) {
        switch column.type {
        case .decimal:
            switch settings.decimalMode {
            case .precise: return (.none, column.type)
            case .double: return (.decimalDouble, .double)
            case .string: return (.decimalString, .string)
            }
        case .bytes where settings.binaryMode != .bytes:
            return (.binary(settings.binaryMode), .string)
        case .date, .time, .localTimestamp:
            guard settings.timeMode != .isostring else { return (.none, column.type) }
            if column.type == .date { return (.date, .int32) }
            let unit = unit(of: column, settings.timeMode)
            return (.time(nanoseconds: unit), .int64)
        default: return (.none, column.type)
        }
    }

    /// Nanoseconds of the unit that times of a column are written in.
    private static func unit(of column: CapturedColumn, _ mode: TimeMode) -> Int64 {
        switch mode {
        case .connect: 1_000_000
        case .adaptive: column.secondsPrecision <= 3 ? 1_000_000 : 1_000
        case .adaptiveTimeMicroseconds:
            column.type != .time && column.secondsPrecision <= 3 ? 1_000_000 : 1_000
        case .isostring, .microseconds: 1_000
        case .nanoseconds: 1
        }
    }
}
