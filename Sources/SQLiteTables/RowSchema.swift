internal import CSQLiteShim
public import ConnectorSDK

/// The columns of rows being read, and which values each may hold.
///
/// A column's declared type is what SQLite prefers, not what it enforces. Values of another type
/// would not survive a topic under that type, so the schema follows the values: a column that
/// turns out to be mixed has no type from then on, and bytes, which need one, a type of theirs.
public final class RowSchema {
    private static let always = mask(.null) | mask(.missing)

    private let fields: [Field]
    private let scales: [Int16]
    private var types: [FieldType]
    private var made: [[FieldType]: Schema] = [:]
    /// For each column, which cells fit the present schema.
    ///
    /// Asked for with every row and changed between two, so not checked for overlaps, as below.
    @exclusivity(unchecked) internal private(set) var columns: [mr_read_column]
    /// The columns as they are now.
    @exclusivity(unchecked) public private(set) var schema: Schema

    /// Describes columns by their names, whether they may be null, and their declared types.
    public init(_ columns: [(name: String, isOptional: Bool, type: DeclaredType)]) {
        fields = columns.map { column in
            Field(
                column.name,
                column.type.fieldType,
                isOptional: column.isOptional,
                nativeType: column.type.nativeType
            )
        }
        scales = columns.map { Int16(clamping: $0.type.decimalScale ?? Int(MR_NO_DECIMALS)) }
        types = fields.map(\.type)
        self.columns = zip(types, scales).map(Self.column)
        schema = Schema(fields)
        made[types] = schema
    }

    /// The columns as they were declared.
    public var declared: [Field] { fields }

    /// Gives a column a type under which a cell survives.
    public func admit(_ cell: Cell.Tag, in column: Int) {
        types[column] = cell == .bytes ? .bytes : .any
        columns[column] = Self.column(types[column], scales[column])
        if let known = made[types] {
            schema = known
            return
        }
        schema = Schema(
            zip(fields, types).map { field, type in
                field.type == type ? field : Field(field.name, type, isOptional: field.isOptional)
            }
        )
        made[types] = schema
    }

    /// In a column of mixed values decimals keep their places where they have the declared ones.
    private static func column(_ type: FieldType, _ scale: Int16) -> mr_read_column {
        mr_read_column(allowed: allowed(type), scale: type == .bytes ? -1 : scale)
    }

    private static func mask(_ tag: Cell.Tag) -> UInt16 { 1 << UInt16(tag.rawValue) }

    private static func allowed(_ type: FieldType) -> UInt16 {
        switch type {
        case .bool: always | mask(.bool)
        case .int16, .int32, .int64: always | mask(.int)
        case .float, .double: always | mask(.double)
        case .string, .uuid: always | mask(.string)
        case .bytes: always | mask(.bytes)
        // Infinities are doubles; whole numbers may have no room for the declared places.
        case .decimal: always | mask(.decimal) | mask(.number) | mask(.int) | mask(.double)
        default:
            always | mask(.int) | mask(.double) | mask(.string) | mask(.decimal) | mask(.number)
        }
    }
}
