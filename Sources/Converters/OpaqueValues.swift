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

    /// Whether the values are no objects, and so have but the field that stands for them.
    static func areWhole(_ batch: RecordBatch) -> Bool {
        guard batch.schema.count == 1, batch.schema.fields[0].name == RecordPart.value.rawValue
        else { return false }
        return batch.indices.allSatisfy { row in
            let text = batch.metadata(row).pointee.raw
            return text.first { $0 > 0x20 } != UInt8(ascii: "{")
        }
    }

    static func hasLineBreak(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let start = text.baseAddress else { return false }
        return memchr(start, 0x0A, text.count) != nil || memchr(start, 0x0D, text.count) != nil
    }
}

/// The record header that names a registered schema.
internal enum SchemaHeader {
    /// The id in a record's headers: decimal digits; `nil` when there is none.
    @inline(__always)
    static func id(_ metadata: RecordMetadata) -> Int32? {
        metadata.headerCount == 0 ? nil : find(metadata)
    }

    private static func find(_ metadata: RecordMetadata) -> Int32? {
        guard let value = HeaderReader.value(of: "millrace.schema", in: metadata),
            !value.isEmpty, value.count <= 9
        else { return nil }
        var id: Int32 = 0
        for byte in value {
            guard byte &- 0x30 <= 9 else { return nil }
            id = id * 10 + Int32(byte &- 0x30)
        }
        return id
    }
}
