internal import ConnectorSDK
internal import JSONRecords

/// Writes the records of the transaction topic: where transactions begin and end.
///
/// Not for each change but for each transaction, so it takes its time.
internal final class TransactionTeller {
    private static let collectionFields = [
        Field("data_collection", .string), Field("event_count", .int64),
    ]
    private static let schema = Schema([
        Field("status", .string), Field("id", .string), Field("ts_ms", .int64),
        Field("event_count", .int64), Field("data_collections", .json),
    ])
    private static let keySchema = Schema([Field("id", .string)])

    private unowned let stream: ChangeStream
    private var batch: RecordBatch?
    private let output = OutputBuffer(capacity: 1 << 10)

    init(_ stream: ChangeStream) { self.stream = stream }

    var hasRecords: Bool { batch != nil }

    /// The records since the last call, or `nil`.
    func takeBatch() -> RecordBatch? {
        defer { batch = nil }
        return batch
    }

    func begin(_ transaction: CapturedTransaction) {
        append(transaction, status: "BEGIN", collections: nil)
    }

    /// Tells the end, behind which nothing of the transaction follows.
    func end(_ transaction: CapturedTransaction) {
        var counts: [(name: String, events: UInt64)] = []
        for table in stream.touched {
            // A table whose columns changed in the middle is two of ours.
            if let known = counts.firstIndex(where: { $0.name == table.name }) {
                counts[known].events += table.events
            } else {
                counts.append((table.name, table.events))
            }
        }
        let text = OutputBuffer(capacity: 256)
        text.append(UInt8(ascii: "["))
        for (index, count) in counts.enumerated() {
            text.append(index == 0 ? #"{"data_collection":"# : #",{"data_collection":"#)
            JSONText.appendString(count.name, to: text)
            text.append(#","event_count":\#(count.events)}"#)
        }
        text.append(UInt8(ascii: "]"))
        append(transaction, status: "END", collections: text)
    }

    private func append(
        _ transaction: CapturedTransaction,
        status: String,
        collections: OutputBuffer?
    ) {
        let batch = open()
        let row = batch.appendRow()
        let id = batch.makeCell(.string("\(transaction.id):\(transaction.sequence)"))
        let cells = batch.row(row)
        cells[0] = batch.makeCell(.string(status))
        cells[1] = id
        cells[2] = .int(transaction.microseconds / 1_000)
        cells[3] = .null
        cells[4] = .null
        batch.keyRow(row)?[0] = id
        guard let collections else { return }
        cells[3] = .int(Int64(clamping: stream.counter.events))
        cells[4] = .slice(.json, batch.copy(collections))
        output.count = 0
        let mark = "\(transaction.sequence):end"
        HeaderWriter.append("\(CapturedChangeHeader.transaction)", mark, to: output)
        batch.metadata(row).pointee.headers = batch.copy(output)
        batch.metadata(row).pointee.headerCount = 1
    }

    private func open() -> RecordBatch {
        if let batch { return batch }
        let topic = stream.settings.transactionTopic
        let batch = stream.outlet.makeBatch(topic: topic, schema: Self.schema)
        batch.addKeys(Self.keySchema)
        self.batch = batch
        return batch
    }
}
