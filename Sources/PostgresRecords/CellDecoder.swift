public import ConnectorSDK
internal import PostgresClient

/// Reads values of one column as cells, in the server's text or binary form.
///
/// Texts and bytes that are in the value as they are become slices of it: what is read must be in
/// memory that the batch keeps alive, with ``Chunk/padding`` bytes readable behind it. Everything
/// else is made in the arena.
///
/// What no cell can hold — infinite times, a `numeric` that is no number — becomes a string of the
/// server's own word for it, such as `infinity` or `NaN`, which ``CellEncoder`` takes for what it is.
public struct CellDecoder: Sendable {
    /// How values are read.
    public let kind: ValueKind

    /// Makes a decoder.
    public init(_ type: ColumnType) { kind = type.kind }

    /// Reads the text form.
    ///
    /// - Returns: `nil` when the bytes are no such value, which a server never sends.
    public func cell(text: UnsafeRawBufferPointer, _ arena: inout Arena) -> Cell? {
        switch kind {
        case .text, .uuid, .other: return .slice(.string, text)
        case .int2, .int4, .int8, .oid: return NumberText.integer(text).map { .int($0) }
        case .bool: return Self.bool(text)
        case .numeric, .xid8: return Self.number(text)
        case .float4, .float8: return Self.float(text)
        case .date:
            return PostgresTime.date(text: text).map { value in
                guard case .finite(let days) = value else { return .slice(.string, text) }
                return Cell(tag: .date, bits: UInt64(bitPattern: days))
            }
        case .time:
            return PostgresTime.time(text: text).map {
                Cell(tag: .time, bits: UInt64(bitPattern: $0))
            }
        case .timestamp, .timestamptz:
            guard case .finite(let microseconds)? = PostgresTime.timestamp(text: text) else {
                return PostgresTime.isTimestamp(text: text) ? .slice(.string, text) : nil
            }
            return instant(microseconds)
        case .json, .jsonb: return JSONScalar.cell(text, &arena)
        case .bytea: return Self.bytes(hex: text, &arena)
        case .money(let digits): return Self.money(text, digits)
        case .array(let element, let delimiter):
            return ArrayText.json(text, element, delimiter: delimiter, &arena)
        }
    }

    internal func instant(_ microseconds: Int64) -> Cell {
        kind == .timestamptz
            ? .timestamp(microseconds: microseconds)
            : Cell(tag: .localTimestamp, bits: UInt64(bitPattern: microseconds))
    }

    // MARK: - Text

    private static func bool(_ text: UnsafeRawBufferPointer) -> Cell? {
        guard text.count == 1 else { return nil }
        switch text[0] {
        case UInt8(ascii: "t"): return .bool(true)
        case UInt8(ascii: "f"): return .bool(false)
        default: return nil
        }
    }

    /// A number as it is written; `NaN` and the infinities as strings.
    internal static func number(_ text: UnsafeRawBufferPointer) -> Cell? {
        if let last = text.last, !NumberText.isDigit(last) {
            return special(text) == nil ? nil : .slice(.string, text)
        }
        return NumberText.parse(text)
    }

    private static func float(_ text: UnsafeRawBufferPointer) -> Cell? {
        if let last = text.last, !NumberText.isDigit(last) {
            return special(text).map { .double($0) }
        }
        // The shortest text that means the value, also for `float4`: 0.1 stays 0.1.
        return NumberText.double(text).map { .double($0) }
    }

    /// What `NaN`, `Infinity` and `-Infinity` mean.
    internal static func special(_ text: UnsafeRawBufferPointer) -> Double? {
        if text.elementsEqual("NaN".utf8) { return .nan }
        if text.elementsEqual("Infinity".utf8) { return .infinity }
        return text.elementsEqual("-Infinity".utf8) ? -.infinity : nil
    }

    /// Reads `\x0a0b`.
    private static func bytes(
        hex text: UnsafeRawBufferPointer,
        _ arena: inout Arena
    ) -> Cell? {
        guard text.count % 2 == 0, text.count >= 2, text[0] == UInt8(ascii: "\\"),
            text[1] == UInt8(ascii: "x")
        else { return nil }
        let count = text.count / 2 - 1
        let target = arena.allocate(count)
        for index in 0..<count {
            guard let high = digit(text[2 * index + 2]), let low = digit(text[2 * index + 3]) else {
                return nil
            }
            target.storeBytes(of: high << 4 | low, toByteOffset: index, as: UInt8.self)
        }
        return .slice(.bytes, UnsafeRawBufferPointer(start: target, count: count))
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x61...0x66: byte &- 0x57
        case 0x41...0x46: byte &- 0x37
        default: nil
        }
    }

    /// Reads an amount as written with `lc_monetary` C, such as `-$1,234.56`, of which all digits
    /// are the amount in the smallest unit.
    private static func money(_ text: UnsafeRawBufferPointer, _ digits: Int) -> Cell? {
        var value: Int64 = 0
        let isNegative = text.contains(UInt8(ascii: "-")) || text.first == UInt8(ascii: "(")
        for byte in text where NumberText.isDigit(byte) {
            let digit = Int64(byte &- 0x30)
            let (product, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.subtractingReportingOverflow(digit)
            guard !over, !carry else { return nil }
            value = sum
        }
        // Counted downwards, since the least amount has no positive counterpart.
        guard isNegative || value != .min else { return nil }
        return .decimal(isNegative ? value : 0 &- value, scale: UInt8(digits))
    }
}
