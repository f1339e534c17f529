internal import ConnectorSDK

/// Turns UTF-16 or Latin-1 into UTF-8, piece by piece.
internal final class CharsetDecoder {
    private let charset: Charset
    private let source: ByteInput.Source
    private let block = Chunk(capacity: 128 << 10)
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    /// The offset in the source of the byte at `start`.
    private var offset: Int64
    private var failure: ConnectorError?
    /// Decoded bytes for which the caller had no room.
    private var carried: [UInt8] = []

    /// Makes a decoder; `offset` is that of the first byte `source` gives.
    init(_ charset: Charset, offset: Int64, reading source: @escaping ByteInput.Source) {
        self.charset = charset
        self.offset = offset
        self.source = source
    }

    /// Gives the next UTF-8 bytes; 0 at the end.
    ///
    /// What precedes an error is given first.
    func read(into room: UnsafeMutableRawBufferPointer) throws(ConnectorError) -> Int {
        if !carried.isEmpty { return giveCarried(room) }
        if let failure { throw failure }
        // The longest character has four bytes.
        guard room.count >= 4 else { return try readOne(into: room) }
        var written = 0
        while written + 4 <= room.count {
            if end - start < 4, !isAtEnd { try fill() }
            guard start < end else { break }
            written += try decode(into: room, at: written)
            if failure != nil { break }
            if written > 0, end - start < 4, !isAtEnd { break }
        }
        return written
    }

    /// Reads a piece by way of memory of its own, since the caller's is too small for a character.
    private func readOne(
        into room: UnsafeMutableRawBufferPointer
    ) throws(ConnectorError) -> Int {
        guard !room.isEmpty else { return 0 }
        let memory = Chunk(capacity: 4)
        let count = try read(into: memory.bytes)
        carried = Array(memory.bytes[..<count])
        return giveCarried(room)
    }

    private func giveCarried(_ room: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(room.count, carried.count)
        room.copyBytes(from: carried.prefix(count))
        carried.removeFirst(count)
        return count
    }

    private func fill() throws(ConnectorError) {
        let rest = end - start
        block.base.copyMemory(from: block.base + start, byteCount: rest)
        start = 0
        end = rest
        let room = UnsafeMutableRawBufferPointer(rebasing: block.bytes[rest...])
        let count = try source(room)
        isAtEnd = count == 0
        end += count
    }

    /// Decodes as much as is there and fits; returns the bytes written.
    private func decode(
        into room: UnsafeMutableRawBufferPointer,
        at first: Int
    ) throws(ConnectorError) -> Int {
        var place = first
        let begin = start
        defer { offset += Int64(start - begin) }
        while place + 4 <= room.count, start < end {
            do throws(ConnectorError) {
                guard let (scalar, length) = try next(from: begin) else { break }
                place += Self.put(scalar, into: room, at: place)
                start += length
            } catch {
                // What precedes the error is given first.
                guard place > 0 else { throw error }
                failure = error
                break
            }
        }
        return place - first
    }

    /// The next character and its length; `nil` when more bytes are needed to tell.
    @inline(__always)
    private func next(from begin: Int) throws(ConnectorError) -> (UInt32, Int)? {
        if charset == .latin1 { return (UInt32(block.bytes[start]), 1) }
        guard end - start >= 2 else {
            guard isAtEnd else { return nil }
            throw invalid("ends in the middle of a character", begin)
        }
        let unit = self.unit(at: start)
        if !(0xd800...0xdfff).contains(unit) { return (unit, 2) }
        guard unit < 0xdc00 else { throw invalid("has half a surrogate pair", begin) }
        guard end - start >= 4 else {
            guard isAtEnd else { return nil }
            throw invalid("has half a surrogate pair", begin)
        }
        let low = self.unit(at: start + 2)
        guard (0xdc00...0xdfff).contains(low) else {
            throw invalid("has half a surrogate pair", begin)
        }
        return (0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00), 4)
    }

    @inline(__always)
    private func unit(at place: Int) -> UInt32 {
        let raw = block.base.loadUnaligned(fromByteOffset: place, as: UInt16.self)
        return UInt32(
            charset == .utf16LittleEndian ? UInt16(littleEndian: raw) : UInt16(bigEndian: raw)
        )
    }

    @inline(__always)
    private static func put(
        _ scalar: UInt32,
        into room: UnsafeMutableRawBufferPointer,
        at place: Int
    ) -> Int {
        func store(_ byte: UInt32, _ index: Int) {
            room[place + index] = UInt8(truncatingIfNeeded: byte)
        }
        if scalar < 0x80 {
            store(scalar, 0)
            return 1
        }
        if scalar < 0x800 {
            store(0xc0 | scalar >> 6, 0)
            store(0x80 | scalar & 0x3f, 1)
            return 2
        }
        if scalar < 0x10000 {
            store(0xe0 | scalar >> 12, 0)
            store(0x80 | scalar >> 6 & 0x3f, 1)
            store(0x80 | scalar & 0x3f, 2)
            return 3
        }
        store(0xf0 | scalar >> 18, 0)
        store(0x80 | scalar >> 12 & 0x3f, 1)
        store(0x80 | scalar >> 6 & 0x3f, 2)
        store(0x80 | scalar & 0x3f, 3)
        return 4
    }

    private func invalid(_ problem: String, _ begin: Int) -> ConnectorError {
        let byte = offset + Int64(start - begin)
        return ConnectorError(
            .init("charset.invalid"),
            .failTask,
            "The \(charset.rawValue) text \(problem) at byte \(byte) of the input.",
            at: "charset"
        )
    }
}
