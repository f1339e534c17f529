internal import ConnectorSDK
internal import JSONRecords

/// Undoes the escapes of texts in quotes.
internal enum EscapedValue {
    /// What a text between quotes means: itself, or a copy in the arena without its escapes.
    ///
    /// - Returns: `nil` when an escape is none, such as `\q` or half of a surrogate pair.
    @inline(__always)
    static func read(
        _ text: UnsafeRawBufferPointer,
        in batch: RecordBatch
    ) -> UnsafeRawBufferPointer? {
        guard text.contains(UInt8(ascii: "\\")) else { return text }
        return decode(text, in: batch)
    }

    @inline(never)
    private static func decode(
        _ text: UnsafeRawBufferPointer,
        in batch: RecordBatch
    ) -> UnsafeRawBufferPointer? {
        let room = batch.arena.allocate(text.count)
        let target = room.assumingMemoryBound(to: UInt8.self)
        guard let count = JSONText.decodeEscapes(of: text, to: target) else {
            batch.arena.giveBack(text.count)
            return nil
        }
        return UnsafeRawBufferPointer(start: room, count: count)
    }
}
