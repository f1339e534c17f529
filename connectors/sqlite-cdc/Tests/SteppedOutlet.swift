import ConnectorSDK
import ConnectorTesting

/// Does something else between what a source sends, as other processes would.
final class SteppedOutlet: RecordOutlet {
    private let inner: RecordingOutlet
    private let afterSend: (Int) throws -> Void
    private var sends = 0

    init(_ inner: RecordingOutlet, afterSend: @escaping (Int) throws -> Void) {
        self.inner = inner
        self.afterSend = afterSend
    }

    private func step() throws(ConnectorError) {
        sends += 1
        do {
            try afterSend(sends)
        } catch {
            throw ConnectorError(.init("testing.script"), .failTask, "The script failed: \(error)")
        }
    }

    func makeBatch(topic: String, schema: Schema) -> RecordBatch {
        inner.makeBatch(topic: topic, schema: schema)
    }

    func send(_ batch: RecordBatch, position: SourcePosition) async throws(ConnectorError) {
        try await inner.send(batch, position: position)
        try step()
    }

    func send(_ batches: [RecordBatch], position: SourcePosition) async throws(ConnectorError) {
        try await inner.send(batches, position: position)
        try step()
    }

    func advance(to position: SourcePosition) async throws(ConnectorError) {
        try await inner.advance(to: position)
    }

    func forget(_ partition: String) async throws(ConnectorError) {
        try await inner.forget(partition)
    }

    func settle() async throws(ConnectorError) { try await inner.settle() }

    func idle(for duration: Duration) async throws(ConnectorError) {
        try await inner.idle(for: duration)
    }

    func makeWaker() -> @Sendable () -> Void { inner.makeWaker() }

    var isStopping: Bool { inner.isStopping }
}
