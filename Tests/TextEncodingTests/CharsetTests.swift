import ConnectorSDK
import Testing

@testable import TextEncoding

@Suite("Character sets")
struct CharsetTests {
    private static func encode(_ text: String, _ charset: Charset) -> [UInt8] {
        switch charset {
        case .utf16LittleEndian: text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        case .utf16, .utf16BigEndian: text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        case .latin1: text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        case .auto, .utf8: Array(text.utf8)
        }
    }

    /// A stream that gives a few bytes at a time.
    private static func stream(_ bytes: [UInt8], pieces: Int) -> ByteInput.Source {
        var rest = bytes[...]
        return { room throws(ConnectorError) in
            let count = min(room.count, pieces, rest.count)
            room.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
    }

    private static func read(
        _ source: ByteInput.Source,
        room size: Int = 4_096
    ) throws -> [UInt8] {
        let room = Chunk(capacity: size)
        var result: [UInt8] = []
        while true {
            let count = try source(UnsafeMutableRawBufferPointer(rebasing: room.bytes[..<size]))
            if count == 0 { return result }
            result += room.bytes.prefix(count)
        }
    }

    @Test(
        "what is decoded is the same text without its mark",
        arguments: [
            (Charset.auto, Charset.utf8, [] as [UInt8]), (.auto, .utf8, [0xef, 0xbb, 0xbf]),
            (.auto, .utf16LittleEndian, [0xff, 0xfe]), (.auto, .utf16BigEndian, [0xfe, 0xff]),
            (.utf16, .utf16LittleEndian, [0xff, 0xfe]), (.utf16, .utf16BigEndian, []),
            (.utf16LittleEndian, .utf16LittleEndian, []),
            (.utf16LittleEndian, .utf16LittleEndian, [0xff, 0xfe]),
            (.utf16BigEndian, .utf16BigEndian, [0xfe, 0xff]), (.utf8, .utf8, [0xef, 0xbb, 0xbf]),
            (.latin1, .latin1, []),
        ],
        [1, 2, 3, 1_000]
    )
    func decodes(_ stream: (Charset, Charset, [UInt8]), pieces: Int) throws {
        let (charset, encoding, mark) = stream
        let text = encoding == .latin1 ? "größe\n" : "größe € 😀 𝄞\n"
        let bytes = mark + Self.encode(text, encoding)
        let source = try charset.decoding(Self.stream(bytes, pieces: pieces))
        #expect(try Self.read(source) == Array(text.utf8))
        let empty = try charset.decoding(Self.stream(mark, pieces: pieces))
        #expect(try Self.read(empty) == [])
    }

    @Test("decoding goes on across every boundary", arguments: [1, 2, 3, 4, 5, 4_096], [1, 7])
    func smallRooms(_ size: Int, pieces: Int) throws {
        let text = String(repeating: "aß€😀\n", count: 5_000)
        let bytes = Self.encode(text, .utf16LittleEndian)
        let decoder = CharsetDecoder(
            .utf16LittleEndian,
            offset: 0,
            reading: Self.stream(bytes, pieces: pieces)
        )
        let source: ByteInput.Source = { room throws(ConnectorError) in
            try decoder.read(into: room)
        }
        #expect(try Self.read(source, room: size) == Array(text.utf8))
    }

    @Test(
        "what is no text gives what precedes it, and then an error with the byte",
        arguments: [[0xd8, 0x00, 0x00, 0x41], [0xdc, 0x00], [0xd8, 0x00], [0x00]] as [[UInt8]]
    )
    func invalid(_ bad: [UInt8]) throws {
        let bytes = [0xfe, 0xff] + Self.encode("good", .utf16BigEndian) + bad
        let source = try Charset.auto.decoding(Self.stream(bytes, pieces: 5))
        var text: [UInt8] = []
        let error = try #require(throws: ConnectorError.self) {
            while true {
                let room = Chunk(capacity: 64)
                let count = try source(room.bytes)
                text += room.bytes.prefix(count)
                if count == 0 { break }
            }
        }
        #expect(text == Array("good".utf8))
        #expect(error.code.rawValue == "charset.invalid")
        #expect(error.message.contains("byte 10 of the input"))
    }
}
