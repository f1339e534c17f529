import Compression
import ConnectorSDK
import Glibc
import Testing

@Suite("Compressed streams")
struct StreamTests {
    static let kinds: [CompressionKind] = [.gzip, .zstd]

    @Test(
        "what was written is read, whatever the pieces",
        arguments: kinds,
        [1, 7, 4_096, 1 << 20]
    )
    func roundTrips(kind: CompressionKind, piece: Int) throws {
        let data = sampleBytes(300_000)
        let compressed = try compress(kind, [data])
        #expect(compressed.count < data.count / 2)
        let stream = try #require(
            try kind.makeDecompressor(reading: makeSource(compressed, piece: piece))
        )
        #expect(try readAll(stream, step: max(piece, 100)) == data)
    }

    @Test("members and frames follow one another as one stream", arguments: kinds)
    func concatenates(kind: CompressionKind) throws {
        let parts = [sampleBytes(1_000), [], Array("x".utf8), sampleBytes(200_000)]
        let compressed = try compress(kind, parts)
        for piece in [1, 3, 10_000] {
            let stream = try #require(
                try kind.makeDecompressor(reading: makeSource(compressed, piece: piece))
            )
            #expect(try readAll(stream) == parts.flatMap { $0 })
        }
    }

    @Test("a stream cut off behind a frame is whole", arguments: kinds)
    func truncatesToFrame(kind: CompressionKind) throws {
        let output = OutputBuffer()
        let compressor = try #require(try kind.makeCompressor())
        let first = sampleBytes(50_000)
        try first.withUnsafeBytes { try compressor.write($0, into: output) }
        try compressor.endFrame(into: output)
        let checkpoint = output.count
        try sampleBytes(9_000).withUnsafeBytes { try compressor.write($0, into: output) }
        try compressor.endFrame(into: output)
        let kept = Array(output.bytes[..<checkpoint])
        let stream = try #require(try kind.makeDecompressor(reading: makeSource(kept)))
        #expect(try readAll(stream) == first)
    }

    @Test("ending a frame that was not begun writes nothing", arguments: kinds)
    func endsNothing(kind: CompressionKind) throws {
        #expect(try compress(kind, [[], []]).isEmpty)
    }

    @Test("a stream that ends in the middle is an error, wherever it ends", arguments: kinds)
    func noticesTruncation(kind: CompressionKind) throws {
        let compressed = try compress(kind, [sampleBytes(3_000)])
        for length in 1..<compressed.count {
            let stream = try #require(
                try kind.makeDecompressor(reading: makeSource(Array(compressed[..<length])))
            )
            #expect(
                code { _ = try readAll(stream) } == "compression.truncated",
                "at \(length)"
            )
        }
    }

    @Test("a damaged byte is an error or changes nothing, wherever it is", arguments: kinds)
    func noticesDamage(kind: CompressionKind) throws {
        let data = sampleBytes(2_000)
        let compressed = try compress(kind, [data])
        for position in compressed.indices {
            var damaged = compressed
            damaged[position] ^= 0x10
            let stream = try #require(
                try kind.makeDecompressor(reading: makeSource(damaged))
            )
            do {
                let result = try readAll(stream)
                // Some bits say nothing of the content, such as the time in a gzip header.
                #expect(result == data, "at \(position)")
            } catch let error as ConnectorError {
                #expect(error.code.rawValue.hasPrefix("compression."))
            }
        }
    }

    @Test("an empty source is an empty stream", arguments: kinds)
    func readsNothing(kind: CompressionKind) throws {
        let stream = try #require(try kind.makeDecompressor(reading: makeSource([])))
        #expect(try readAll(stream).isEmpty)
    }

    @Test("an error of the source comes through")
    func passesErrors() throws {
        let stream = try GzipDecompressor { _ throws(ConnectorError) in
            throw ConnectorError(.fileSystem, .failTask, "The disk is gone.")
        }
        #expect(code { _ = try readAll(stream) } == "file_system")
    }

    @Test("a byte input reads through a decompressor")
    func feedsByteInput() throws {
        let data = sampleBytes(100_000)
        let stream = try GzipDecompressor(reading: makeSource(try compress(.gzip, [data])))
        let input = ByteInput(chunkSize: 16 << 10) { room throws(ConnectorError) in
            try stream.read(into: room)
        }
        var result: [UInt8] = []
        while try input.fill() {
            result += input.window
            input.consume(input.window.count)
        }
        #expect(result == data)
    }

    @Test(
        "other programs read what was written",
        arguments: [(CompressionKind.gzip, "gzip"), (.zstd, "zstd")]
    )
    func agreesWithPrograms(kind: CompressionKind, program: String) throws {
        guard system("command -v \(program) >/dev/null") == 0 else { return }
        let path = "/tmp/millrace-compression-\(getpid()).\(program)"
        defer { unlink(path) }
        let data = try compress(kind, [sampleBytes(5_000), sampleBytes(70_000)])
        let descriptor = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
        #expect(write(descriptor, data, data.count) == data.count)
        close(descriptor)
        #expect(system("\(program) -q -t \(path)") == 0)
    }
}

@Suite("Telling a compression by its first bytes")
struct DetectionTests {
    @Test(
        "known formats are told apart",
        arguments: [
            ([0x1f, 0x8b, 8, 0], CompressionKind.gzip), ([0x28, 0xb5, 0x2f, 0xfd], .zstd),
            ([0x53, 0x2a, 0x4d, 0x18, 0, 0], .zstd), ([0x04, 0x22, 0x4d, 0x18], .lz4),
            ([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0], .snappy),
            (Array("{\"id\":1}".utf8), .none), ([], .none), ([0x1f], .none),
            ([0x50, 0x2a, 0x4d], .none),
        ] as [([UInt8], CompressionKind)]
    )
    func detects(start: [UInt8], kind: CompressionKind) {
        #expect(start.withUnsafeBytes { CompressionKind.detect($0) } == kind)
    }
}
