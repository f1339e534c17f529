import ConnectorSDK

/// Shows how a copy gets on: redrawn on a terminal, now and then elsewhere.
final class CopyProgress {
    private static let redrawInterval: Duration = .milliseconds(200)
    private static let lineInterval: Duration = .seconds(5)

    private let total: Int64
    private let start = ContinuousClock.now
    private var shown = ContinuousClock.now
    private var records: Int64 = 0

    init(total: Int64) { self.total = total }

    /// Notes that so many more records of a partition are there.
    func add(_ count: Int64, of partition: TopicPartition) {
        records += count
        let screen = ErrorScreen.shared
        let interval = screen.isTerminal ? Self.redrawInterval : Self.lineInterval
        let now = ContinuousClock.now
        guard now - shown >= interval else { return }
        shown = now
        let seconds = max(Double((now - start).components.seconds), 1)
        let line =
            "\(partition)  \(Quantity.count(records)) of \(Quantity.count(total)) records  "
            + "\(Quantity.count(Int64(Double(records) / seconds)))/s"
        if screen.isTerminal { screen.draw([line]) } else { screen.writeLine(line) }
    }

    /// Takes away what was drawn.
    func end() {
        if ErrorScreen.shared.isTerminal { ErrorScreen.shared.draw([]) }
    }
}
