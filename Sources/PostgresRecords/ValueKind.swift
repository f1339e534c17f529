/// How values of a type are read and written.
@frozen
public enum ValueKind: Hashable, Sendable {
    /// Integers.
    case int2, int4, int8
    /// Unsigned integers of 32 and 64 bits.
    case oid, xid8
    /// Truth values.
    case bool
    /// Binary floating-point numbers.
    case float4, float8
    /// Exact numbers.
    case numeric
    /// Amounts of a currency, with so many decimal places.
    case money(digits: Int)
    /// Texts whose binary form is the text itself: also names, XML and the words of an enumeration.
    case text
    /// Bytes.
    case bytea
    /// Dates and times.
    case date, time, timestamp, timestamptz
    /// UUIDs.
    case uuid
    /// JSON, as written or taken apart.
    case json, jsonb
    /// Arrays.
    case array(ElementKind, delimiter: UInt8)
    /// Everything else: always in the server's text form.
    case other

    /// Whether values can be read and written in binary form.
    public var hasBinary: Bool {
        switch self {
        case .array, .other: false
        default: true
        }
    }
}

/// What the elements of an array are in JSON.
@frozen
public enum ElementKind: Hashable, Sendable {
    /// Numbers where they are finite, else text.
    case number
    /// Truth values.
    case bool
    /// The server's text form.
    case text
}
