import ConnectorSDK

/// A place in an output buffer that is written through, with the bounds at hand.
///
/// Nothing counts as written until ``commit()``.
struct CSVOutput {
    private unowned(unsafe) let buffer: OutputBuffer
    private var next: UnsafeMutableRawPointer
    private var limit: UnsafeMutableRawPointer

    init(_ buffer: OutputBuffer) {
        self.buffer = buffer
        next = buffer.base + buffer.count
        limit = buffer.base + buffer.capacity
    }

    /// Makes the buffer's count say what was written.
    func commit() { buffer.count = next - buffer.base }

    /// Makes sure that `count` more bytes fit.
    @inline(__always)
    mutating func ensure(_ count: Int) {
        if limit - next < count { grow(count) }
    }

    @inline(never)
    private mutating func grow(_ count: Int) {
        commit()
        next = buffer.reserve(count)
        limit = buffer.base + buffer.capacity
    }

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        ensure(1)
        next.storeBytes(of: byte, as: UInt8.self)
        next += 1
    }

    @inline(__always)
    mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        ensure(bytes.count)
        next.copyMemory(from: start, byteCount: bytes.count)
        next += bytes.count
    }

    /// Writes a whole number.
    @inline(__always)
    mutating func integer(_ value: Int64) {
        decimal(value, scale: 0)
    }

    /// Writes an exact decimal with all its places.
    @inline(__always)
    mutating func decimal(_ mantissa: Int64, scale: Int) {
        ensure(24)
        if mantissa < 0 { put(0x2D) }
        var rest = mantissa.magnitude
        // Digits from the last to the first, at least one of them before the point.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { digits in
            var at = 24
            var places = 0
            repeat {
                let quotient = rest / 10
                at &-= 1
                digits[at] = UInt8(truncatingIfNeeded: rest &- quotient &* 10) &+ 0x30
                rest = quotient
                places &+= 1
                if places == scale {
                    at &-= 1
                    digits[at] = 0x2E
                }
            } while rest > 0 || places <= scale
            copy(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[at...]))
        }
    }
}
