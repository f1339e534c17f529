import CXMLShim
import ConnectorSDK
import JSONRecords

/// Makes the cells of one record after the other out of events.
///
/// A value that stands in the document as it is becomes a slice of the input's window, any other a
/// copy in the batch's arena.
struct XMLRecordBuilder {
    /// The bytes of text in the record so far.
    private(set) var size = 0
    /// Whether a value of the record was too long to be kept.
    private(set) var isCut = false

    private let columns = XMLColumns()
    private var expected = 0
    /// The fields of the record so far.
    private var fieldCount = 0
    /// The columns of the records that were kept.
    private var keptColumns = 0
    /// The number of last records that used few of many columns.
    private var sparseRecords = 0
    private var repeats = XMLRepeats()
    private var nesting = XMLNesting()
    private var arrays: XMLArrayRule
    /// Whether ``path`` must be known.
    let hasArrayRule: Bool
    /// The open elements from the root to the record.
    var path: [UnsafePointer<CChar>] = []
    private let recordText = OutputBuffer(capacity: 1_024)
    private let scratch = OutputBuffer(capacity: 1_024)
    private var arena = XMLArena()

    init(_ settings: XMLSettings) {
        arrays = XMLArrayRule(settings.forceArray)
        hasArrayRule = !arrays.isEmpty
    }

    /// Gives back memory that the batch need not keep.
    mutating func endBatch(_ batch: RecordBatch) { arena.giveBack(to: batch) }

    /// Begins a record.
    @inline(__always)
    mutating func begin() {
        repeats.removeAll()
        nesting.removeAll()
        recordText.count = 0
        expected = 0
        fieldCount = 0
        size = 0
        isCut = false
    }

    /// The number of open elements inside the record.
    var depth: Int { nesting.depth }

    /// The columns of the records so far.
    var schema: Schema { columns.schema }

    /// Takes events from `index` on and before `limit`, up to the end of the record.
    ///
    /// - Returns: whether the last event taken ends the record.
    mutating func take(
        _ events: UnsafeBufferPointer<mr_xml_event>,
        _ source: XMLSource,
        from index: inout Int,
        to limit: Int,
        in batch: RecordBatch
    ) -> Bool {
        while index < limit {
            let event = events[index]
            switch Int(event.kind) {
            case MR_XML_LEAF:
                index += 1
                leaf(event, event, source, in: batch)
            case MR_XML_START:
                index += start(events, source, at: index, in: batch)
            case MR_XML_END:
                index += 1
                if nesting.depth == 0 { return true }
                close(in: batch)
            default:
                index += 1
                content(event, source, in: batch)
            }
        }
        return false
    }

    /// Takes an element that may be a leaf without being said to be one, all of it if it is;
    /// returns the number of events.
    private mutating func start(
        _ events: UnsafeBufferPointer<mr_xml_event>,
        _ source: XMLSource,
        at index: Int,
        in batch: RecordBatch
    ) -> Int {
        let hasText = index + 1 < events.count && Int(events[index + 1].kind) == MR_XML_TEXT
        let end = index + (hasText ? 2 : 1)
        guard end < events.count, Int(events[end].kind) == MR_XML_END else {
            if let name = events[index].name { nesting.open(name) }
            return 1
        }
        var text = events[end - 1]
        if !hasText { text.length = 0 }
        leaf(events[index], text, source, in: batch)
        return end + 1 - index
    }

    /// Takes an element that holds `text` alone.
    @inline(__always)
    private mutating func leaf(
        _ element: mr_xml_event,
        _ text: mr_xml_event,
        _ source: XMLSource,
        in batch: RecordBatch
    ) {
        guard let name = element.name else { return }
        size &+= Int(text.length) &+ 1
        if text.is_cut != 0 { isCut = true }
        if nesting.depth > 0 { return nesting.add(.element(name), source.value(text)) }
        place(.element(name), cell(text, source, in: batch))
    }

    @inline(__always)
    private mutating func cell(
        _ event: mr_xml_event,
        _ source: XMLSource,
        in batch: RecordBatch
    ) -> Cell {
        if let bytes = source.windowValue(event) { return .slice(.string, bytes) }
        return .slice(.string, arena.copy(source.value(event), in: batch))
    }

    private mutating func content(
        _ event: mr_xml_event,
        _ source: XMLSource,
        in batch: RecordBatch
    ) {
        if Int(event.kind) == MR_XML_NIL { return mark(event, in: batch) }
        size &+= Int(event.length) &+ 1
        if event.is_cut != 0 { isCut = true }
        let isNested = nesting.depth > 0
        if Int(event.kind) == MR_XML_ATTRIBUTE, let name = event.name {
            if isNested { return nesting.add(.attribute(name), source.value(event)) }
            place(.attribute(name), cell(event, source, in: batch))
        } else if isNested {
            nesting.add(.text, source.value(event))
        } else {
            recordText.append(source.value(event))
        }
    }

    /// Takes the attribute `xsi:nil="true"`.
    private mutating func mark(_ event: mr_xml_event, in batch: RecordBatch) {
        guard let name = event.name else { return }
        if nesting.depth > 0 { return nesting.addNilMark(name) }
        let mark = UnsafeRawBufferPointer(start: ("true" as StaticString).utf8Start, count: 4)
        place(.attribute(name), .slice(.string, arena.copy(mark, in: batch)))
    }

    private mutating func close(in batch: RecordBatch) {
        guard let closed = closeElement() else { return }
        let isNull = closed.json.first == 0x6E
        let cell: Cell = isNull ? .null : .slice(.json, arena.copy(closed.json, in: batch))
        place(.element(closed.name), cell)
    }

    private mutating func closeElement() -> (
        name: UnsafePointer<CChar>, json: UnsafeRawBufferPointer
    )? {
        guard hasArrayRule else { return nesting.close { _ in false } }
        let path = self.path + nesting.path
        var rule = arrays
        defer { arrays = rule }
        return nesting.close { name in rule.covers(name) { path } }
    }
}

// MARK: - Fields

extension XMLRecordBuilder {
    @inline(__always)
    private mutating func place(_ key: XMLFieldKey, _ cell: Cell) {
        let column = columns.column(of: key, expected: expected)
        expected = column &+ 1
        guard columns[column].tag == .missing else { return repeats.append(cell, to: column) }
        columns[column] = cell
        fieldCount &+= 1
        if hasArrayRule { markForced(key, column) }
    }

    private mutating func markForced(_ key: XMLFieldKey, _ column: Int) {
        guard let name = key.elementName else { return }
        let path = self.path
        if arrays.covers(name, inside: { path }) { repeats.mark(column) }
    }

    /// Drops the record, and the columns that it alone has.
    mutating func drop() {
        columns.drop(keeping: keptColumns)
        repeats.removeAll()
    }

    /// Whether names seem to be data: most records use few of many columns.
    ///
    /// Depends on the records so far and on nothing else, so that a record's fields come in the
    /// same order when it is read again.
    var shouldForgetColumns: Bool { sparseRecords >= 64 }

    /// Begins to collect columns anew.
    mutating func forgetColumns() {
        columns.drop(keeping: 0)
        repeats = XMLRepeats()
        keptColumns = 0
        sparseRecords = 0
    }

    /// Appends the record to `block`.
    @inline(__always)
    mutating func finish(_ metadata: RecordMetadata, into block: inout XMLBlock) {
        let batch = block.batch
        if recordText.count > 0 {
            place(.text, .slice(.string, arena.copy(recordText.bytes, in: batch)))
        }
        for column in repeats.columns { columns[column] = array(column, in: batch) }
        block.append(columns, metadata)
        keptColumns = columns.count
        let isSparse = keptColumns > 256 && fieldCount * 4 < keptColumns
        sparseRecords = isSparse ? sparseRecords + 1 : 0
    }

    private mutating func array(_ column: Int, in batch: RecordBatch) -> Cell {
        scratch.count = 0
        scratch.append(0x5B)
        appendJSON(columns[column])
        repeats.forEach(in: column) { cell in
            scratch.append(0x2C)
            appendJSON(cell)
        }
        scratch.append(0x5D)
        return .slice(.json, arena.copy(scratch.bytes, in: batch))
    }

    private func appendJSON(_ cell: Cell) {
        switch cell.tag {
        case .string: JSONText.appendString(cell.slice, to: scratch)
        case .json: scratch.append(cell.slice)
        default: scratch.append("null")
        }
    }
}

/// The second and later values of a record's fields.
struct XMLRepeats {
    private struct Value {
        var cell: Cell
        var next = -1
    }

    /// The columns that become arrays.
    private(set) var columns: [Int] = []
    private var values: [Value] = []
    /// For each column its first and last value here; -1 for none, -2 for not in `columns`.
    private var ends: [(first: Int, last: Int)] = []

    @inline(__always)
    mutating func removeAll() {
        if !columns.isEmpty { empty() }
    }

    private mutating func empty() {
        for column in columns { ends[column] = (-2, -2) }
        columns.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
    }

    /// Makes a column an array.
    mutating func mark(_ column: Int) {
        while ends.count <= column { ends.append((-2, -2)) }
        guard ends[column].first == -2 else { return }
        ends[column] = (-1, -1)
        columns.append(column)
    }

    mutating func append(_ cell: Cell, to column: Int) {
        mark(column)
        let index = values.count
        values.append(Value(cell: cell))
        if ends[column].last >= 0 { values[ends[column].last].next = index }
        if ends[column].first < 0 { ends[column].first = index }
        ends[column].last = index
    }

    func forEach(in column: Int, _ body: (Cell) -> Void) {
        var index = ends[column].first
        while index >= 0 {
            body(values[index].cell)
            index = values[index].next
        }
    }
}

/// Takes memory from a batch's arena in large pieces.
struct XMLArena {
    private static let piece = 32 << 10
    private var next: UnsafeMutableRawPointer?
    private var left = 0
    /// The batch whose memory it is.
    private var owner: ObjectIdentifier?

    /// Copies bytes to where the batch keeps them.
    @inline(__always)
    mutating func copy(
        _ bytes: UnsafeRawBufferPointer,
        in batch: RecordBatch
    ) -> UnsafeRawBufferPointer {
        if left < bytes.count || next == nil {
            left = max(bytes.count, Self.piece)
            next = batch.arena.allocate(left)
            owner = ObjectIdentifier(batch)
        }
        guard let target = next else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        if let start = bytes.baseAddress {
            target.copyMemory(from: start, byteCount: bytes.count)
        }
        next = target + bytes.count
        left -= bytes.count
        return UnsafeRawBufferPointer(start: target, count: bytes.count)
    }

    /// Gives back what is left; the next copy may be into another batch.
    mutating func giveBack(to batch: RecordBatch) {
        if owner == ObjectIdentifier(batch) { batch.arena.giveBack(left) }
        owner = nil
        next = nil
        left = 0
    }
}
