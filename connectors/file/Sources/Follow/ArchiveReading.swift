internal import Compression
internal import ConnectorSDK
internal import FileSystem

/// A compressed file that is read from its start to its end, a piece at a time.
final class ArchiveReading {
    /// The decompressed bytes; its window begins where reading is.
    let input: ByteInput
    /// The last bytes before the window.
    private(set) var end = ContentEnd()

    init(_ file: OpenFile, _ kind: CompressionKind) throws(ConnectorError) {
        var offset: Int64 = 0
        let raw: ByteInput.Source = { room throws(ConnectorError) in
            let count = try reportingToEngine { () throws(FileSystemError) in
                try file.read(at: offset, into: room)
            }
            offset += Int64(count)
            return count
        }
        guard let decompressor = try kind.makeDecompressor(reading: raw) else {
            throw ConnectorError(
                .init("file.compression"),
                .failTask,
                "Files of this compression cannot be followed."
            )
        }
        input = ByteInput(chunkSize: FileFollower.blockSize) { room throws(ConnectorError) in
            try decompressor.read(into: room)
        }
    }

    /// How a file is compressed, by its first bytes.
    static func kind(_ start: [UInt8]) -> CompressionKind {
        start.withUnsafeBytes { CompressionKind.detect($0) }
    }

    /// Makes the window hold so many bytes, or all that there are.
    func fill(_ count: Int) throws(ConnectorError) {
        while input.window.count < count, try input.fill() {}
    }

    /// Moves on, within the window.
    func consume(_ count: Int) {
        let passed = UnsafeRawBufferPointer(rebasing: input.window[..<count])
        if passed.count >= ContentEnd.limit {
            end = ContentEnd(passed)
        } else {
            end.bytes = Array((end.bytes + Array(passed)).suffix(ContentEnd.limit))
        }
        input.consume(count)
    }

    /// Goes on to a place, for at most `budget` bytes; `nil` when the content ends before it, else
    /// whether the place is reached.
    func skip(to byte: Int64, budget: Int) throws(ConnectorError) -> Bool? {
        var rest = budget
        while input.offset < byte, rest > 0 {
            if input.window.isEmpty, try !input.fill() { return nil }
            let count = min(input.window.count, Int(min(Int64(Int.max), byte - input.offset)))
            consume(count)
            rest -= count
        }
        return input.offset == byte
    }
}
