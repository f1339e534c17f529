import ConnectorSDK
import Synchronization

/// What a ``ScriptedSource`` does, and what was done to it; shared by all its instances.
final class SourceScript: Sendable {
    /// One instance at work.
    struct Run {
        /// How many instances there were before, of all tasks.
        var attempt: Int
        var positions: [String: String]
        var outlet: any RecordOutlet
        var context: ConnectorContext
    }

    struct Log {
        var attempts = 0
        var acknowledged: [SourcePosition] = []
        var positions: [[String: String]] = []
    }

    let isBounded: Bool
    let inputBytes: Int64?
    let body: @Sendable (Run) async throws(ConnectorError) -> Void
    let onAcknowledge: @Sendable ([SourcePosition]) throws(ConnectorError) -> Void
    private let state = Mutex(Log())

    init(
        isBounded: Bool = true,
        inputBytes: Int64? = nil,
        onAcknowledge: @escaping @Sendable ([SourcePosition]) throws(ConnectorError) -> Void = {
            (_) throws(ConnectorError) in
        },
        body: @escaping @Sendable (Run) async throws(ConnectorError) -> Void
    ) {
        self.isBounded = isBounded
        self.inputBytes = inputBytes
        self.onAcknowledge = onAcknowledge
        self.body = body
    }

    var log: Log { state.withLock { $0 } }

    func note(_ change: (inout Log) -> Void) { state.withLock { change(&$0) } }

    /// Sends the numbers from the last position to `count` as lines, one part for each task.
    ///
    /// `before` is called before each batch, with the attempt and the batch's first number.
    static func counting(
        to count: Int,
        batch size: Int = 10,
        topic: String = "numbers",
        before: @escaping @Sendable (Int, Int) throws(ConnectorError) -> Void = {
            (_, _) throws(ConnectorError) in
        }
    ) -> SourceScript {
        SourceScript { (run) async throws(ConnectorError) in
            let part = "part-\(run.context.taskID)"
            var next = run.positions[part].flatMap { Int($0) } ?? 0
            while next < count, !run.outlet.isStopping {
                try before(run.attempt, next)
                let batch = run.outlet.makeBatch(topic: topic, schema: .opaque)
                let end = min(next + size, count)
                for number in next..<end { batch.appendText("\(part):\(number)") }
                next = end
                try await run.outlet.send(
                    batch,
                    position: SourcePosition(partition: part, offset: String(next))
                )
            }
        }
    }
}

/// A source that follows the script whose name its configuration holds.
final class ScriptedSource: SourceConnector {
    static let name = "scripted"
    static let summary = "Follows a script."
    static let scripts = Registry<SourceScript>()
    private static let script = ConfigKey<String>.required("script", help: "The script.")
    private static let topic = ConfigKey<String?>.optional("topic", help: "The topic.")
    private static let password = ConfigKey<String?>.optional("password", help: "A secret.")
    static let configuration = ConfigSpec().with(script).with(topic).with(password)

    private let script: SourceScript
    private let context: ConnectorContext
    private let attempt: Int

    init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        script = try Self.scripts.get(try configuration.get(Self.script))
        self.context = context
        attempt = script.log.attempts
        script.note { $0.attempts += 1 }
    }

    var isBounded: Bool { script.isBounded }
    var inputBytes: Int64? { script.inputBytes }

    func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        script.note { $0.positions.append(positions) }
        try await script.body(
            .init(attempt: attempt, positions: positions, outlet: outlet, context: context)
        )
    }

    func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {
        try script.onAcknowledge(positions)
        script.note { $0.acknowledged += positions }
    }
}

/// Scripts by the names under which configurations refer to them.
final class Registry<Script: Sendable>: Sendable {
    private let scripts = Mutex<[Script]>([])

    func add(_ script: Script) -> String {
        scripts.withLock { scripts in
            scripts.append(script)
            return String(scripts.count - 1)
        }
    }

    func get(_ name: String) throws(ConnectorError) -> Script {
        let found = scripts.withLock { scripts in
            Int(name).flatMap { scripts.indices.contains($0) ? scripts[$0] : nil }
        }
        guard let found else { throw .invalid("script", "There is no script \(name).") }
        return found
    }
}

extension RecordBatch {
    /// Appends an opaque record that the batch keeps itself, as if it came from a file.
    func appendText(_ text: String, line: Int64 = 0, byte: Int64 = -1) {
        var text = text
        let slice = text.withUTF8 { arena.copy(UnsafeRawBufferPointer($0)) }
        appendOpaque(slice)
        metadata(count - 1).pointee.line = line
        metadata(count - 1).pointee.offset = byte
    }
}
