import Compression
import ConnectorSDK

/// Text that compresses like records do: much repeats, something differs.
func sampleBytes(_ count: Int) -> [UInt8] {
    var result: [UInt8] = []
    var number = 0
    while result.count < count {
        number += 1
        result += "{\"id\":\(number),\"amount\":\(number * 7_919 % 10_007),\"note\":\"x\"}\n".utf8
    }
    return Array(result.prefix(count))
}

/// A source that gives `bytes` in pieces of at most `piece` bytes.
func makeSource(_ bytes: [UInt8], piece: Int = .max) -> ByteInput.Source {
    var position = 0
    return { (room: UnsafeMutableRawBufferPointer) throws(ConnectorError) -> Int in
        let count = min(piece, room.count, bytes.count - position)
        room.copyBytes(from: bytes[position..<position + count])
        position += count
        return count
    }
}

/// Reads a stream to its end, `step` bytes at a time.
func readAll(_ stream: any StreamDecompressor, step: Int = 64 << 10) throws -> [UInt8] {
    var result: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: step, alignment: 16)
    defer { buffer.deallocate() }
    while true {
        let count = try stream.read(into: buffer)
        guard count > 0 else { return result }
        result += buffer[..<count]
    }
}

/// Compresses each part into a member or frame of its own.
func compress(_ kind: CompressionKind, _ parts: [[UInt8]]) throws -> [UInt8] {
    let output = OutputBuffer(capacity: 100)
    guard let compressor = try kind.makeCompressor() else { return [] }
    for part in parts {
        try part.withUnsafeBytes { try compressor.write($0, into: output) }
        try compressor.endFrame(into: output)
    }
    return Array(output.bytes)
}

/// The code of the error that `body` throws.
func code(of body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as ConnectorError {
        return error.code.rawValue
    } catch {
        return "\(error)"
    }
}
