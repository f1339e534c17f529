internal import ConnectorSDK

/// Takes out the header that names a schema by a number, which means something only in the topics
/// that it was written to: elsewhere the number is that of another schema, or of none.
///
/// The value stays the JSON that it is. All other headers stay byte for byte.
internal enum ForeignHeaders {
    private static let name: StaticString = "millrace.schema"

    internal static func remove(from batch: RecordBatch, rows: Range<Int>) {
        for row in rows where batch.metadata(row).pointee.headerCount > 0 {
            let metadata = batch.metadata(row)
            guard HeaderReader.value(of: name, in: metadata.pointee) != nil else { continue }
            let (bytes, count) = others(metadata.pointee)
            metadata.pointee.headers = bytes.withUnsafeBytes { batch.arena.copy($0) }
            metadata.pointee.headerCount = count
        }
    }

    /// The encoding of all other headers, null values as they are.
    private static func others(_ metadata: RecordMetadata) -> ([UInt8], UInt32) {
        let encoded = metadata.headers
        var reader = HeaderReader(bytes: encoded)
        var bytes: [UInt8] = []
        var count: UInt32 = 0
        for _ in 0..<metadata.headerCount {
            let start = reader.offset
            guard let key = reader.next(), reader.next() != nil else { break }
            let isForeign = key.elementsEqual(
                UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            )
            if isForeign { continue }
            bytes += encoded[start..<reader.offset]
            count += 1
        }
        return (bytes, count)
    }
}
