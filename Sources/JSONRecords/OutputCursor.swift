internal import CBytes
internal import ConnectorSDK

/// A place in an ``OutputBuffer`` that is written through, with the bounds at hand.
///
/// Nothing counts as written until ``commit()``. Stores may overrun what was ensured by up to
/// ``Chunk/padding`` bytes, which the buffer has behind its capacity.
internal struct OutputCursor {
    private unowned(unsafe) let output: OutputBuffer
    /// Where the next byte goes.
    var next: UnsafeMutableRawPointer
    private var limit: UnsafeMutableRawPointer

    @inline(__always)
    init(_ output: OutputBuffer) {
        self.output = output
        next = output.base + output.count
        limit = output.base + output.capacity
    }

    /// Makes sure that `count` more bytes fit.
    @inline(__always)
    mutating func ensure(_ count: Int) {
        if limit - next < count { grow(count) }
    }

    @inline(never)
    private mutating func grow(_ count: Int) {
        commit()
        next = output.reserve(count)
        limit = output.base + output.capacity
    }

    /// Makes the buffer's count say what was written.
    @inline(__always)
    func commit() { output.count = next - output.base }

    /// Writes a byte that was ensured.
    @inline(__always)
    mutating func put(_ byte: UInt8) {
        next.storeBytes(of: byte, as: UInt8.self)
        next += 1
    }

    /// Writes the last `count` bytes that fit into `word`, the first lowest; they were ensured.
    @inline(__always)
    mutating func put(word: UInt64, count: Int) {
        next.storeBytes(of: word, as: UInt64.self)
        next += count
    }

    /// Writes bytes as they are.
    @inline(__always)
    mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        ensure(bytes.count)
        next.copyMemory(from: start, byteCount: bytes.count)
        next += bytes.count
    }
}

// MARK: - Numbers

extension OutputCursor {
    /// Writes a whole number; 20 bytes are ensured.
    @inline(__always)
    mutating func integer(_ value: Int64) {
        if value < 0 { put(UInt8(ascii: "-")) }
        unsigned(value.magnitude)
    }

    /// Writes a whole number without sign; 20 bytes are ensured.
    @inline(__always)
    mutating func unsigned(_ value: UInt64) {
        if value < 10 { return put(UInt8(truncatingIfNeeded: value) &+ 0x30) }
        let count = Self.digits(of: value)
        var rest = value
        var at = next + count
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
    private static func digits(of value: UInt64) -> Int {
        // 1233 / 4096 is near enough to log10(2); the power decides on either side of it.
        let bits = 64 &- value.leadingZeroBitCount
        let guess = (bits &* 1233) >> 12
        return value >= mr_power_of_ten(UInt32(truncatingIfNeeded: guess)) ? guess &+ 1 : guess
    }

    /// Writes `value` in exactly `count` digits, zeros in front; 20 bytes are ensured.
    @inline(__always)
    mutating func padded(_ value: UInt64, count: Int) {
        var rest = value
        var left = count
        while left >= 2 {
            let quotient = rest / 100
            left &-= 2
            let pair = mr_two_digits(UInt32(truncatingIfNeeded: rest &- quotient &* 100))
            (next + left).storeBytes(of: pair, as: UInt16.self)
            rest = quotient
        }
        if left == 1 {
            next.storeBytes(of: UInt8(truncatingIfNeeded: rest % 10) &+ 0x30, as: UInt8.self)
        }
        next += count
    }

    /// Writes an exact decimal with all its places; 24 bytes are ensured.
    @inline(__always)
    mutating func decimal(_ mantissa: Int64, scale: UInt8) {
        if mantissa < 0 { put(UInt8(ascii: "-")) }
        let digits = mantissa.magnitude
        if scale == 2 {
            let whole = digits / 100
            unsigned(whole)
            put(UInt8(ascii: "."))
            let pair = mr_two_digits(UInt32(truncatingIfNeeded: digits &- whole &* 100))
            next.storeBytes(of: pair, as: UInt16.self)
            next += 2
            return
        }
        guard scale > 0 else { return unsigned(digits) }
        let power = mr_power_of_ten(UInt32(min(scale, 18)))
        let whole = digits / power
        unsigned(whole)
        put(UInt8(ascii: "."))
        padded(digits &- whole &* power, count: Int(min(scale, 18)))
    }

    /// Writes the shortest text that reads back as the same number; `false` when it is not finite.
    @inline(never)
    mutating func double(_ value: Double) -> Bool {
        guard value.isFinite else { return false }
        ensure(32)
        if shortDecimal(value, scale: 2) || shortDecimal(value, scale: 6) { return true }
        var text = DoubleText()
        value.write(to: &text)
        withUnsafeBytes(of: text.bytes) {
            next.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(next), byteCount: 32)
        }
        next += text.count
        return true
    }
}

extension OutputCursor {
    /// Writes a double that a decimal of so many places and at most 15 digits stands for.
    ///
    /// Decimals of 15 digits all survive the way through a double, so no two of them are the same
    /// double: without its last zeros the one found is the shortest text there is.
    @inline(__always)
    private mutating func shortDecimal(_ value: Double, scale: Int) -> Bool {
        // Smaller numbers, and the negative zero, are written otherwise.
        guard value.magnitude >= 0.0001 else { return false }
        let power = scale == 2 ? 1e2 : 1e6
        let scaled = (value.magnitude * power).rounded(.toNearestOrEven)
        guard scaled < 1e15, scaled / power == value.magnitude else { return false }
        if value < 0 { put(UInt8(ascii: "-")) }
        let digits = UInt64(scaled)
        let whole = digits / UInt64(power)
        unsigned(whole)
        put(UInt8(ascii: "."))
        padded(digits &- whole &* UInt64(power), count: scale)
        var zeros = 0
        while zeros < scale - 1, Self.isZero(next - 1 - zeros) { zeros += 1 }
        next -= zeros
        return true
    }

    @inline(__always)
    private static func isZero(_ digit: UnsafeMutableRawPointer) -> Bool {
        digit.load(as: UInt8.self) == UInt8(ascii: "0")
    }
}

/// Takes the text of one number without a string on the heap.
private struct DoubleText: TextOutputStream {
    var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var count = 0

    mutating func write(_ string: String) {
        var string = string
        string.withUTF8 { append($0) }
    }

    /// The standard library hands ASCII over here when a stream has this method.
    // swift-format-ignore: NoLeadingUnderscores
    mutating func _writeASCII(_ buffer: UnsafeBufferPointer<UInt8>) { append(buffer) }

    private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        let start = count
        let taken = min(text.count, 32 - start)
        withUnsafeMutableBytes(of: &bytes) { target in
            for index in 0..<taken { target[start + index] = text[index] }
        }
        count += taken
    }
}
