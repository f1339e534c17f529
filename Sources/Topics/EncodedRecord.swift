/// One record of a RecordBatch, as slices of the batch's bytes.
internal struct EncodedRecord {
    var timestampDelta: Int64
    var offsetDelta: Int64
    /// The key's address, `nil` for a null key.
    var keyStart: UnsafeRawPointer?
    var keyLength: Int
    /// The value's address, `nil` for a null value.
    var valueStart: UnsafeRawPointer?
    var valueLength: Int
    var headersStart: UnsafeRawPointer
    var headersLength: Int
    var headerCount: Int

    /// The key, or `nil` for none.
    var key: UnsafeRawBufferPointer? {
        keyStart.map { UnsafeRawBufferPointer(start: $0, count: keyLength) }
    }

    /// The value, or `nil` for null.
    var value: UnsafeRawBufferPointer? {
        valueStart.map { UnsafeRawBufferPointer(start: $0, count: valueLength) }
    }

    /// The headers in Kafka's encoding.
    var headers: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: headersStart, count: headersLength)
    }

    /// Reads the record at `source`, and moves `source` behind it.
    ///
    /// ``Varint/maxLength`` bytes behind `end` must be readable: a varint may run over it, which
    /// is noticed after the fact. No slice reaches past `end`.
    ///
    /// - Returns: `nil` when the bytes are no record that ends by `end`. (D9)
    @inline(__always)
    init?(_ source: inout UnsafeRawPointer, end: UnsafeRawPointer) {
        guard source < end else { return nil }
        var cursor = source
        let length = Varint.read(&cursor)
        // Smallest record: attributes, two deltas, two lengths and a header count.
        guard length >= 6, cursor <= end, length <= end - cursor else { return nil }
        let recordEnd = cursor + Int(length)
        cursor += 1
        timestampDelta = Varint.read(&cursor)
        guard cursor <= recordEnd else { return nil }
        offsetDelta = Varint.read(&cursor)
        guard cursor <= recordEnd else { return nil }
        let keyLength = Varint.read(&cursor)
        guard cursor <= recordEnd, keyLength >= -1, keyLength <= recordEnd - cursor else {
            return nil
        }
        keyStart = keyLength < 0 ? nil : cursor
        self.keyLength = max(Int(keyLength), 0)
        cursor += self.keyLength
        let valueLength = Varint.read(&cursor)
        guard cursor <= recordEnd, valueLength >= -1, valueLength <= recordEnd - cursor else {
            return nil
        }
        valueStart = valueLength < 0 ? nil : cursor
        self.valueLength = max(Int(valueLength), 0)
        cursor += self.valueLength
        let headerCount = Varint.read(&cursor)
        guard cursor <= recordEnd, headerCount >= 0 else { return nil }
        headersStart = cursor
        headersLength = recordEnd - cursor
        self.headerCount = Int(headerCount)
        if headerCount == 0 {
            guard headersLength == 0 else { return nil }
        } else {
            guard Self.areHeaders(cursor, end: recordEnd, count: headerCount) else { return nil }
        }
        source = recordEnd
    }

    /// Whether `count` headers take exactly the bytes up to `end`.
    @inline(never)
    private static func areHeaders(
        _ start: UnsafeRawPointer,
        end: UnsafeRawPointer,
        count: Int64
    ) -> Bool {
        var cursor = start
        var rest = count
        while rest > 0 {
            guard cursor < end else { return false }
            let keyLength = Varint.read(&cursor)
            guard cursor <= end, keyLength >= 0, keyLength <= end - cursor else { return false }
            cursor += Int(keyLength)
            let valueLength = Varint.read(&cursor)
            guard cursor <= end, valueLength >= -1, valueLength <= end - cursor else {
                return false
            }
            cursor += max(Int(valueLength), 0)
            rest -= 1
        }
        return cursor == end
    }
}
