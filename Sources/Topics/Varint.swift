/// Kafka's zig-zag varints: small numbers of either sign take few bytes, seven bits in each.
internal enum Varint {
    /// The most bytes that one takes.
    static let maxLength = 10

    @inline(__always)
    static func zigZag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    }

    /// How many bytes `value` takes.
    @inline(__always)
    static func length(_ value: Int) -> Int {
        // ceil(bits / 7) without a division; 0 takes one byte.
        let bits = 64 &- (zigZag(Int64(value)) | 1).leadingZeroBitCount
        return (bits &* 9 &+ 64) &>> 6
    }

    /// Writes `value` and moves `target` behind it; ``maxLength`` bytes must be free.
    @inline(__always)
    static func write(_ value: Int, to target: inout UnsafeMutableRawPointer) {
        var rest = zigZag(Int64(value))
        while rest >= 0x80 {
            target.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            target += 1
            rest &>>= 7
        }
        target.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        target += 1
    }

    /// Reads a varint and moves `source` behind it.
    ///
    /// ``maxLength`` bytes must be readable.
    /// A varint that does not end reads as a number, with `source` moved by ``maxLength``; callers
    /// compare `source` and the number with what they may be.
    @inline(__always)
    static func read(_ source: inout UnsafeRawPointer) -> Int64 {
        let first = UInt64(source.load(as: UInt8.self))
        if first < 0x80 {
            source += 1
            return Int64(bitPattern: first &>> 1) ^ -Int64(bitPattern: first & 1)
        }
        let second = UInt64(source.load(fromByteOffset: 1, as: UInt8.self))
        if second < 0x80 {
            source += 2
            let value = (first & 0x7f) | (second &<< 7)
            return Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
        }
        return readLong(&source)
    }

    @inline(never)
    private static func readLong(_ source: inout UnsafeRawPointer) -> Int64 {
        var value: UInt64 = 0
        for index in 0..<maxLength {
            let byte = UInt64(source.load(fromByteOffset: index, as: UInt8.self))
            value |= (byte & 0x7f) &<< UInt64(index &* 7)
            if byte < 0x80 {
                source += index &+ 1
                return Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
            }
        }
        source += maxLength
        return .max
    }
}
