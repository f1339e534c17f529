internal import ConnectorSDK

/// Makes records of results.
internal struct AggregateResults {
    private let settings: AggregateSettings
    internal let schema: Schema
    internal let keySchema: Schema
    /// The topic of the records that come in.
    internal var topic = ""
    private var pool: [RecordBatch] = []
    private var used = 0
    private var first = 0
    private var number: UInt32 = 0

    internal init(_ settings: AggregateSettings) {
        self.settings = settings
        let group = settings.group.map { Field($0) }
        let start = Field("window_start", .timestamp, isOptional: false)
        let end = Field("window_end", .timestamp, isOptional: false)
        schema = Schema([start, end] + group + settings.functions.map { Field($0.name, $0.type) })
        keySchema = Schema([start] + group)
    }

    /// Begins what ``batches`` is to hold.
    internal mutating func begin() { first = used }

    /// The results since ``begin()``.
    internal var batches: [RecordBatch] { Array(pool[first..<used]) }

    /// Uses the batches again.
    internal mutating func recycle() { (first, used) = (0, 0) }

    internal mutating func append(_ index: Int, of window: WindowTable) {
        let batch = openBatch()
        let row = batch.appendRow()
        let cells = batch.row(row)
        let start = Cell.timestamp(microseconds: window.start * 1_000)
        cells[0] = start
        cells[1] = .timestamp(microseconds: (window.start + settings.size) * 1_000)
        let key = batch.keyRow(row)
        key?[0] = start
        var reader = CellBytes.Reader(window.key(index))
        for column in settings.group.indices {
            var cell = reader.cell() ?? .null
            if cell.isSlice { cell = .slice(cell.tag, batch.arena.copy(cell.slice)) }
            cells[2 + column] = cell
            key?[1 + column] = cell
        }
        let accumulators = window.accumulators(index)
        let firstResult = 2 + settings.group.count
        for (number, function) in settings.functions.enumerated() {
            cells[firstResult + number] = accumulators[number].result(function, in: batch)
        }
        batch.metadata(row).pointee.timestamp = window.group(index).pointee.newest
        // None of the records that came in, which are numbered from 0.
        batch.metadata(row).pointee.sequence = .max - number
        number = (number + 1) % (.max / 2)
    }

    private mutating func openBatch() -> RecordBatch {
        if used > first, !pool[used - 1].isFull { return pool[used - 1] }
        if used == pool.count { pool.append(RecordBatch()) }
        let batch = pool[used]
        used += 1
        batch.reset(topic: topic, schema: schema, keySchema: keySchema)
        return batch
    }
}
