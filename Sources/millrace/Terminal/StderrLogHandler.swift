import ConnectorSDK
import Glibc
import Logging

/// Writes log records to standard error, one line each: time, level, text, `key=value`.
struct StderrLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    init(level: Logger.Level) { logLevel = level }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, own in own }
            .sorted { $0.key < $1.key }
            .map { " \($0.key)=\(Self.field($0.value.description))" }
            .joined()
        let level = TextTable.pad(event.level.rawValue, to: 7, .left)
        let text = Self.oneLine(event.message.description)
        ErrorScreen.shared.writeLine("\(Self.now()) \(level) \(text)\(fields)")
    }

    /// UTC to the millisecond, as RFC 3339 has it.
    private static func now() -> String {
        var clock = timespec()
        clock_gettime(CLOCK_REALTIME, &clock)
        return TimeText.text(
            milliseconds: Int64(clock.tv_sec) * 1_000 + Int64(clock.tv_nsec) / 1_000_000
        )
    }

    private static func field(_ text: String) -> String {
        let line = oneLine(text)
        return line.contains { $0 == " " || $0 == "\"" }
            ? "\"\(line.replacing("\"", with: "'"))\"" : line
    }

    private static func oneLine(_ text: String) -> String {
        guard text.contains(where: \.isNewline) else { return text }
        return String(text.map { $0.isNewline ? " " : $0 })
    }
}
