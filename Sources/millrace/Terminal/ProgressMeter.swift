import ConnectorSDK
import PipelineEngine

/// Turns snapshots of connectors into lines: records, rates, lag, time left.
struct ProgressMeter {
    private struct Sample {
        var time: ContinuousClock.Instant
        var records: Int64
        var bytes: Int64
        var readBytes: Int64
    }

    /// Rates are those of the last two seconds: long enough to be steady, short enough to be true.
    private static let window: Duration = .seconds(2)

    private var samples: [String: [Sample]] = [:]

    /// One line for each connector.
    mutating func lines(
        _ connectors: [ConnectorProgress],
        at now: ContinuousClock.Instant
    ) -> [String] {
        let rows = connectors.map { connector -> [String] in
            let rate = rate(of: connector, at: now)
            return [
                connector.name, connector.plugin, connector.state.rawValue,
                "\(Quantity.count(connector.records)) records",
                "\(Quantity.count(Int64(rate.records)))/s", "\(Quantity.bytes(rate.bytes))/s",
                Self.rest(of: connector, bytesPerSecond: rate.readBytes),
            ]
        }
        return Self.aligned(rows)
    }

    private mutating func rate(
        of connector: ConnectorProgress,
        at now: ContinuousClock.Instant
    ) -> (records: Double, bytes: Double, readBytes: Double) {
        let key = "\(connector.pipeline)/\(connector.name)"
        var history = samples[key] ?? []
        history.append(
            Sample(
                time: now,
                records: connector.records,
                bytes: connector.bytes,
                readBytes: connector.readBytes
            )
        )
        while history.count > 2, history[1].time <= now - Self.window { history.removeFirst() }
        samples[key] = history
        guard let first = history.first, first.time < now else { return (0, 0, 0) }
        let parts = (now - first.time).components
        let seconds = Double(parts.seconds) + Double(parts.attoseconds) / 1e18
        return (
            max(0, Double(connector.records - first.records)) / seconds,
            max(0, Double(connector.bytes - first.bytes)) / seconds,
            max(0, Double(connector.readBytes - first.readBytes)) / seconds
        )
    }

    /// What is still to be done, or what went wrong.
    private static func rest(of connector: ConnectorProgress, bytesPerSecond: Double) -> String {
        var parts: [String] = []
        if let total = connector.totalBytes, total > 0, connector.state == .running {
            let share = min(1, Double(connector.readBytes) / Double(total))
            parts.append("\(Int(share * 100)) %")
            if bytesPerSecond > 0 {
                let left = Double(max(0, total - connector.readBytes)) / bytesPerSecond
                parts.append("\(Quantity.seconds(left)) left")
            }
        }
        if let lag = connector.lag { parts.append("lag \(Quantity.count(lag))") }
        if connector.rejected > 0 { parts.append("\(Quantity.count(connector.rejected)) rejected") }
        if connector.state == .restarting, let error = connector.error {
            parts.append("after: \(error.message)")
        }
        return parts.joined(separator: ", ")
    }

    private static func aligned(_ rows: [[String]]) -> [String] {
        var widths = [Int](repeating: 0, count: rows.map(\.count).max() ?? 0)
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
        return rows.map { row in
            row.enumerated().map { index, cell in
                let isNumber = (3...5).contains(index)
                return TextTable.pad(cell, to: widths[index], isNumber ? .right : .left)
            }.joined(separator: "  ")
        }
    }
}
