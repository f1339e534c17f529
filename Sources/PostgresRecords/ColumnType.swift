public import ConnectorSDK
internal import PostgresClient

/// A type of PostgreSQL as records have it.
public struct ColumnType: Hashable, Sendable {
    /// The type's oid.
    public let oid: UInt32
    /// The type's modifier, such as precision and scale; -1 for none.
    public let modifier: Int32
    /// How values are read and written; that of the base type, for a domain.
    public let kind: ValueKind
    /// What a schema says of it.
    public let fieldType: FieldType
    /// The source's own name, such as `postgres.inet`, where ``fieldType`` says less.
    public let nativeType: String?

    /// What begins ``nativeType``; the rest declares a column.
    public static let nativePrefix = "postgres."

    internal init(
        oid: UInt32,
        modifier: Int32,
        kind: ValueKind,
        fieldType: FieldType,
        declaration: String?
    ) {
        self.oid = oid
        self.modifier = modifier
        self.kind = kind
        self.fieldType = fieldType
        nativeType = declaration.map { Self.nativePrefix + $0 }
    }

    /// The field of a column of this type.
    public func field(_ name: String, isOptional: Bool = true) -> Field {
        Field(name, fieldType, isOptional: isOptional, nativeType: nativeType)
    }

    /// The decimal places of seconds that a type with a time of day keeps.
    public var secondsPrecision: Int {
        switch kind {
        case .time, .timestamp, .timestamptz: modifier >= 0 && modifier < 6 ? Int(modifier) : 6
        default: 6
        }
    }

    /// The greatest number of digits behind the point, for `numeric` with a modifier.
    public var numericScale: Int? { kind == .numeric ? NumericModifier(modifier)?.scale : nil }
}

/// What a `numeric` column allows: so many digits in all, so many of them behind the point.
internal struct NumericModifier {
    let precision: Int
    /// Negative where digits before the point are rounded.
    let scale: Int

    init?(_ modifier: Int32) {
        guard modifier >= 4 else { return nil }
        precision = Int((modifier &- 4) >> 16 & 0xFFFF)
        scale = Int(((modifier &- 4) & 0x7FF) ^ 1_024) - 1_024
    }
}

// MARK: - Built-in types

extension ColumnType {
    /// Describes a type that needs no look at the catalog; `nil` for others.
    public init?(builtIn oid: UInt32, modifier: Int32) {
        guard let (kind, type, declaration) = Self.builtIn(oid, modifier) else { return nil }
        self.init(
            oid: oid,
            modifier: modifier,
            kind: kind,
            fieldType: type,
            declaration: declaration
        )
    }

    private static func builtIn(
        _ oid: UInt32,
        _ modifier: Int32
    ) -> (ValueKind, FieldType, String?)? {
        switch oid {
        case PostgresTypeID.bool: (.bool, .bool, nil)
        case PostgresTypeID.int2: (.int2, .int16, nil)
        case PostgresTypeID.int4: (.int4, .int32, nil)
        case PostgresTypeID.int8: (.int8, .int64, nil)
        case PostgresTypeID.oid: (.oid, .int64, "oid")
        case PostgresTypeID.xid: (.oid, .int64, "xid")
        case PostgresTypeID.cid: (.oid, .int64, "cid")
        case PostgresTypeID.xid8: (.xid8, .decimal(precision: 20, scale: 0), "xid8")
        case PostgresTypeID.float4: (.float4, .float, nil)
        case PostgresTypeID.float8: (.float8, .double, nil)
        case PostgresTypeID.numeric: numeric(modifier)
        case PostgresTypeID.text: (.text, .string, nil)
        case PostgresTypeID.varchar: (.text, .string, sized("character varying", modifier))
        case PostgresTypeID.bpchar:
            (.text, .string, modifier < 4 ? "bpchar" : sized("character", modifier))
        case PostgresTypeID.name: (.text, .string, "name")
        case PostgresTypeID.xml: (.text, .string, "xml")
        case PostgresTypeID.bytea: (.bytea, .bytes, nil)
        case PostgresTypeID.date: (.date, .date, nil)
        case PostgresTypeID.time: (.time, .time, precise("time", "without", modifier))
        case PostgresTypeID.timestamp:
            (.timestamp, .localTimestamp, precise("timestamp", "without", modifier))
        case PostgresTypeID.timestamptz:
            (.timestamptz, .timestamp, precise("timestamp", "with", modifier))
        case PostgresTypeID.uuid: (.uuid, .uuid, nil)
        case PostgresTypeID.json: (.json, .json, "json")
        case PostgresTypeID.jsonb: (.jsonb, .json, "jsonb")
        default: nil
        }
    }

    private static func numeric(_ modifier: Int32) -> (ValueKind, FieldType, String?) {
        guard let limits = NumericModifier(modifier) else {
            return (.numeric, .decimal(precision: nil, scale: nil), nil)
        }
        // A scale below 0 or above the precision is beyond what others understand.
        guard limits.scale >= 0, limits.scale <= limits.precision else {
            let declaration = "numeric(\(limits.precision),\(limits.scale))"
            return (.numeric, .decimal(precision: nil, scale: nil), declaration)
        }
        return (.numeric, .decimal(precision: limits.precision, scale: limits.scale), nil)
    }

    private static func sized(_ name: String, _ modifier: Int32) -> String {
        modifier < 4 ? name : "\(name)(\(modifier - 4))"
    }

    private static func precise(_ name: String, _ zone: String, _ modifier: Int32) -> String? {
        modifier < 0 ? nil : "\(name)(\(modifier)) \(zone) time zone"
    }
}
