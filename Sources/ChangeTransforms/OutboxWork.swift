internal import ConnectorSDK
internal import JSONRecords
internal import RecordFields
internal import TopicRouting

/// Makes the events of one batch, a batch for each topic.
internal final class OutboxWork {
    private static let valueField = "payload"

    /// What is known of an event before its value.
    private struct Event {
        var topic: String
        var key: Cell
        var metadata = RecordMetadata()
    }

    private let columns: OutboxColumns
    private let router: TopicRouter
    private let plan: OutboxPlan
    private let source: RecordBatch
    /// The row that is being read; its memory lives as long as the events.
    private let row = RecordBatch()
    private var open: [String: RecordBatch] = [:]
    private let parser = JSONRecordParser()
    private lazy var envelopeSchema = makeEnvelopeSchema()
    private(set) var batches: [RecordBatch] = []
    private let text = OutputBuffer(capacity: 1 << 10)

    init(
        _ columns: OutboxColumns,
        _ router: TopicRouter,
        _ plan: OutboxPlan,
        _ source: RecordBatch
    ) {
        self.columns = columns
        self.router = router
        self.plan = plan
        self.source = source
        plan.rows.begin(row)
    }

    /// Makes the event of a row that was inserted.
    func append(_ number: Int) throws(ConnectorError) {
        if row.count > 0 { row.removeLast(row.count) }
        row.appendRow()
        guard case .read = plan.rows.read(source[number, plan.after], into: row, row: 0) else {
            throw Self.refusal("The change holds no row as an object.")
        }
        let route = try cell(columns.route)
        guard route.tag == .string,
            let topic = router.topic(String(decoding: route.slice, as: UTF8.self))
        else { throw Self.refusal("The column `\(columns.route)` names no topic.") }
        let payload = try cell(columns.payload)
        var event = Event(topic: topic, key: try cell(columns.key))
        event.metadata = source.metadata(number).pointee
        try addHeaders(&event.metadata)
        try stamp(&event.metadata)
        let isEmpty = payload.isNil || (payload.isSlice && payload.length == 0)
        if isEmpty, columns.buries {
            event.metadata.isTombstone = true
            let batch = open[topic] ?? begin(topic)
            batch.appendRow()
            finish(event, in: batch)
        } else if !columns.envelope.isEmpty {
            try appendEnveloped(payload, event)
        } else if columns.expands {
            try appendExpanded(payload, isEmpty: isEmpty, event)
        } else {
            appendOpaque(payload, event, to: open[topic] ?? begin(topic))
        }
    }

    // MARK: - Values

    private func appendOpaque(_ payload: Cell, _ event: Event, to batch: RecordBatch) {
        var event = event
        let value = payload.isSlice ? payload.slice : written(payload)
        event.metadata.raw = value
        let number = batch.appendRow()
        batch[number, 0] = .slice(.bytes, value)
        finish(event, in: batch)
    }

    /// The payload is a field of the event, beside others.
    private func appendEnveloped(_ payload: Cell, _ event: Event) throws(ConnectorError) {
        var event = event
        var cells = [columns.expands && !payload.isNil ? try json(payload) : payload]
        for item in columns.envelope { cells.append(try additional(item)) }
        let batch = open[event.topic] ?? begin(event.topic)
        let number = batch.appendRow()
        for (column, cell) in cells.enumerated() { batch[number, column] = cell }
        event.metadata.raw = UnsafeRawBufferPointer(start: nil, count: 0)
        finish(event, in: batch)
    }

    /// The payload's own fields become the event's.
    private func appendExpanded(
        _ payload: Cell,
        isEmpty: Bool,
        _ event: Event
    ) throws(ConnectorError) {
        guard !isEmpty else {
            // It has no fields, so it is alone among those that have.
            open[event.topic] = nil
            let batch = begin(event.topic)
            batch.replaceValues(with: .opaque)
            open[event.topic] = nil
            return appendOpaque(.null, event, to: batch)
        }
        var event = event
        event.metadata.raw = try json(payload).slice
        for _ in 0..<2 {
            let batch = open[event.topic] ?? begin(event.topic)
            switch parser.append(event.metadata.raw, to: batch) {
            case .parsed: return finish(event, in: batch)
            // Its fields need a batch of their own.
            case .conflict: open[event.topic] = nil
            case .invalid: throw Self.refusal("The payload is not JSON.")
            }
        }
    }

    private func json(_ payload: Cell) throws(ConnectorError) -> Cell {
        let text = payload.isSlice ? payload.slice : written(payload)
        guard payload.tag == .json || JSONText.error(in: text) == nil else {
            throw Self.refusal("The payload is not JSON.")
        }
        return .slice(.json, text)
    }

    private func written(_ cell: Cell) -> UnsafeRawBufferPointer {
        text.count = 0
        JSONText.appendCell(cell, to: text)
        return row.arena.copy(text.bytes)
    }

    // MARK: - Keys, headers, times

    private func addHeaders(_ metadata: inout RecordMetadata) throws(ConnectorError) {
        let headers = OutputBuffer(capacity: 256)
        headers.append(metadata.headers)
        var values: [(name: String, cell: Cell)] = [("id", try cell(columns.id))]
        for item in columns.additional {
            switch item.place {
            case .header: values.append((item.name, try additional(item)))
            case .envelope: continue
            case .partition:
                let cell = try additional(item)
                guard cell.tag == .int, let partition = Int32(exactly: cell.int64) else { continue }
                metadata.partition = partition
            }
        }
        for (name, cell) in values where !cell.isNil {
            let value = cell.isSlice ? cell.slice : written(cell)
            HeaderWriter.append(name, String(decoding: value, as: UTF8.self), to: headers)
            metadata.headerCount += 1
        }
        metadata.headers = withExtendedLifetime(headers) { row.arena.copy(headers.bytes) }
    }

    private func stamp(_ metadata: inout RecordMetadata) throws(ConnectorError) {
        guard let column = columns.timestamp else { return }
        let time = try cell(column)
        switch time.tag {
        case .int: metadata.timestamp = time.int64
        case .timestamp, .localTimestamp: metadata.timestamp = time.int64 / 1_000
        default: throw Self.refusal("The column `\(column)` holds no time.")
        }
    }

    /// Completes the last row of a batch.
    private func finish(_ event: Event, in batch: RecordBatch) {
        let number = batch.count - 1
        batch.metadata(number).pointee = event.metadata
        let key = event.key
        batch.keyRow(number)?.pointee =
            key.isNil ? .null : .slice(.bytes, key.isSlice ? key.slice : written(key))
    }

    /// A column of the row; rejects a row that has none of that name.
    private func cell(_ name: String) throws(ConnectorError) -> Cell {
        guard let column = row.schema.index(of: name) else {
            throw Self.refusal("The row has no column `\(name)`.")
        }
        return row[0, column]
    }

    private func additional(_ item: OutboxColumns.Additional) throws(ConnectorError) -> Cell {
        guard let column = row.schema.index(of: item.column) else {
            if columns.mustExist { throw Self.refusal("The row has no column `\(item.column)`.") }
            return .null
        }
        return row[0, column]
    }

    private static func refusal(_ message: String) -> ConnectorError {
        ConnectorError(.init("transform.outbox"), .rejectRecord, message)
    }

    // MARK: - Batches

    private func makeEnvelopeSchema() -> Schema {
        let known = plan.rows.schema
        func type(_ column: String) -> FieldType {
            known.flatMap { known in known.index(of: column).map { known.fields[$0].type } } ?? .any
        }
        let payload = Field(Self.valueField, columns.expands ? .json : type(columns.payload))
        return Schema([payload] + columns.envelope.map { Field($0.name, type($0.column)) })
    }

    /// Begins a batch of a topic: of opaque values, of fields that are known, or of the payloads'.
    private func begin(_ topic: String) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: topic, schema: .opaque, keySchema: .opaque)
        if !columns.envelope.isEmpty {
            batch.replaceValues(with: envelopeSchema)
        } else if columns.expands {
            parser.begin(batch)
        }
        batch.origin = source.origin
        batch.retain(source)
        batch.retain(row)
        open[topic] = batch
        batches.append(batch)
        return batch
    }
}
