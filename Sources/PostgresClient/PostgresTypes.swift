/// A type as the catalog describes it.
public struct PostgresType: Hashable, Sendable {
    /// What a type is made of.
    public enum Kind: Hashable, Sendable {
        /// A type of its own.
        case base
        /// One of a list of words.
        case enumeration
        /// Another type with constraints; the modifier is that of the base type, -1 for none.
        case domain(of: UInt32, modifier: Int32)
        /// Several columns.
        case composite
        /// A range of values, or several of them.
        case range
        /// Any number of values of one type, with what stands between them in text.
        case array(of: UInt32, delimiter: UInt8)
    }

    /// The type's oid.
    public var oid: UInt32
    /// The schema it is in.
    public var schema: String
    /// Its name in the catalog, such as `int4` or `_int4`.
    public var name: String
    /// What it is made of.
    public var kind: Kind
}

/// Oids of built-in types; they never change.
public enum PostgresTypeID {
    public static let bool: UInt32 = 16
    public static let bytea: UInt32 = 17
    public static let char: UInt32 = 18
    public static let name: UInt32 = 19
    public static let int8: UInt32 = 20
    public static let int2: UInt32 = 21
    public static let int4: UInt32 = 23
    public static let text: UInt32 = 25
    public static let oid: UInt32 = 26
    public static let xid: UInt32 = 28
    public static let cid: UInt32 = 29
    public static let json: UInt32 = 114
    public static let xml: UInt32 = 142
    public static let float4: UInt32 = 700
    public static let float8: UInt32 = 701
    public static let money: UInt32 = 790
    public static let bpchar: UInt32 = 1042
    public static let varchar: UInt32 = 1043
    public static let date: UInt32 = 1082
    public static let time: UInt32 = 1083
    public static let timestamp: UInt32 = 1114
    public static let timestamptz: UInt32 = 1184
    public static let numeric: UInt32 = 1700
    public static let uuid: UInt32 = 2950
    public static let jsonb: UInt32 = 3802
    public static let xid8: UInt32 = 5069
}

/// What the catalog says of types; asked once for each.
///
/// One value serves one database. Types that are dropped and made anew get another oid.
public struct PostgresTypeCatalog {
    private var types: [UInt32: PostgresType] = [:]
    private var names: [Key: String] = [:]

    private struct Key: Hashable {
        var oid: UInt32
        var modifier: Int32
    }

    /// Makes an empty catalog.
    public init() {}

    /// Describes a type; `nil` when there is none of that oid.
    public mutating func type(
        _ oid: UInt32,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> PostgresType? {
        if let known = types[oid] { return known }
        // typsubscript and typelem: fixed-length types such as point have elements and are no arrays.
        let result = try connection.query(
            """
            SELECT n.nspname, t.typname, t.typtype, t.typbasetype, t.typtypmod, t.typelem,
                t.typlen = -1 AND t.typcategory = 'A' AND t.typelem <> 0,
                ascii(coalesce(e.typdelim, ','))
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
            LEFT JOIN pg_type e ON e.oid = t.typelem
            WHERE t.oid = $1::oid
            """,
            [.int(Int64(oid))]
        )
        guard result.rowCount == 1, let schema = result.string(0, 0),
            let name = result.string(0, 1)
        else { return nil }
        let kind: PostgresType.Kind =
            switch result.string(0, 2) {
            case "e": .enumeration
            case "d":
                .domain(
                    of: UInt32(clamping: result.int(0, 3) ?? 0),
                    modifier: Int32(clamping: result.int(0, 4) ?? -1)
                )
            case "c": .composite
            case "r", "m": .range
            case _ where result.bool(0, 6) == true:
                .array(
                    of: UInt32(clamping: result.int(0, 5) ?? 0),
                    delimiter: UInt8(clamping: result.int(0, 7) ?? 0x2C)
                )
            default: .base
            }
        let type = PostgresType(oid: oid, schema: schema, name: name, kind: kind)
        types[oid] = type
        return type
    }

    /// The name to declare a column by, such as `character varying(20)` or `public.mood[]`: with its
    /// schema unless it is built in, whatever the search path is.
    public mutating func declaration(
        _ oid: UInt32,
        modifier: Int32,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> String {
        let key = Key(oid: oid, modifier: modifier)
        if let known = names[key] { return known }
        let result = try connection.query(
            """
            SELECT CASE WHEN b.nspname = 'pg_catalog' THEN format_type(b.oid, $2::int4)
                ELSE quote_ident(b.nspname) || '.' || quote_ident(b.typname)
                    || coalesce(substring(format_type(b.oid, $2::int4) from '\\(.*\\)$'), '')
                END || CASE WHEN b.isarray THEN '[]' ELSE '' END
            FROM (
                SELECT CASE WHEN a.yes THEN e.oid ELSE t.oid END AS oid,
                    CASE WHEN a.yes THEN e.typname ELSE t.typname END AS typname,
                    n.nspname, a.yes AS isarray
                FROM pg_type t
                CROSS JOIN LATERAL (
                    SELECT t.typlen = -1 AND t.typcategory = 'A' AND t.typelem <> 0
                ) a (yes)
                LEFT JOIN pg_type e ON e.oid = t.typelem
                JOIN pg_namespace n
                    ON n.oid = CASE WHEN a.yes THEN e.typnamespace ELSE t.typnamespace END
                WHERE t.oid = $1::oid
            ) b
            """,
            [.int(Int64(oid)), .int(Int64(modifier))]
        )
        let name = result.string(0, 0) ?? "unknown"
        names[key] = name
        return name
    }
}
