import ConnectorSDK
import Testing

@Suite("Byte input")
struct ByteInputTests {
    /// An input that gives `bytes` in pieces of at most `piece` bytes.
    static func input(_ bytes: [UInt8], piece: Int, chunkSize: Int) -> ByteInput {
        var rest = bytes[...]
        return ByteInput(chunkSize: chunkSize) { room throws(ConnectorError) in
            let count = min(piece, room.count, rest.count)
            UnsafeMutableRawBufferPointer(rebasing: room[..<count]).copyBytes(
                from: rest.prefix(count)
            )
            rest = rest.dropFirst(count)
            return count
        }
    }

    @Test(
        "gives the stream whole, however it is cut",
        arguments: [1, 3, 64, 1_000],
        [16, 64, 4_096]
    )
    func whole(_ piece: Int, _ chunkSize: Int) throws {
        let bytes = (0..<2_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let input = Self.input(bytes, piece: piece, chunkSize: chunkSize)
        var got: [UInt8] = []
        while try input.fill() {
            // Leaves a rest each time, so that the window has to move.
            let taken = input.window.count * 2 / 3
            got += input.window.prefix(taken)
            input.consume(taken)
        }
        got += input.window
        #expect(got == bytes)
        #expect(input.offset + Int64(input.window.count) == Int64(bytes.count))
        #expect(input.isAtEnd)
    }

    @Test("a retained chunk keeps its bytes while the input goes on")
    func retained() throws {
        let bytes = (0..<1_024).map { UInt8(truncatingIfNeeded: $0) }
        let input = Self.input(bytes, piece: 64, chunkSize: 64)
        var kept: [(chunk: Chunk, slice: UnsafeRawBufferPointer, expected: [UInt8])] = []
        while try input.fill() {
            let slice = UnsafeRawBufferPointer(rebasing: input.window.prefix(48))
            kept.append((input.chunk, slice, Array(slice)))
            input.consume(slice.count)
        }
        #expect(kept.count > 10)
        for item in kept { #expect(Array(item.slice) == item.expected) }
    }

    // D7: a window grows only as far as someone refuses to consume.
    @Test("a window that nobody consumes holds everything read so far")
    func growingWindow() throws {
        let bytes = [UInt8](repeating: 7, count: 10_000)
        let input = Self.input(bytes, piece: 100, chunkSize: 128)
        while try input.fill() {}
        #expect(input.window.count == bytes.count)
        #expect(input.chunk.capacity < 4 * bytes.count)
    }
}
