import ConnectorSDK

/// Finds small integers by key, where keys are addresses of interned names.
struct XMLNameMap {
    private var keys: [UInt]
    private var values: [Int32]
    private var count = 0

    init() {
        keys = Array(repeating: 0, count: 64)
        values = Array(repeating: 0, count: 64)
    }

    /// The value of a key, which must not be 0.
    @inline(__always)
    func find(_ key: UInt) -> Int? {
        var slot = Self.hash(key) & (keys.count &- 1)
        while true {
            let found = keys[slot]
            if found == key { return Int(values[slot]) }
            if found == 0 { return nil }
            slot = (slot &+ 1) & (keys.count &- 1)
        }
    }

    /// Gives a new key a value.
    mutating func insert(_ key: UInt, _ value: Int) {
        if count * 2 >= keys.count { grow() }
        put(key, Int32(truncatingIfNeeded: value))
        count += 1
    }

    private mutating func put(_ key: UInt, _ value: Int32) {
        var slot = Self.hash(key) & (keys.count &- 1)
        while keys[slot] != 0 { slot = (slot &+ 1) & (keys.count &- 1) }
        keys[slot] = key
        values[slot] = value
    }

    private mutating func grow() {
        let old = (keys, values)
        keys = Array(repeating: 0, count: old.0.count * 2)
        values = Array(repeating: 0, count: old.0.count * 2)
        for (key, value) in zip(old.0, old.1) where key != 0 { put(key, value) }
    }

    private static func hash(_ key: UInt) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }
}

/// What a field of a record comes from.
struct XMLFieldKey: Equatable {
    /// The interned name's address and whether it is an attribute, in one number; never 0.
    let bits: UInt

    @inline(__always)
    static func element(_ name: UnsafePointer<CChar>) -> Self {
        Self(bits: UInt(bitPattern: name) &<< 1)
    }

    @inline(__always)
    static func attribute(_ name: UnsafePointer<CChar>) -> Self {
        Self(bits: UInt(bitPattern: name) &<< 1 | 1)
    }

    /// The text beside attributes and elements.
    static let text = Self(bits: 1)

    /// The name of an element, or `nil`.
    var elementName: UnsafePointer<CChar>? {
        bits & 1 == 0 ? UnsafePointer(bitPattern: bits >> 1) : nil
    }

    /// The field's name.
    var name: String {
        guard let start = UnsafePointer<CChar>(bitPattern: bits >> 1) else { return "#text" }
        return (bits & 1 == 1 ? "@" : "") + String(cString: start)
    }
}

/// The columns that records have had so far, in the order in which they first came, and the cells
/// of the record being built.
///
/// Fields of different names are not in an order that XML gives a meaning to, so a record's fields
/// take the places that they have, and a batch is never cut for them.
final class XMLColumns {
    private struct Column {
        var key: XMLFieldKey
        var cell = Cell.missing
    }

    // One reader uses them for an instant at a time: exclusive access is not checked.
    @exclusivity(unchecked) private(set) var count = 0
    @exclusivity(unchecked) private var columns = UnsafeMutablePointer<Column>.allocate(
        capacity: 16
    )
    private var capacity = 16
    private var map = XMLNameMap()
    private var names: [String] = []
    private var madeSchema = Schema([Field]())

    deinit { columns.deallocate() }

    /// The cell of a column; ``Cell/missing`` where the record has no such field so far.
    @inline(__always)
    subscript(column: Int) -> Cell {
        get { columns[column].cell }
        set { columns[column].cell = newValue }
    }

    /// The column of a field, tried at `expected` first; a new field gets one.
    @inline(__always)
    func column(of key: XMLFieldKey, expected: Int) -> Int {
        if expected < count, columns[expected].key == key { return expected }
        return map.find(key.bits) ?? add(key)
    }

    @inline(never)
    private func add(_ key: XMLFieldKey) -> Int {
        if count == capacity { grow() }
        (columns + count).initialize(to: Column(key: key))
        names.append(key.name)
        map.insert(key.bits, count)
        count += 1
        return count - 1
    }

    private func grow() {
        let larger = UnsafeMutablePointer<Column>.allocate(capacity: capacity * 2)
        larger.update(from: columns, count: count)
        columns.deallocate()
        columns = larger
        capacity *= 2
    }

    /// Moves the record's cells to a row of a batch; they become missing.
    @inline(__always)
    func move(to row: UnsafeMutablePointer<Cell>) {
        for column in 0..<count {
            row[column] = columns[column].cell
            columns[column].cell = .missing
        }
    }

    /// Empties the record's cells, and forgets the columns from `kept` on.
    func drop(keeping kept: Int) {
        for column in 0..<kept { columns[column].cell = .missing }
        guard kept < count else { return }
        count = kept
        names.removeSubrange(kept...)
        map = XMLNameMap()
        for column in 0..<kept { map.insert(columns[column].key.bits, column) }
    }

    /// The schema of all columns; the same object while there are no new ones.
    var schema: Schema {
        if madeSchema.count != names.count { madeSchema = Schema(names) }
        return madeSchema
    }
}
