internal import ConnectorSDK
internal import JSONRecords

/// Finds the fields of names that lines have, without a `String` for each.
///
/// The lines of a log mostly have the same names in the same order, so the name at the same place
/// of the last line is compared first.
internal struct NameIndex: ~Copyable {
    private struct Name {
        var start: UnsafeRawPointer
        var count: Int
    }

    private var table = NameTable()
    private var memory = Arena(capacity: 1 << 10)
    private var names: [Name] = []
    /// The field at each place of the last line.
    private var order: [Int] = []
    private var place = 0
    private let fields: LineFields

    init(_ fields: LineFields) { self.fields = fields }

    /// Begins a line: no field has a value.
    mutating func beginLine() {
        for index in 0..<place { fields.cells[order[index]] = .missing }
        if fields.areNested, fields.areTooMany(afterLineOf: place) { forget() }
        place = 0
    }

    /// Begins a batch, whose columns need not be those of the last one.
    mutating func beginBatch() {
        if fields.areTooMany(afterLineOf: place) { forget() }
    }

    /// The field of the name that comes next in the line; `nil` when there are too many.
    @inline(__always)
    mutating func next(_ name: UnsafeRawBufferPointer) -> Int? {
        if place < order.count {
            let known = names[order[place]]
            if known.count == name.count, let start = name.baseAddress,
                isEqual(known.start, start, known.count)
            {
                place &+= 1
                return order[place &- 1]
            }
        }
        return find(name)
    }

    @inline(__always)
    private func isEqual(
        _ left: UnsafeRawPointer,
        _ right: UnsafeRawPointer,
        _ count: Int
    ) -> Bool {
        for index in 0..<count
        where left.load(fromByteOffset: index, as: UInt8.self)
            != right.load(fromByteOffset: index, as: UInt8.self)
        { return false }
        return true
    }

    @inline(never)
    private mutating func find(_ name: UnsafeRawBufferPointer) -> Int? {
        let text = name.bindMemory(to: UInt8.self)
        guard let start = text.baseAddress else { return nil }
        let index: Int
        if let known = table.find(start, count: text.count) {
            index = known
        } else {
            guard fields.count < fields.limit else { return nil }
            let copy = memory.copy(name)
            guard let base = copy.baseAddress else { return nil }
            index = table.insert(base.assumingMemoryBound(to: UInt8.self), count: name.count).index
            names.append(Name(start: base, count: name.count))
            fields.add(String(decoding: name, as: UTF8.self))
        }
        if place < order.count { order[place] = index } else { order.append(index) }
        place += 1
        return index
    }

    private mutating func forget() {
        table.removeAll()
        memory.removeAll()
        names.removeAll(keepingCapacity: true)
        order.removeAll(keepingCapacity: true)
        place = 0
        fields.removeAll()
    }
}
