/// The ordered field names of a batch, shared by all its records.
///
/// Identity matters: two batches with the same `Schema` object have the same columns, so whatever
/// is resolved from names (columns of a statement, prefixes of a JSON writer) is resolved once per
/// schema and kept while `===` holds.
public final class Schema: Sendable {
    /// The columns, in order.
    public let fields: [Field]
    /// What the schema is called, where schemas have names, as in Kafka Connect's.
    public let name: String?
    /// Which version of the schema of that name it is.
    public let version: Int?
    /// Whether the one field stands for the value itself: a number, a text, an array.
    ///
    /// Its name is for those who need one; the value is written without it.
    public let isWhole: Bool
    private let indices: [String: Int]

    /// Makes a schema.
    ///
    /// Names must differ.
    public convenience init(_ fields: [Field]) {
        self.init(fields, name: nil, version: nil, isWhole: false)
    }

    private init(_ fields: [Field], name: String?, version: Int?, isWhole: Bool) {
        self.fields = fields
        self.name = name
        self.version = version
        self.isWhole = isWhole
        indices = Dictionary(
            fields.enumerated().map { ($1.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// Makes a schema of untyped fields.
    public convenience init(_ names: [String]) {
        self.init(names.map { Field($0) })
    }

    /// The schema of values that nobody has parsed: one nameless field of bytes or text.
    public static let opaque = Schema([Field("")], name: nil, version: nil, isWhole: true)

    /// Makes the schema of keys or values that are no objects.
    public static func whole(
        _ part: RecordPart,
        _ type: FieldType = .any,
        isOptional: Bool = true
    ) -> Schema {
        let field = Field(part.rawValue, type, isOptional: isOptional)
        return Schema([field], name: nil, version: nil, isWhole: true)
    }

    /// Makes a schema of the same name and version with other fields.
    public func with(_ fields: [Field]) -> Schema {
        Schema(fields, name: name, version: version, isWhole: false)
    }

    /// Makes a schema of fields that have the same names and other types.
    public func retyped(_ fields: [Field]) -> Schema {
        Schema(fields, name: name, version: version, isWhole: isWhole && !isOpaque)
    }

    /// Makes a schema of the same fields with another name and version.
    public func named(_ name: String?, version: Int?) -> Schema {
        Schema(fields, name: name, version: version, isWhole: isWhole && !isOpaque)
    }

    /// Whether the records hold one opaque value each.
    @inlinable public var isOpaque: Bool { self === Self.opaque }

    /// The number of columns.
    public var count: Int { fields.count }

    /// The column of a field, or `nil`.
    public func index(of name: String) -> Int? { indices[name] }

    /// The names, in order.
    public var names: [String] { fields.map(\.name) }
}

/// One named column of a schema.
public struct Field: Hashable, Sendable {
    /// The field's name as the source spells it.
    public var name: String
    /// The declared type; ``FieldType/any`` when the source declares none.
    public var type: FieldType
    /// Whether null or absence is allowed.
    public var isOptional: Bool
    /// The source's own name of the type, such as `postgres.inet`, where ``type`` says less.
    ///
    /// A sink of the same kind declares its column by it; others ignore it.
    public var nativeType: String?

    /// Makes a field.
    public init(
        _ name: String,
        _ type: FieldType = .any,
        isOptional: Bool = true,
        nativeType: String? = nil
    ) {
        self.name = name
        self.type = type
        self.isOptional = isOptional
        self.nativeType = nativeType
    }
}

/// A field's declared type.
public enum FieldType: Hashable, Sendable {
    /// Whatever each cell says.
    case any
    /// True or false.
    case bool
    /// A signed integer of 16, 32 or 64 bits.
    case int16, int32, int64
    /// A binary floating-point number.
    case float, double
    /// An exact decimal; `nil` where the source sets no limit.
    case decimal(precision: Int?, scale: Int?)
    /// UTF-8 text.
    case string
    /// Arbitrary bytes; base64 in JSON.
    case bytes
    /// A nested object or array.
    case json
    /// A nested object of these fields; its cells are JSON text, as those of ``json`` are.
    case object([Field])
    /// A day.
    case date
    /// A time of day.
    case time
    /// An instant.
    case timestamp
    /// A date and time of an unnamed zone.
    case localTimestamp
    /// A UUID, as text.
    case uuid
}
