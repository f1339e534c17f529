/// One value of one record: 16 bytes, trivially copied.
///
/// Small values live inline in ``bits``. Text, bytes and nested values are *slices*: ``bits`` is
/// the address of the first byte and ``length`` the number of bytes, in memory that the
/// ``RecordBatch`` keeps alive. At least ``Chunk/padding`` bytes past the end of any slice may be
/// read (not relied upon), so that scanners work in words of 16 and 32 bytes.
@frozen
public struct Cell: BitwiseCopyable, Sendable {
    /// What a cell holds.
    ///
    /// The raw values are part of the contract with C code.
    @frozen
    public enum Tag: UInt8, BitwiseCopyable, Sendable {
        /// The field is absent from this record. Not the same as `null`.
        case missing = 0
        /// An explicit null.
        case null = 1
        /// `bits` is 0 or 1.
        case bool = 2
        /// `bits` is an `Int64`.
        case int = 3
        /// `bits` is the bit pattern of a `Double`.
        case double = 4
        /// `bits` is the `Int64` mantissa; the value is mantissa / 10^`scale`.
        case decimal = 5
        /// A slice: a number too long or too odd for the inline forms, in JSON's number grammar.
        case number = 6
        /// A slice of valid UTF-8.
        case string = 7
        /// A slice of arbitrary bytes.
        case bytes = 8
        /// A slice: an object or array as valid JSON text.
        case json = 9
        /// `bits` is an `Int64`: days since 1970-01-01.
        case date = 10
        /// `bits` is an `Int64`: microseconds since midnight.
        case time = 11
        /// `bits` is an `Int64`: microseconds since the epoch, UTC; `length` the zone's offset
        /// from UTC in seconds as an `Int32` bit pattern.
        case timestamp = 12
        /// `bits` is an `Int64`: microseconds since 1970-01-01T00:00:00 of an unnamed zone.
        case localTimestamp = 13
    }

    /// The inline value, or the address of a slice.
    public var bits: UInt64
    /// The byte count of a slice.
    public var length: UInt32
    /// What the cell holds.
    public var tag: Tag
    /// The decimal places of a `decimal`, 0 to 18.
    public var scale: UInt8
    /// Reserved; 0.
    public var flags: UInt16

    /// Makes a cell from its parts.
    @inlinable @inline(__always)
    public init(tag: Tag, bits: UInt64 = 0, length: UInt32 = 0, scale: UInt8 = 0) {
        self.bits = bits
        self.length = length
        self.tag = tag
        self.scale = scale
        self.flags = 0
    }
}

extension Cell {
    /// The cell of an absent field.
    @inlinable @inline(__always)
    public static var missing: Cell { Cell(tag: .missing) }

    /// The cell of an explicit null.
    @inlinable @inline(__always)
    public static var null: Cell { Cell(tag: .null) }

    /// Makes a truth value.
    @inlinable @inline(__always)
    public static func bool(_ value: Bool) -> Cell { Cell(tag: .bool, bits: value ? 1 : 0) }

    /// Makes an integer.
    @inlinable @inline(__always)
    public static func int(_ value: Int64) -> Cell {
        Cell(tag: .int, bits: UInt64(bitPattern: value))
    }

    /// Makes a floating-point number.
    @inlinable @inline(__always)
    public static func double(_ value: Double) -> Cell {
        Cell(tag: .double, bits: value.bitPattern)
    }

    /// Makes the exact decimal `mantissa` / 10^`scale`, with `scale` in 0 to 18.
    @inlinable @inline(__always)
    public static func decimal(_ mantissa: Int64, scale: UInt8) -> Cell {
        Cell(tag: .decimal, bits: UInt64(bitPattern: mantissa), scale: scale)
    }

    /// Makes an instant, in microseconds since the epoch.
    @inlinable @inline(__always)
    public static func timestamp(microseconds: Int64, offsetSeconds: Int32 = 0) -> Cell {
        Cell(
            tag: .timestamp,
            bits: UInt64(bitPattern: microseconds),
            length: UInt32(bitPattern: offsetSeconds)
        )
    }

    /// Makes a slice of `bytes`, which must outlive the cell (see ``RecordBatch/retain(_:)``).
    @inlinable @inline(__always)
    public static func slice(_ tag: Tag, _ bytes: UnsafeRawBufferPointer) -> Cell {
        Cell(
            tag: tag,
            bits: UInt64(UInt(bitPattern: bytes.baseAddress)),
            length: UInt32(truncatingIfNeeded: bytes.count)
        )
    }

    /// `bits` as a signed integer.
    @inlinable @inline(__always)
    public var int64: Int64 { Int64(bitPattern: bits) }

    /// Whether the cell is absent or null.
    @inlinable @inline(__always)
    public var isNil: Bool { tag.rawValue <= Tag.null.rawValue }

    /// Whether the value lives outside the cell.
    @inlinable @inline(__always)
    public var isSlice: Bool {
        tag.rawValue >= Tag.number.rawValue && tag.rawValue <= Tag.json.rawValue
    }

    /// The bytes of a slice; empty for inline values.
    @inlinable @inline(__always)
    public var slice: UnsafeRawBufferPointer {
        guard isSlice else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(
            start: UnsafeRawPointer(bitPattern: UInt(bits)),
            count: Int(length)
        )
    }
}
