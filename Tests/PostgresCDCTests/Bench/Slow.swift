import ConnectorSDK
import Foundation
import Synchronization

/// Holds up the task for some seconds, as a disk might.
final class Slow: Transform {
    static let name = "Slow"
    static let summary = "Waits."
    static let configuration = ConfigSpec()

    private var batches = 0

    init(configuration: Configuration) throws(ConnectorError) {}

    func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.topic.hasSuffix(".t") else { return }
        batches += 1
        if batches <= 2 { usleep(1_200_000) }
    }
}

/// Lets three batches through in a second, so that there is time to stop between them.
final class Brake: Transform {
    static let name = "Brake"
    static let summary = "Waits a little."
    static let configuration = ConfigSpec()

    init(configuration: Configuration) throws(ConnectorError) {}

    func apply(_ batch: RecordBatch) throws(ConnectorError) { usleep(300_000) }
}

/// Holds up what is captured of a table `t`, so that it goes on only as far as a test looks.
final class Gate: Transform {
    static let name = "Gate"
    static let summary = "Waits until somebody has looked."
    private static let number = ConfigKey.string("number", default: "", help: "Which one.")
    static let configuration = ConfigSpec().with(number)

    private struct State {
        var looks = 0
        var isOpen = false
    }

    /// The looks that let a batch through: enough of them to see what became of the one before.
    private static let looksForBatch = 5
    private static let states = Mutex<[String: State]>([:])

    /// Notes that somebody has looked.
    static func look(_ number: String) {
        states.withLock { $0[number, default: State()].looks += 1 }
    }

    /// Lets everything through from now on.
    static func open(_ number: String) {
        states.withLock { $0[number, default: State()].isOpen = true }
    }

    private let number: String

    init(configuration: Configuration) throws(ConnectorError) {
        number = try configuration.get(Self.number)
    }

    private var state: State { Self.states.withLock { $0[number] ?? State() } }

    func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.topic.hasSuffix(".t") else { return }
        let enough = state.looks + Self.looksForBatch
        // Of a test that fails something is left to end by itself.
        for _ in 0..<60_000 where !state.isOpen && state.looks < enough { usleep(5_000) }
    }
}
