internal import CBytes

/// A place in a line, which it moves along.
///
/// It reads up to 16 bytes behind the line, which exist.
internal struct LineCursor {
    let start: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>
    var at: UnsafePointer<UInt8>

    /// A cursor at the start of a line, whose carriage return at the end does not count.
    ///
    /// The line is not empty.
    init?(_ line: UnsafeRawBufferPointer) {
        guard let start = line.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        var count = line.count
        while count > 0, start[count - 1] == 0x0D || start[count - 1] == 0x0A { count -= 1 }
        guard count > 0 else { return nil }
        self.start = start
        at = start
        end = start + count
    }

    /// The number of bytes before the place.
    var offset: Int { at - start }

    var isAtEnd: Bool { at >= end }

    /// The byte at the place; 0 at the end.
    @inline(__always)
    var byte: UInt8 { at < end ? at.pointee : 0 }

    /// Passes a byte, if it is there.
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard at < end, at.pointee == byte else { return false }
        at += 1
        return true
    }

    /// The next place of a byte, or the end.
    @inline(__always)
    func find(_ byte: UInt8, from place: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        var place = place
        while place < end {
            let mask = mr_match1_16(place, byte)
            if mask != 0 {
                place += mask.trailingZeroBitCount
                return place < end ? place : end
            }
            place += 16
        }
        return end
    }

    /// The next place of one of two bytes, or the end.
    @inline(__always)
    func find(
        _ one: UInt8,
        or other: UInt8,
        from place: UnsafePointer<UInt8>
    ) -> UnsafePointer<UInt8> {
        var place = place
        while place < end {
            let mask = mr_match2_16(place, one, other)
            if mask != 0 {
                place += mask.trailingZeroBitCount
                return place < end ? place : end
            }
            place += 16
        }
        return end
    }

    /// The bytes up to the next blank, which is passed; at the end of the line, the rest.
    ///
    /// Empty when a blank or the end is here.
    @inline(__always)
    mutating func word() -> UnsafeRawBufferPointer {
        let from = at
        let blank = find(0x20, from: at)
        at = blank < end ? blank + 1 : end
        return Self.bytes(from, blank)
    }

    /// The bytes from the place to the end.
    mutating func rest() -> UnsafeRawBufferPointer {
        defer { at = end }
        return Self.bytes(at, end)
    }

    /// The bytes between two places.
    @inline(__always)
    static func bytes(
        _ from: UnsafePointer<UInt8>,
        _ to: UnsafePointer<UInt8>
    ) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: from, count: to - from)
    }

    /// The bytes up to the closing quote, which is passed; the opening one was.
    ///
    /// A backslash and what follows it belong to the text. `nil` when no quote closes it.
    @inline(__always)
    mutating func quoted() -> UnsafeRawBufferPointer? {
        let from = at
        var place = at
        while true {
            place = find(UInt8(ascii: "\""), or: UInt8(ascii: "\\"), from: place)
            guard place < end else { return nil }
            if place.pointee == UInt8(ascii: "\"") { break }
            place += 2
        }
        at = place + 1
        return Self.bytes(from, place)
    }
}
