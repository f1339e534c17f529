import Foundation
public import Logging
import Synchronization

/// Keeps what is logged, and shows it when `MILLRACE_TEST_LOG` is set.
public struct CollectedLog: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel = Logger.Level.info
    private let lines = Lines()

    private final class Lines: Sendable {
        let text = Mutex("")
    }

    private static let isShown = ProcessInfo.processInfo.environment["MILLRACE_TEST_LOG"] != nil

    /// Keeps nothing so far.
    public init() {}

    /// The entries, a line each.
    public var text: String { lines.text.withLock { $0 } }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let values = metadata.merging(event.metadata ?? [:]) { $1 }.map { "\($0.key)=\($0.value)" }
        let line = "\(event.level): \(event.message) \(values.sorted().joined(separator: " "))"
        lines.text.withLock { $0 += line + "\n" }
        if Self.isShown { FileHandle.standardError.write(Data((line + "\n").utf8)) }
    }
}
