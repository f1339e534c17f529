import Foundation
import Logging
import Synchronization

/// Keeps what is logged, and shows it when `MILLRACE_TEST_LOG` is set.
struct CollectedLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    private let lines = Lines()

    private final class Lines: Sendable {
        let text = Mutex("")
    }

    private static let isShown = ProcessInfo.processInfo.environment["MILLRACE_TEST_LOG"] != nil

    /// The entries, a line each.
    var text: String { lines.text.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let values = metadata.merging(event.metadata ?? [:]) { $1 }.map { "\($0.key)=\($0.value)" }
        let line = "\(event.level): \(event.message) \(values.sorted().joined(separator: " "))"
        lines.text.withLock { $0 += line + "\n" }
        if Self.isShown { FileHandle.standardError.write(Data((line + "\n").utf8)) }
    }
}
