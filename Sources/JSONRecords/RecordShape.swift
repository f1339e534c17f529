internal import ConnectorSDK

/// What the parser knows of a schema: each key as it usually stands in the text, and where it goes.
internal final class RecordShape {
    /// `"name":` as bytes.
    struct Key {
        var start: UnsafePointer<UInt8>
        var count: Int
    }

    let schema: Schema
    let count: Int
    /// The keys, in order.
    let keys: UnsafeMutablePointer<Key>
    private let names: Arena
    private let spellings: OutputBuffer
    private let table: NameTable

    init(_ schema: Schema) {
        self.schema = schema
        count = schema.count
        keys = .allocate(capacity: max(count, 1))
        spellings = OutputBuffer(capacity: 1 << 10)
        var names = Arena(capacity: 1 << 10)
        var table = NameTable()
        var ends: [Int] = []
        for field in schema.fields {
            JSONText.appendString(field.name, to: spellings)
            spellings.append(UInt8(ascii: ":"))
            ends.append(spellings.count)
            let utf8 = Array(field.name.utf8)
            let copy = utf8.withUnsafeBytes { names.copy($0) }
            let start = copy.baseAddress ?? UnsafeRawPointer(spellings.base)
            _ = table.insert(start.assumingMemoryBound(to: UInt8.self), count: copy.count)
        }
        self.names = names
        self.table = table
        let text = UnsafeRawPointer(spellings.base).assumingMemoryBound(to: UInt8.self)
        var start = 0
        for (column, end) in ends.enumerated() {
            keys[column] = Key(start: text + start, count: end - start)
            start = end
        }
    }

    deinit { keys.deallocate() }

    /// The column of a name, or `nil`.
    func column(_ name: UnsafePointer<UInt8>, count: Int) -> Int? {
        table.find(name, count: count)
    }
}
