internal import CBytes
internal import ConnectorSDK

/// What the parser knows of a schema: each key as it usually stands in the text, and where it goes.
internal final class RecordShape {
    /// `,"name":` as bytes, or `, "name": ` as some programs write it.
    struct Key {
        var start: UnsafePointer<UInt8>
        var count: Int
        /// A bit for each of the first 16 bytes.
        var mask: UInt32

        /// Whether the key stands at `at`, behind which 16 bytes may be read.
        @inline(__always)
        func stands(at: UnsafePointer<UInt8>) -> Bool {
            guard mr_json_same16(at, start) & mask == mask else { return false }
            return count <= 16 || Bytes.equal(at + 16, start + 16, count: count &- 16)
        }

        /// Whether the key without its comma stands at `at`.
        @inline(__always)
        func stands(behindCommaAt at: UnsafePointer<UInt8>) -> Bool {
            let rest = count &- 1
            let mask: UInt32 = rest >= 16 ? 0xFFFF : self.mask >> 1
            guard mr_json_same16(at, start + 1) & mask == mask else { return false }
            return rest <= 16 || Bytes.equal(at + 16, start + 17, count: rest &- 16)
        }
    }

    let schema: Schema
    let count: Int
    /// The keys in order, without and with spaces.
    let compactKeys: UnsafeMutablePointer<Key>
    let spacedKeys: UnsafeMutablePointer<Key>
    /// Whether the last key that had to be looked up had spaces around it.
    @exclusivity(unchecked) var isSpaced = false
    private let names: Arena
    private let spellings: OutputBuffer
    private let table: NameTable

    init(_ schema: Schema) {
        self.schema = schema
        count = schema.count
        compactKeys = .allocate(capacity: max(count, 1))
        spacedKeys = .allocate(capacity: max(count, 1))
        spellings = OutputBuffer(capacity: 1 << 10)
        var names = Arena(capacity: 1 << 10)
        var table = NameTable()
        var ends: [Int] = []
        for field in schema.fields {
            for (comma, colon) in [(",", ":"), (", ", ": ")] {
                spellings.append(comma)
                JSONText.appendString(field.name, to: spellings)
                spellings.append(colon)
                ends.append(spellings.count)
            }
            let utf8 = Array(field.name.utf8)
            let copy = utf8.withUnsafeBytes { names.copy($0) }
            let start = copy.baseAddress ?? UnsafeRawPointer(spellings.base)
            _ = table.insert(start.assumingMemoryBound(to: UInt8.self), count: copy.count)
        }
        self.names = names
        self.table = table
        let text = UnsafeRawPointer(spellings.base).assumingMemoryBound(to: UInt8.self)
        var start = 0
        for (index, end) in ends.enumerated() {
            let mask: UInt32 = end - start >= 16 ? 0xFFFF : (1 << UInt32(end - start)) - 1
            let key = Key(start: text + start, count: end - start, mask: mask)
            (index % 2 == 0 ? compactKeys : spacedKeys)[index / 2] = key
            start = end
        }
    }

    deinit {
        compactKeys.deallocate()
        spacedKeys.deallocate()
    }

    /// The column of a name, or `nil`.
    func column(_ name: UnsafePointer<UInt8>, count: Int) -> Int? {
        table.find(name, count: count)
    }
}
