/// How values are written: as text, or as the type's own bytes.
public enum PostgresFormat: Int32, Sendable {
    /// As a person would write them.
    case text = 0
    /// As the type's send and receive functions do.
    case binary = 1
}

/// The value of `$1` and so on.
public struct PostgresParameter: Sendable, Hashable {
    internal var type: UInt32
    internal var format: PostgresFormat
    internal var bytes: [UInt8]?

    /// Makes a null, of the type that the statement needs.
    public static var null: Self { Self(type: 0, format: .text, bytes: nil) }

    /// Makes a value written as text, of the type that the statement needs.
    public static func text(_ value: String) -> Self {
        Self(type: 0, format: .text, bytes: Array(value.utf8))
    }

    /// Makes an integer, of the type that the statement needs.
    public static func int(_ value: Int64) -> Self { .text(String(value)) }

    /// Makes a value in its type's binary form; type 0 leaves the type to the statement.
    public static func binary(_ bytes: [UInt8], type: UInt32 = 0) -> Self {
        Self(type: type, format: .binary, bytes: bytes)
    }
}

extension PostgresParameter: ExpressibleByStringLiteral {
    /// Makes a value written as text.
    public init(stringLiteral value: String) { self = .text(value) }
}

/// Parameters as C wants them.
internal struct ParameterArguments {
    internal let types: [UInt32]
    private var values = CStringArray([])
    private let lengths: [Int32]
    private let formats: [Int32]

    internal init(_ parameters: [PostgresParameter]) {
        types = parameters.map(\.type)
        lengths = parameters.map { Int32(clamping: $0.bytes?.count ?? 0) }
        formats = parameters.map(\.format.rawValue)
        for parameter in parameters {
            if let bytes = parameter.bytes { values.append(bytes) } else { values.appendNull() }
        }
    }

    internal func withArguments<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, [Int32], [Int32]) -> Result
    ) -> Result {
        values.withPointers { body($0, lengths, formats) }
    }
}
