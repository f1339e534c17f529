internal import ConnectorSDK
internal import Glibc

/// What is needed of values before they are parsed.
internal enum OpaqueValues {
    /// Makes ``RecordMetadata/raw`` say where each value is, as its cell is about to go.
    static func noteRaw(_ batch: RecordBatch) {
        for row in batch.indices {
            let cell = batch.row(row).pointee
            if cell.isSlice {
                batch.metadata(row).pointee.raw = cell.slice
            } else if cell.isNil {
                batch.metadata(row).pointee.isTombstone = true
            }
        }
    }

    static func hasLineBreak(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let start = text.baseAddress else { return false }
        return memchr(start, 0x0A, text.count) != nil || memchr(start, 0x0D, text.count) != nil
    }
}

/// The record header that names a registered schema.
internal enum SchemaHeader {
    private static let name = Array("millrace.schema".utf8)

    /// The id in a record's headers: decimal digits; `nil` when there is none.
    @inline(__always)
    static func id(_ metadata: RecordMetadata) -> Int32? {
        metadata.headerCount == 0 ? nil : find(metadata.headers, count: metadata.headerCount)
    }

    private static func find(_ headers: UnsafeRawBufferPointer, count: UInt32) -> Int32? {
        var reader = HeaderReader(bytes: headers)
        for _ in 0..<count {
            guard let key = reader.next(), let value = reader.next() else { return nil }
            guard key.elementsEqual(name) else { continue }
            var id: Int32 = 0
            guard !value.isEmpty, value.count <= 9 else { return nil }
            for byte in value {
                guard byte &- 0x30 <= 9 else { return nil }
                id = id * 10 + Int32(byte &- 0x30)
            }
            return id
        }
        return nil
    }
}

/// Walks over headers in Kafka's record encoding: zig-zag varint length, bytes, again and again.
private struct HeaderReader {
    let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next key or value; a null value as an empty one; `nil` when the bytes are cut off.
    mutating func next() -> UnsafeRawBufferPointer? {
        var encoded: UInt32 = 0
        var shift: UInt32 = 0
        while true {
            guard at < bytes.count, shift < 32 else { return nil }
            let byte = bytes[at]
            at += 1
            encoded |= UInt32(byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        let length = Int(Int32(bitPattern: encoded >> 1) ^ -Int32(bitPattern: encoded & 1))
        guard length > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        guard length <= bytes.count - at else { return nil }
        defer { at += length }
        return UnsafeRawBufferPointer(rebasing: bytes[at..<(at + length)])
    }
}
