internal import ConnectorSDK
internal import JSONDocuments
internal import Logging

/// What a tap or target says on standard error: its levels become those of our log, its metrics
/// counters.
final class ProgramLog {
    private static let levels: [(String, Logger.Level)] = [
        ("CRITICAL", .error), ("ERROR", .error), ("WARNING", .warning), ("INFO", .info),
        ("DEBUG", .debug),
    ]

    private let logger: Logger
    /// The records that the program says it has read or written, by its `record_count` metrics.
    private(set) var countedRecords: Int64?
    /// The last line that is no metric.
    private(set) var lastLine: String?

    init(_ context: ConnectorContext) {
        logger = context.logger
    }

    /// Takes a line, in which secrets are replaced. (D8)
    func take(_ line: String) {
        if let start = line.firstRange(of: "METRIC: ") {
            takeMetric(String(line[start.upperBound...]))
            return
        }
        lastLine = line
        logger.log(level: Self.level(of: line), "stderr", metadata: ["line": "\(line)"])
    }

    /// The level that a line names in front of its text; without one it is a notice.
    static func level(of line: String) -> Logger.Level {
        let start = line.prefix(120)
        return levels.first { start.contains($0.0) }?.1 ?? .info
    }

    private func takeMetric(_ text: String) {
        logger.debug("metric", metadata: ["metric": "\(text)"])
        // Some taps print a Python dictionary, which is no JSON.
        guard let metric = JSONDocument(parsingAny: text),
            metric["metric"]?.string == "record_count", let value = metric["value"]?.int
        else { return }
        countedRecords = (countedRecords ?? 0) + value
    }
}
