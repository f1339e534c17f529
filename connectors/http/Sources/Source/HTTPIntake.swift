internal import ConnectorSDK
internal import HTTPRequests
internal import Listening
internal import NIOCore
internal import NIOHTTP1

/// Turns requests into records, and answers them when those are durable. (D1)
final class HTTPIntake {
    /// Somebody who waits for an answer; without the request, whose body is not needed any more.
    private struct Pending {
        var answer: @Sendable (HTTPAnswer) -> Void
        var records: Int
    }

    /// Requests whose records were sent, and the position behind them.
    private struct Sent {
        var position: Int64
        var requests: [Pending]
    }

    // As many batches as the outlet recycles.
    private static let mostBatches = 32

    private let settings: HTTPSourceSettings
    private let outlet: any RecordOutlet
    private let reader: BodyReader
    private var received: Int64
    private var topics: Set<String> = []
    /// What is read and not sent yet.
    private var batches: [RecordBatch] = []
    private var requests: [Pending] = []
    private var records = 0
    private var bytes = 0
    /// What is sent and not durable yet, in order.
    private var sent: [Sent] = []

    init(
        _ settings: HTTPSourceSettings,
        _ reader: BodyReader,
        _ outlet: any RecordOutlet,
        received: Int64
    ) {
        self.settings = settings
        self.reader = reader
        self.outlet = outlet
        self.received = received
    }

    /// Reads the requests of a queue, and writes what they hold.
    func send(_ services: HTTPServices) async throws(ConnectorError) {
        var rest = services.queue.takeAll()[...]
        while let request = rest.popFirst() {
            take(request)
            services.letGo(request)
            let isEnough =
                batches.count >= Self.mostBatches || records >= RecordBatch.rowLimit
                || bytes >= RecordBatch.byteLimit
            guard isEnough || rest.isEmpty else { continue }
            do throws(ConnectorError) {
                try await send()
            } catch {
                for request in rest { request.answer(.stopped) }
                throw error
            }
        }
    }

    private func take(_ request: HTTPRequest) {
        if !topics.contains(request.body.topic) {
            guard topics.count < settings.topicLimit else {
                return request.answer(
                    .refused(.notFound, "There are \(topics.count) topics already (topics.max).")
                )
            }
        }
        do throws(BodyRefusal) {
            let read = try reader.batches(of: request.body)
            let count = read.reduce(0) { $0 + $1.count }
            guard count > 0 else { return request.answer(.accepted(0)) }
            topics.insert(request.body.topic)
            batches += read
            requests.append(Pending(answer: request.answer, records: count))
            records += count
            bytes += request.body.bytes.readableBytes
        } catch {
            request.answer(.refused(error))
        }
    }

    private func send() async throws(ConnectorError) {
        guard !requests.isEmpty else { return }
        received += Int64(requests.count)
        sent.append(Sent(position: received, requests: requests))
        let all = batches
        requests.removeAll()
        batches.removeAll()
        records = 0
        bytes = 0
        // D3: all records of a request are one commit.
        try await outlet.send(all, position: ListenerPosition.position(received))
    }

    /// Answers those whose records are durable. (D1)
    func acknowledge(through positions: [SourcePosition]) {
        let last = positions.compactMap { ListenerPosition.count($0.offset) }.max() ?? 0
        while let first = sent.first, first.position <= last {
            for request in first.requests { request.answer(.accepted(request.records)) }
            sent.removeFirst()
        }
    }

    /// Tells everybody who waits that nothing is certain.
    func abandon() {
        for request in sent.flatMap(\.requests) + requests { request.answer(.stopped) }
        sent.removeAll()
        requests.removeAll()
    }
}

extension HTTPAnswer {
    /// The body cannot be taken.
    fileprivate static func refused(_ refusal: BodyRefusal) -> Self {
        refusal.isTooLarge
            ? .refused(.payloadTooLarge, refusal.reason)
            : .bad(refusal.reason, line: refusal.line, byte: refusal.byte)
    }

    /// The source stops before it is known whether the records are durable.
    fileprivate static var stopped: Self { .unavailable("The records may not have been written.") }
}
