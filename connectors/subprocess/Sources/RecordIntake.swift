internal import ConnectorSDK
internal import JSONDocuments
internal import JSONRecords

/// Makes batches of a program's records, until it says how far it is.
final class RecordIntake {
    /// A batch that is being filled, and what its records have in common.
    private struct Open {
        var batch: RecordBatch
        var isJSON: Bool
        var parser: JSONRecordParser
    }

    private let topic: String?
    private let outlet: any RecordOutlet
    private let origin: String
    private var open: [String: Open] = [:]
    private var parsers: [String: JSONRecordParser] = [:]
    private var full: [RecordBatch] = []
    private let headers = OutputBuffer(capacity: 1 << 10)
    /// The records that were taken since they were handed over.
    private(set) var count: Int64 = 0
    /// How long their messages are, in all.
    private(set) var bytes = 0

    init(topic: String?, origin: String, into outlet: any RecordOutlet) {
        self.topic = topic
        self.origin = origin
        self.outlet = outlet
    }

    /// Adds a record; returns what is wrong with it as a message.
    func add(_ message: ProgramMessage, _ chunk: Chunk) -> String? {
        guard let topic = message.text("topic") ?? topic, !topic.isEmpty else {
            return "It has no `topic`, and the key `topic` is not set."
        }
        count += 1
        bytes += message.size
        let json = message.slice("value")
        if let last = open[topic], last.isJSON != (json != nil) || last.batch.isFull {
            put(topic)
        }
        let current = self.batch(topic, isJSON: json != nil)
        if let json {
            if !append(json, topic) {
                put(topic)
                _ = self.batch(topic, isJSON: true)
                guard append(json, topic) else { return "Its `value` cannot be read." }
            }
        } else if let problem = appendOpaque(message, to: current) {
            return problem
        }
        guard let batch = open[topic]?.batch else { return nil }
        batch.retain(chunk)
        return complete(message, batch)
    }

    /// Hands over all batches, in order of topics.
    func take() -> [RecordBatch] {
        for topic in open.keys.sorted() { put(topic) }
        defer {
            full = []
            count = 0
            bytes = 0
        }
        return full
    }

    private func batch(_ topic: String, isJSON: Bool) -> RecordBatch {
        if let current = open[topic] { return current.batch }
        let batch = outlet.makeBatch(topic: topic, schema: .opaque)
        batch.origin = origin
        let parser = parsers[topic] ?? JSONRecordParser()
        parsers[topic] = parser
        if isJSON { parser.begin(batch) }
        batch.addKeys(.opaque)
        open[topic] = Open(batch: batch, isJSON: isJSON, parser: parser)
        return batch
    }

    private func put(_ topic: String) {
        guard let current = open.removeValue(forKey: topic) else { return }
        if current.batch.count > 0 { full.append(current.batch) }
    }

    private func append(_ json: UnsafeRawBufferPointer, _ topic: String) -> Bool {
        guard let current = open[topic] else { return false }
        return current.parser.append(json, isValidUTF8: true, to: current.batch) == .parsed
    }

    /// A value that is no JSON, or none at all: a tombstone.
    private func appendOpaque(_ message: ProgramMessage, to batch: RecordBatch) -> String? {
        guard let value = bytes(message, "value", batch) else {
            return "Its `value_base64` is no base64."
        }
        if let value {
            batch.appendOpaque(value)
        } else {
            let row = batch.appendRow()
            batch.row(row).pointee = .null
            batch.metadata(row).pointee.isTombstone = true
        }
        return nil
    }

    private func complete(
        _ message: ProgramMessage,
        _ batch: RecordBatch
    ) -> String? {
        let row = batch.count - 1
        let metadata = batch.metadata(row)
        if let timestamp = message.number("timestamp") { metadata.pointee.timestamp = timestamp }
        if let key = message.slice("key") {
            batch.keyRow(row)?.pointee = .slice(.bytes, key)
        } else {
            guard let key = bytes(message, "key", batch) else {
                return "Its `key_base64` is no base64."
            }
            batch.keyRow(row)?.pointee = key.map { .slice(.bytes, $0) } ?? .null
        }
        guard let fields = message.document("headers")?.fields, !fields.isEmpty else { return nil }
        headers.count = 0
        for (name, value) in fields {
            HeaderWriter.append(name, value.string ?? value.text, to: headers)
        }
        metadata.pointee.headers = batch.arena.copy(headers.bytes)
        metadata.pointee.headerCount = UInt32(fields.count)
        return nil
    }

    /// The bytes of `<name>_text` or `<name>_base64`, if there is one; `nil` when it is wrong.
    private func bytes(
        _ message: ProgramMessage,
        _ name: String,
        _ batch: RecordBatch
    ) -> UnsafeRawBufferPointer?? {
        if let text = message.slice(name + "_text") {
            let cell = JSONText.cell(text, in: batch)
            return cell.tag == .string ? .some(cell.slice) : .some(text)
        }
        guard let text = message.slice(name + "_base64") else { return .some(nil) }
        let cell = JSONText.cell(text, in: batch)
        guard cell.tag == .string else { return nil }
        let room = batch.arena.allocate(cell.slice.count)
        guard let count = Base64.decode(cell.slice, to: room) else { return nil }
        return .some(UnsafeRawBufferPointer(start: room, count: count))
    }
}
