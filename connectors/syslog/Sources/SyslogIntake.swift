internal import ConnectorSDK
internal import Glibc
internal import Listening
internal import SyslogMessages

/// Turns received messages into records, on the connector's own thread.
final class SyslogIntake {
    // RFC 3164, 4.3.3: a message without priority is user.notice.
    private static let assumedPriority: Int16 = 13

    private let settings: SyslogSettings
    private let outlet: any RecordOutlet
    private let schema: Schema
    private let fields = SyslogFields()
    private var parser: SyslogParser
    private var received: Int64
    /// The batch of each topic that has records at hand.
    private var batches: [String: RecordBatch] = [:]
    private var latest: (priority: Int16, batch: RecordBatch)?
    private var bytes = 0

    init(_ settings: SyslogSettings, _ outlet: any RecordOutlet, received: Int64) {
        self.settings = settings
        self.outlet = outlet
        self.received = received
        parser = SyslogParser(zone: settings.zone)
        schema = Schema(Self.fields(withRaw: settings.keepsRaw))
    }

    /// The fields of records.
    static func fields(withRaw keepsRaw: Bool) -> [Field] {
        SyslogFields.fields + [Field("source_ip", .string)] + (keepsRaw ? [Field("raw")] : [])
    }

    /// Writes everything that is in a queue.
    func send(_ queue: HandOver<MessageBlock>) async throws(ConnectorError) {
        let blocks = queue.takeAll()
        guard !blocks.isEmpty else { return }
        let now = Int64(time(nil))
        var cost = 0
        for block in blocks {
            append(block, now)
            cost += block.cost
            guard bytes >= RecordBatch.byteLimit || isFull else { continue }
            try await send()
            // Memory that the batches held is free now.
            queue.release(cost)
            cost = 0
        }
        try await send()
        queue.release(cost)
    }

    private var isFull: Bool { batches.values.contains { $0.isFull } }

    private func append(_ block: MessageBlock, _ now: Int64) {
        for message in block.messages {
            let text = block.bytes(message)
            var parsed = parser.parse(text, received: now)
            if parsed.priority < 0 { parsed.priority = Self.assumedPriority }
            let batch = batch(parsed.priority)
            batch.retain(block.chunk)
            let row = batch.appendRow()
            let cells = batch.row(row)
            fields.write(parsed, to: cells, in: batch)
            let source = block.source(message)
            if !source.isEmpty { cells[SyslogFields.fields.count] = .slice(.string, source) }
            if settings.keepsRaw {
                cells[SyslogFields.fields.count + 1] = fields.text(text, in: batch)
            }
            batch.metadata(row).pointee.raw = text
            bytes += text.count
        }
        received += Int64(block.messages.count)
    }

    private func batch(_ priority: Int16) -> RecordBatch {
        if let latest, latest.priority == priority { return latest.batch }
        let topic = settings.topics[Int(priority)]
        let batch: RecordBatch
        if let known = batches[topic] {
            batch = known
        } else {
            batch = outlet.makeBatch(topic: topic, schema: schema)
            fields.begin(batch)
            batches[topic] = batch
        }
        latest = (priority, batch)
        return batch
    }

    private func send() async throws(ConnectorError) {
        guard !batches.isEmpty else { return }
        let all = Array(batches.values)
        batches.removeAll(keepingCapacity: true)
        latest = nil
        bytes = 0
        try await outlet.send(all, position: ListenerPosition.position(received))
    }
}
