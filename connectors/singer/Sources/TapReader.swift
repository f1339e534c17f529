internal import ConnectorSDK
internal import RecordStreams
internal import JSONDocuments
internal import JSONRecords
internal import Logging

/// Makes batches of a tap's lines, and keeps them until the tap says how far it is.
final class TapReader {
    private let settings: SingerSettings
    private let context: ConnectorContext
    private let outlet: any RecordOutlet
    private var place: TapPosition
    private var streams: [String: TapStream] = [:]
    /// Batches that are full, in order, and not sent.
    private var waiting: [RecordBatch] = []
    private var waitingBytes = 0
    /// Lines that belong to no stream, and cannot be read.
    private var strays: RecordBatch?
    private var hasWarned = false
    /// The records that were taken or rejected.
    private(set) var records: Int64 = 0

    init(
        _ settings: SingerSettings,
        _ context: ConnectorContext,
        _ place: TapPosition,
        into outlet: any RecordOutlet
    ) {
        self.settings = settings
        self.context = context
        self.place = place
        self.outlet = outlet
    }

    /// The last state that was sent.
    var state: String? { place.state }

    /// Reads to the end of the tap's output.
    func run(_ lines: LineCutter) async throws(ConnectorError) {
        while true {
            switch try lines.next() {
            case .end: return
            case .tooLong(let start):
                try reject(
                    start,
                    isCut: true,
                    lines.number,
                    "it is longer than `max.record.bytes` allows"
                )
            case .text(let line): try await take(line, lines)
            }
            guard waitingBytes >= settings.stateBytes else { continue }
            warnOnce()
            try await send()
        }
    }

    /// Sends what is left, when the tap has ended well.
    func finish() async throws(ConnectorError) {
        place.isDone = true
        try await send()
        try await outlet.settle()
    }

    private func take(
        _ line: UnsafeRawBufferPointer,
        _ lines: LineCutter
    ) async throws(ConnectorError) {
        let message: SingerMessage
        do throws(JSONSyntaxError) {
            message = try SingerMessage(line)
        } catch {
            return try reject(
                Array(line.prefix(64 << 10)),
                isCut: line.count > 64 << 10,
                lines.number,
                "it is no JSON: \(error.reason.rawValue) at byte \(error.offset)"
            )
        }
        switch message.type {
        case "RECORD": try add(message, line, lines)
        case "SCHEMA": try begin(message)
        case "STATE":
            guard let value = message.content, value.first != UInt8(ascii: "n") else { return }
            place.state = String(decoding: value, as: UTF8.self)
            try await send()
        case "ACTIVATE_VERSION":
            context.logger.info(
                "the tap has replaced all rows of a stream; older records stay in its topic",
                metadata: ["stream": "\(message.stream)"]
            )
        case "BATCH":
            throw ConnectorError(
                .init("singer.batch"),
                .failTask,
                "The tap sends its records in files (BATCH), which are not read.",
                kind: .configuration,
                hint: "Leave `batch_config` out of its configuration."
            )
        case "":
            try reject(Array(line.prefix(64 << 10)), isCut: false, lines.number, "it has no `type`")
        default:
            // The specification lets taps say more than is known.
            context.logger.debug("message passed over", metadata: ["type": "\(message.type)"])
        }
    }

    /// Notes what a stream holds from now on.
    private func begin(_ message: SingerMessage) throws(ConnectorError) {
        guard let content = message.content, !message.stream.isEmpty,
            let schema = JSONDocument(parsingAny: String(decoding: content, as: UTF8.self))
        else {
            throw ConnectorError(
                .init("singer.schema"),
                .failTask,
                "The tap sends a SCHEMA without `stream` or `schema`."
            )
        }
        let keys = message.keyProperties.flatMap {
            JSONDocument(parsingAny: String(decoding: $0, as: UTF8.self))
        }
        let topic = settings.topic(of: message.stream)
        if let other = streams.values.first(where: {
            $0.topic == topic && $0.name != message.stream
        }) {
            // With one topic for all of them that is what is wanted.
            guard !settings.topic.contains("${stream}") else {
                throw .invalid(
                    "topic",
                    "The streams `\(other.name)` and `\(message.stream)` have the same topic.",
                    hint: "Name it with all that tells them apart."
                )
            }
        }
        if let known = streams[message.stream] { put(known) }
        streams[message.stream] = TapStream(
            message.stream,
            topic: topic,
            schema: schema,
            keys: keys?.array?.compactMap(\.string) ?? []
        )
    }

    private func add(
        _ message: SingerMessage,
        _ line: UnsafeRawBufferPointer,
        _ lines: LineCutter
    ) throws(ConnectorError) {
        guard let text = message.content, let stream = streams[message.stream] else {
            return try reject(
                Array(line.prefix(64 << 10)),
                isCut: false,
                lines.number,
                message.content == nil ? "it has no `record`" : "no SCHEMA came for its stream"
            )
        }
        records += 1
        waitingBytes += line.count
        while true {
            let outcome = stream.add(
                text,
                lines.input.chunk,
                time: message.timeExtracted,
                line: lines.number
            )
            switch outcome {
            case .taken: return
            case .needsBatch:
                put(stream)
                let batch = outlet.makeBatch(topic: stream.topic, schema: .opaque)
                batch.origin = stream.name
                stream.begin(batch)
            case .refused(let error):
                guard let batch = stream.batch else { throw error }
                var record = RejectedRecord(
                    error: error,
                    topic: stream.topic,
                    value: Array(text),
                    line: lines.number
                )
                record.origin = stream.name
                return batch.reject(record)
            }
        }
    }

    /// Moves a stream's batch to those that wait.
    private func put(_ stream: TapStream) {
        if let batch = stream.takeBatch() { waiting.append(batch) }
    }

    private func reject(
        _ line: [UInt8],
        isCut: Bool,
        _ number: Int64,
        _ reason: String
    ) throws(ConnectorError) {
        let topic = settings.topic(of: "unknown")
        let batch = strays ?? outlet.makeBatch(topic: topic, schema: .opaque)
        let error = ConnectorError(
            .init("singer.line"),
            .rejectRecord,
            "Line \(number) of the tap is no message: \(reason)."
        )
        var record = RejectedRecord(error: error, topic: topic, value: line, line: number)
        record.isCut = isCut
        record.origin = context.name
        batch.reject(record)
        strays = batch
        waitingBytes += line.count
    }

    /// Sends all that waits, with the tap's state behind it. (D3)
    private func send() async throws(ConnectorError) {
        for stream in streams.values.sorted(by: { $0.name < $1.name }) { put(stream) }
        if let batch = strays { waiting.append(batch) }
        strays = nil
        let batches = waiting
        waiting = []
        waitingBytes = 0
        if batches.isEmpty {
            try await outlet.advance(to: place.position)
        } else {
            try await outlet.send(batches, position: place.position)
        }
    }

    private func warnOnce() {
        guard !hasWarned else { return }
        hasWarned = true
        context.logger.notice(
            """
            the tap does not say how far it is within `state.wait.max.bytes`: if it is interrupted, \
            records come again
            """
        )
    }
}
