import CTerminal
import Glibc
import Synchronization

/// Standard error, shared by log lines and the progress lines that are redrawn below them.
final class ErrorScreen: Sendable {
    static let shared = ErrorScreen()

    /// Whether a person watches: lines may be redrawn.
    let isTerminal: Bool
    private let drawnLines = Mutex(0)

    private init() {
        let term = getenv("TERM").map { String(cString: $0) }
        isTerminal = isatty(STDERR_FILENO) == 1 && term != "dumb"
    }

    /// The width to draw in.
    var columns: Int {
        let columns = Int(mr_terminal_columns(STDERR_FILENO))
        return columns > 0 ? columns : 80
    }

    /// Writes a line above the progress lines, which the next ``draw(_:)`` puts back.
    func writeLine(_ text: String) {
        drawnLines.withLock { drawn in
            Self.write(Self.erasing(drawn) + text + "\n")
            drawn = 0
        }
    }

    /// Replaces the progress lines.
    func draw(_ lines: [String]) {
        let width = columns
        drawnLines.withLock { drawn in
            let text = lines.map { $0.prefix(width - 1) + "\n" }.joined()
            Self.write(Self.erasing(drawn) + text)
            drawn = lines.count
        }
    }

    private static func erasing(_ lines: Int) -> String {
        lines == 0 ? "" : "\u{1B}[\(lines)A\u{1B}[0J"
    }

    /// What cannot be written to standard error has no better place to go.
    private static func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
