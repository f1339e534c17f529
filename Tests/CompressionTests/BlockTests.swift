import CSnappy
import ConnectorSDK
import Testing

@testable import Compression

@Suite("Compressed blocks")
struct BlockTests {
    static let kinds: [CompressionKind] = [.none, .gzip, .zstd, .lz4, .snappy]

    static func snappy(_ data: [UInt8]) -> [UInt8] {
        var size = snappy_max_compressed_length(data.count)
        var result = [CChar](repeating: 0, count: size)
        data.withUnsafeBytes { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            _ = snappy_compress(start, bytes.count, &result, &size)
        }
        return result.prefix(size).map { UInt8(bitPattern: $0) }
    }

    /// Xerial's framing, as Kafka's Java client writes it.
    static func xerial(_ parts: [[UInt8]]) -> [UInt8] {
        let header: [UInt8] = [0x82] + Array("SNAPPY".utf8) + [0, 0, 0, 0, 1, 0, 0, 0, 1]
        return parts.reduce(header) { result, part in
            let block = snappy(part)
            return result + withUnsafeBytes(of: UInt32(block.count).bigEndian) { Array($0) }
                + block
        }
    }

    static func compressed(_ kind: CompressionKind, _ data: [UInt8]) throws -> [UInt8] {
        let output = OutputBuffer(capacity: 10)
        let compressor = BlockCompressor()
        switch kind {
        case .none: return data
        case .gzip: return try compress(.gzip, [data])
        case .snappy: return snappy(data)
        case .lz4: try data.withUnsafeBytes { try compressor.compressLZ4($0, into: output) }
        case .zstd: try data.withUnsafeBytes { try compressor.compressZstd($0, into: output) }
        }
        return Array(output.bytes)
    }

    static func decompress(
        _ kind: CompressionKind,
        _ data: [UInt8],
        limit: Int = 64 << 20,
        with decompressor: BlockDecompressor = BlockDecompressor()
    ) throws -> [UInt8] {
        let (chunk, count) = try data.withUnsafeBytes {
            try decompressor.decompress(kind, $0, limit: limit)
        }
        return Array(chunk.bytes[..<count])
    }

    @Test("what was compressed is decompressed", arguments: kinds, [1, 100, 65_536, 1_500_000])
    func roundTrips(kind: CompressionKind, size: Int) throws {
        let data = sampleBytes(size)
        #expect(try Self.decompress(kind, Self.compressed(kind, data)) == data)
    }

    @Test("what repeats for ever becomes very small, and large again", arguments: kinds)
    func expands(kind: CompressionKind) throws {
        let data = [UInt8](repeating: 0x61, count: 5_000_000)
        #expect(try Self.decompress(kind, Self.compressed(kind, data)) == data)
    }

    // D7: memory is bounded whatever the input.
    @Test("more than the limit is an error", arguments: kinds)
    func refusesBombs(kind: CompressionKind) throws {
        let data = [UInt8](repeating: 0, count: 3_000_000)
        let bomb = try Self.compressed(kind, data)
        #expect(
            code { _ = try Self.decompress(kind, bomb, limit: 2_999_999) }
                == "compression.too_large"
        )
        #expect(try Self.decompress(kind, bomb, limit: 3_000_001).count == data.count)
    }

    @Test("frames, members and framed blocks follow one another")
    func concatenates() throws {
        let parts = [sampleBytes(70_000), sampleBytes(10), sampleBytes(200_000)]
        let all = parts.flatMap { $0 }
        #expect(try Self.decompress(.snappy, Self.xerial(parts)) == all)
        for kind in [CompressionKind.gzip, .zstd, .lz4] {
            let data = try parts.flatMap { try Self.compressed(kind, $0) }
            #expect(try Self.decompress(kind, data) == all)
        }
    }

    @Test("frames that do not tell their size are read")
    func streams() throws {
        let data = sampleBytes(900_000)
        #expect(try Self.decompress(.zstd, compress(.zstd, [data])) == data)
    }

    @Test("data that ends in the middle is an error", arguments: kinds.dropFirst())
    func noticesTruncation(kind: CompressionKind) throws {
        let whole = try Self.compressed(kind, sampleBytes(4_000))
        for length in 0..<whole.count {
            let found = code { _ = try Self.decompress(kind, Array(whole[..<length])) }
            #expect(found?.hasPrefix("compression.") == true, "at \(length)")
        }
    }

    @Test("damaged data is an error or small, never a crash", arguments: kinds.dropFirst())
    func survivesDamage(kind: CompressionKind) throws {
        let whole = try Self.compressed(kind, sampleBytes(1_000))
        let decompressor = BlockDecompressor()
        for position in whole.indices {
            for bit in 0..<8 {
                var damaged = whole
                damaged[position] ^= 1 << UInt8(bit)
                do {
                    let data = try Self.decompress(
                        kind,
                        damaged,
                        limit: 100_000,
                        with: decompressor
                    )
                    #expect(data.count <= 100_000)
                } catch let error as ConnectorError {
                    #expect(error.code.rawValue.hasPrefix("compression."))
                }
            }
        }
        // And the context is of use afterwards.
        #expect(try Self.decompress(kind, whole, with: decompressor) == sampleBytes(1_000))
    }

    @Test("xerial's framing is checked before it is followed")
    func checksXerial() throws {
        let whole = Self.xerial([sampleBytes(300), sampleBytes(300)])
        for length in 8..<whole.count {
            let part = Array(whole[..<length])
            let found = code { _ = try Self.decompress(.snappy, part) }
            // Behind the header and behind the first block it could be whole.
            let isWhole = length == 16 || length == Self.xerial([sampleBytes(300)]).count
            #expect((found == nil) == isWhole, "at \(length)")
        }
        var hostile = whole
        hostile.replaceSubrange(16..<20, with: [0xff, 0xff, 0xff, 0xff])
        #expect(code { _ = try Self.decompress(.snappy, hostile) } == "compression.truncated")
    }

    @Test("chunks are used again when nobody keeps them")
    func reuses() throws {
        let decompressor = BlockDecompressor()
        let data = try Self.compressed(.lz4, sampleBytes(100_000))
        func address() throws -> UnsafeMutableRawPointer {
            try data.withUnsafeBytes {
                try decompressor.decompress(.lz4, $0, limit: 1 << 20).chunk.base
            }
        }
        let first = try address()
        #expect(try address() == first)
        let kept = try data.withUnsafeBytes {
            try decompressor.decompress(.lz4, $0, limit: 1 << 20)
        }
        #expect(try address() != kept.chunk.base)
        #expect(Array(kept.chunk.bytes[..<kept.count]) == sampleBytes(100_000))
    }
}
