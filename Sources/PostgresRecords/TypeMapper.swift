internal import ConnectorSDK
public import PostgresClient

/// Finds out what columns of any type are in records, asking the server where it must.
///
/// One value serves one database, whichever connection asks.
public struct TypeMapper {
    private var catalog = PostgresTypeCatalog()
    private var types: [Key: ColumnType] = [:]
    private var moneyDigits: Int?

    private struct Key: Hashable {
        var oid: UInt32
        var modifier: Int32
    }

    /// Domains of domains end after so many; the catalog has no cycles.
    private static let depthLimit = 32

    /// Makes a mapper that knows the built-in types.
    public init() {}

    /// What a column of a type is in records.
    public mutating func type(
        _ oid: UInt32,
        modifier: Int32,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> ColumnType {
        if let known = ColumnType(builtIn: oid, modifier: modifier) { return known }
        let key = Key(oid: oid, modifier: modifier)
        if let known = types[key] { return known }
        let base = try value(oid, modifier, on: connection, depth: 0)
        let type = ColumnType(
            oid: oid,
            modifier: base.modifier,
            kind: base.kind,
            fieldType: base.fieldType,
            declaration: try catalog.declaration(oid, modifier: modifier, on: connection)
        )
        types[key] = type
        return type
    }

    private typealias Shape = (kind: ValueKind, fieldType: FieldType, modifier: Int32)

    private mutating func value(
        _ oid: UInt32,
        _ modifier: Int32,
        on connection: PostgresConnection,
        depth: Int
    ) throws(PostgresFailure) -> Shape {
        if let known = ColumnType(builtIn: oid, modifier: modifier) {
            return (known.kind, known.fieldType, modifier)
        }
        if oid == PostgresTypeID.money {
            let digits = try moneyDigits(on: connection)
            return (.money(digits: digits), .decimal(precision: 19, scale: digits), modifier)
        }
        switch try catalog.type(oid, on: connection)?.kind {
        case .domain(let base, let baseModifier) where depth < Self.depthLimit:
            return try value(base, baseModifier, on: connection, depth: depth + 1)
        case .array(let element, let delimiter):
            let kind = try elementKind(element, on: connection)
            return (.array(kind, delimiter: delimiter), .json, modifier)
        case .enumeration: return (.text, .string, modifier)
        default: return (.other, .string, modifier)
        }
    }

    private mutating func elementKind(
        _ oid: UInt32,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> ElementKind {
        switch try value(oid, -1, on: connection, depth: 0).kind {
        case .int2, .int4, .int8, .oid, .xid8, .float4, .float8, .numeric: .number
        case .bool: .bool
        default: .text
        }
    }

    /// The decimal places of amounts, which follow the database's own `lc_monetary`.
    private mutating func moneyDigits(
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> Int {
        if let moneyDigits { return moneyDigits }
        let result = try connection.query(
            """
            SELECT scale(1::money::numeric) FROM (
                SELECT set_config('lc_monetary', coalesce(reset_val, 'C'), true)
                FROM pg_settings WHERE name = 'lc_monetary' OFFSET 0
            ) s
            """
        )
        let digits = min(max(Int(result.int(0, 0) ?? 2), 0), 18)
        moneyDigits = digits
        return digits
    }
}
