internal import CSQLiteShim
internal import ConnectorSDK
internal import SQLiteClient

/// The columns of rows being read, and which values each may hold.
///
/// A column's declared type is what SQLite prefers, not what it enforces. Values of another type
/// would not survive a topic under that type, so the schema follows the values: a column that
/// turns out to be mixed has no type from then on, and bytes, which need one, a type of theirs.
internal final class RowSchema {
    private static let always = mask(.null) | mask(.missing)

    private let fields: [Field]
    private var types: [FieldType]
    private var made: [[FieldType]: Schema] = [:]
    /// For each column, the tags of cells that fit the present schema.
    internal private(set) var allowed: [UInt16]
    internal private(set) var schema: Schema

    internal init(_ fields: [Field]) {
        self.fields = fields
        types = fields.map(\.type)
        allowed = types.map(Self.allowed)
        schema = Schema(fields)
        made[types] = schema
    }

    /// Gives a column a type under which a cell survives.
    internal func admit(_ cell: Cell.Tag, in column: Int) {
        types[column] = cell == .bytes ? .bytes : .any
        allowed[column] = Self.allowed(types[column])
        if let known = made[types] {
            schema = known
            return
        }
        schema = Schema(
            zip(fields, types).map { Field($0.name, $1, isOptional: $0.isOptional) }
        )
        made[types] = schema
    }

    private static func mask(_ tag: Cell.Tag) -> UInt16 { 1 << UInt16(tag.rawValue) }

    private static func allowed(_ type: FieldType) -> UInt16 {
        switch type {
        case .bool: always | mask(.bool)
        case .int16, .int32, .int64: always | mask(.int)
        case .float, .double: always | mask(.double)
        case .string, .uuid: always | mask(.string)
        case .bytes: always | mask(.bytes)
        default: always | mask(.int) | mask(.double) | mask(.string)
        }
    }

    /// The type that a declared type promises.
    internal static func type(declared: String?) -> FieldType {
        let declared = declared ?? ""
        switch SQLiteName.fold(declared) {
        case "bool", "boolean": return .bool
        default: break
        }
        switch TableDescription.affinity(of: declared, isStrict: true) {
        case .integer: return .int64
        case .real: return .double
        case .text: return .string
        case .none: return SQLiteName.fold(declared).contains("blob") ? .bytes : .any
        case .numeric: return .any
        }
    }
}
