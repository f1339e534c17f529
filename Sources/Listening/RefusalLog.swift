public import Logging
internal import Synchronization

/// Counts what a listener does not take, so that a log line can say so in numbers.
///
/// One line for each would let a hostile client fill the disk. (D6)
public final class RefusalLog: Sendable {
    /// Why something was not taken.
    public enum Reason: String, CaseIterable, Sendable {
        /// There were as many connections as there may be.
        case connectionLimit = "connections beyond connections.max"
        /// TLS could not be agreed on, or the client has no right certificate.
        case tls = "TLS handshakes failed"
        /// What came breaks the protocol.
        case malformed = "connections closed for breaking the protocol"
        /// A message is longer than allowed.
        case tooLong = "messages refused for being longer than max.message.bytes"
        /// Something was not complete in time.
        case timeout = "connections closed for being too slow"
        /// There was no memory for what is not complete.
        case memory = "connections closed for want of buffer.bytes"
        /// The other side went away in the middle.
        case cut = "messages cut off when their connection ended"
        /// Somebody has no right to send.
        case unauthorized = "requests without the right token or signature"
        /// They were more than the topic takes, or than one client may send.
        case excess = "requests answered 429 for being too many"
        /// Somebody asks and takes no answers.
        case unread = "connections closed for not reading answers"
        /// The kernel had no room for datagrams.
        case datagrams = "datagrams lost in the kernel's buffer"
    }

    /// What was counted for a reason.
    public struct Entry: Sendable {
        /// The reason.
        public var reason: Reason
        /// How often since the last report.
        public var count: Int
        /// How often in all.
        public var total: Int
        /// What is known of the latest, such as an address; no data.
        public var latest: String
    }

    private let entries = Mutex<[Reason: Entry]>([:])

    /// Starts at nothing.
    public init() {}

    /// Counts something.
    public func note(_ reason: Reason, count: Int = 1, _ latest: String) {
        entries.withLock { entries in
            var entry = entries[reason] ?? Entry(reason: reason, count: 0, total: 0, latest: "")
            entry.count += count
            entry.total += count
            entry.latest = latest
            entries[reason] = entry
        }
    }

    /// Hands over what was counted since the last call.
    public func takeReport() -> [Entry] {
        entries.withLock { entries in
            let news = entries.values.filter { $0.count > 0 }
            for entry in news { entries[entry.reason]?.count = 0 }
            return news.sorted { $0.reason.rawValue < $1.reason.rawValue }
        }
    }
}

extension RefusalLog {
    /// Logs what was not taken since the last time, one line for each reason.
    public func report(to logger: Logger) {
        for entry in takeReport() {
            logger.warning(
                "refused",
                metadata: [
                    "what": "\(entry.reason.rawValue)", "count": "\(entry.count)",
                    "total": "\(entry.total)", "latest": "\(entry.latest)",
                ]
            )
        }
    }
}
