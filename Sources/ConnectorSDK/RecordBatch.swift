/// Records that travel together: one block of cells, row after row, under one ``Schema``.
///
/// A batch belongs to one topic. It is the unit of hand-off, commit, metric and log line, and it
/// is recycled: a source asks its outlet for one, a sink must not keep one after `write` returns.
/// It is not `Sendable`; one task at a time owns it.
///
/// `rows × stride` cells are stored row-major. `stride` may exceed the schema's count, so that
/// transforms add fields in place. Memory that cells point to is either the batch's own
/// ``arena`` or a ``Chunk`` it retains.
public final class RecordBatch {
    /// A batch aims at no more rows than this.
    public static let rowLimit = 4_096
    /// A batch aims at no more input bytes than this.
    public static let byteLimit = 1 << 20
    /// A batch aims at no more cells than this, whatever the width of its records.
    public static let cellLimit = 128 << 10

    /// The topic the records go to or came from.
    public var topic = ""
    /// Where the records were read, such as a file's path or a table, for messages and dead letters.
    public var origin: String?
    /// What else is needed to read a record of ``origin`` by itself, for dead letters; see
    /// ``RecordReader/recordContext``.
    public var recordContext: String?
    /// The columns of the values.
    @inlinable public internal(set) var schema: Schema {
        get { valueSchema }
        set { valueSchema = newValue }
    }
    @exclusivity(unchecked) @usableFromInline internal var valueSchema = Schema.opaque
    /// The columns of the keys; `nil` when no record has one.
    @inlinable public internal(set) var keySchema: Schema? {
        get { schemaOfKeys }
        set { schemaOfKeys = newValue }
    }
    @exclusivity(unchecked) @usableFromInline internal var schemaOfKeys: Schema?
    /// Whether the values are still exactly what ``RecordMetadata/raw`` says, as JSON text.
    ///
    /// A JSON reader sets it, whatever changes a cell clears it; a JSON writer that sees it copies.
    @inlinable public var rawIsJSON: Bool {
        get { rawIsUnchanged }
        set { rawIsUnchanged = newValue }
    }
    // Behind an inlinable accessor, since `@exclusivity` has no effect in another module.
    @exclusivity(unchecked) @usableFromInline internal var rawIsUnchanged = false
    // What follows is touched for every record or cell, for an instant each time, so that no two
    // accesses can overlap; the check at run time would cost several times the access itself.
    @exclusivity(unchecked) @usableFromInline internal var rowCount = 0
    /// Cells from one row to the next.
    @exclusivity(unchecked) @usableFromInline internal var rowStride = 1
    @exclusivity(unchecked) @usableFromInline internal var cells: UnsafeMutablePointer<Cell>
    @exclusivity(unchecked) @usableFromInline internal var cellCapacity: Int
    @exclusivity(unchecked) @usableFromInline internal var keyStride = 0
    @exclusivity(unchecked) @usableFromInline internal var keyCells: UnsafeMutablePointer<Cell>?
    /// The key cells while ``keySchema`` is nil; never there together with `keyCells`.
    internal var spareKeyCells: UnsafeMutablePointer<Cell>?
    internal var keyCapacity = 0
    @exclusivity(unchecked) @usableFromInline internal var metadataBase:
        UnsafeMutablePointer<RecordMetadata>
    @exclusivity(unchecked) @usableFromInline internal var rowCapacity: Int
    /// Memory for values that the batch makes itself.
    @exclusivity(unchecked) public var arena = Arena()
    @exclusivity(unchecked) internal var retained: [Chunk] = []
    internal var retainedBatches: [RecordBatch] = []
    /// Records taken out because they could not be read, changed or written.
    public internal(set) var rejections: [RejectedRecord] = []

    /// Makes an empty, opaque batch.
    public init() {
        rowCapacity = 256
        cellCapacity = 2_048
        cells = .allocate(capacity: cellCapacity)
        metadataBase = .allocate(capacity: rowCapacity)
    }

    deinit {
        cells.deallocate()
        keyCells?.deallocate()
        spareKeyCells?.deallocate()
        metadataBase.deallocate()
    }

    /// The number of records.
    @inlinable public var count: Int { rowCount }

    /// Cells from one row to the next.
    @inlinable public var stride: Int { rowStride }

    /// Whether the batch has reached its row or cell limit and should be sent.
    ///
    /// A soft limit: appending beyond it is allowed, where input cannot be stopped at once.
    @inlinable
    public var isFull: Bool {
        count >= Self.rowLimit || count &* rowStride >= Self.cellLimit
    }

    /// The rows.
    @inlinable public var indices: Range<Int> { 0..<count }

    /// Empties the batch and gives it a topic and columns.
    public func reset(topic: String, schema: Schema = .opaque, keySchema: Schema? = nil) {
        self.topic = topic
        origin = nil
        recordContext = nil
        rowCount = 0
        rawIsJSON = false
        arena.removeAll()
        retained.removeAll(keepingCapacity: true)
        retainedBatches.removeAll(keepingCapacity: true)
        rejections.removeAll(keepingCapacity: true)
        setColumns(schema: schema, keySchema: keySchema)
    }

    /// Keeps `chunk` alive until the batch is emptied.
    public func retain(_ chunk: Chunk) {
        if let last = retained.last, last === chunk { return }
        retained.append(chunk)
    }

    /// Keeps the memory of `batch`, whose rows were copied, until this one is emptied.
    ///
    /// `batch` must not be emptied before.
    public func retain(_ batch: RecordBatch) {
        guard batch !== self, !retainedBatches.contains(where: { $0 === batch }) else { return }
        retainedBatches.append(batch)
    }

    /// The cell of a row and column; setting one makes ``rawIsJSON`` untrue.
    @inlinable
    public subscript(row: Int, column: Int) -> Cell {
        get {
            assert(row < count && column < rowStride)
            return cells[row &* rowStride &+ column]
        }
        set {
            assert(row < count && column < rowStride)
            rawIsJSON = false
            cells[row &* rowStride &+ column] = newValue
        }
    }

    /// The first cell of a row, for loops that visit several columns.
    ///
    /// Valid until the next append or change of columns. Who writes through it sets
    /// ``rawIsJSON`` to false.
    @inlinable @inline(__always)
    public func row(_ row: Int) -> UnsafeMutablePointer<Cell> { cells + row &* rowStride }

    /// The first key cell of a row; `nil` when the batch has no keys.
    @inlinable @inline(__always)
    public func keyRow(_ row: Int) -> UnsafeMutablePointer<Cell>? {
        guard let keyCells else { return nil }
        return keyCells + row &* keyStride
    }

    /// What the record has beside its key and value.
    @inlinable
    public subscript(metadata row: Int) -> RecordMetadata {
        get { metadataBase[row] }
        set { metadataBase[row] = newValue }
    }

    /// The metadata of a row in place.
    ///
    /// Valid until the next append.
    @inlinable @inline(__always)
    public func metadata(_ row: Int) -> UnsafeMutablePointer<RecordMetadata> { metadataBase + row }

    /// Appends a record whose fields are all missing, and returns its row.
    @inlinable
    @discardableResult
    public func appendRow() -> Int {
        if count == rowCapacity || (count &+ 1) &* rowStride > cellCapacity { growRows() }
        let row = count
        rowCount = row &+ 1
        let start = cells + row &* rowStride
        for column in 0..<rowStride { start[column] = .missing }
        if let keyCells {
            let key = keyCells + row &* keyStride
            for column in 0..<keyStride { key[column] = .missing }
        }
        metadataBase[row] = RecordMetadata()
        return row
    }

    /// Appends `rows` records whose cells, key cells and metadata are whatever the memory holds.
    ///
    /// For readers that fill whole blocks: the caller sets every cell and the metadata of each row,
    /// or takes rows back with ``removeLast(_:)``.
    public func appendRows(_ rows: Int) {
        while rowCount + rows > rowCapacity || (rowCount + rows) * rowStride > cellCapacity {
            growRows(by: rows)
        }
        rowCount += rows
    }

    /// Takes back the last records.
    @inlinable
    public func removeLast(_ rows: Int = 1) { rowCount &-= rows }

    /// Appends an opaque record: `value` is in memory that the batch retains.
    @inlinable
    public func appendOpaque(_ value: UnsafeRawBufferPointer, tag: Cell.Tag = .bytes) {
        let row = appendRow()
        cells[row &* rowStride] = .slice(tag, value)
        metadataBase[row].raw = value
    }
}
