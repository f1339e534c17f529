internal import CBytes
internal import ConnectorSDK

/// Bytes that are copied into many records.
internal struct Fragment {
    let start: UnsafeRawPointer
    let count: Int
    /// Keeps the bytes; whoever holds the fragment holds them.
    private let owner: Chunk

    init(_ bytes: Chunk) {
        owner = bytes
        start = UnsafeRawPointer(bytes.base)
        count = bytes.capacity
    }

    /// What `buffer` holds now.
    init(_ buffer: OutputBuffer) {
        self.init(withExtendedLifetime(buffer) { Chunk(copying: buffer.bytes) })
    }

    init(_ text: String) { self.init(Chunk(copying: Array(text.utf8))) }
}

/// Writes into memory that its maker has reserved.
internal struct TextCursor {
    /// The most bytes of a number.
    static let numberLength = 20

    private(set) var next: UnsafeMutableRawPointer

    @inline(__always)
    init(_ start: UnsafeMutableRawPointer) { next = start }

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        next.storeBytes(of: byte, as: UInt8.self)
        next += 1
    }

    @inline(__always)
    mutating func put(_ start: UnsafeRawPointer, _ count: Int) {
        next.copyMemory(from: start, byteCount: count)
        next += count
    }

    @inline(__always)
    mutating func put(_ text: StaticString) { put(text.utf8Start, text.utf8CodeUnitCount) }

    @inline(__always)
    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        put(start, bytes.count)
    }

    /// Writes a number in decimal digits.
    @inline(__always)
    mutating func put(number: UInt64) {
        let count = Self.digits(of: number)
        var at = next + count
        var rest = number
        while rest >= 100 {
            let quotient = rest / 100
            at -= 2
            let pair = mr_two_digits(UInt32(truncatingIfNeeded: rest &- quotient &* 100))
            at.storeBytes(of: pair, as: UInt16.self)
            rest = quotient
        }
        if rest >= 10 {
            let pair = mr_two_digits(UInt32(truncatingIfNeeded: rest))
            next.storeBytes(of: pair, as: UInt16.self)
        } else {
            next.storeBytes(of: UInt8(truncatingIfNeeded: rest) &+ 0x30, as: UInt8.self)
        }
        next += count
    }

    @inline(__always)
    static func digits(of number: UInt64) -> Int {
        if number < 10 { return 1 }
        // 1233 / 4096 is near enough to log10(2); the power decides on either side of it.
        let guess = ((64 &- number.leadingZeroBitCount) &* 1233) >> 12
        return number >= mr_power_of_ten(UInt32(truncatingIfNeeded: guess)) ? guess &+ 1 : guess
    }
}
