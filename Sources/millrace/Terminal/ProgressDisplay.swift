import PipelineEngine

/// Shows how a run gets on: redrawn on a terminal, now and then elsewhere.
struct ProgressDisplay {
    /// Five times a second looks alive; every five seconds does not fill a log.
    private static let redrawInterval: Duration = .milliseconds(200)
    private static let lineInterval: Duration = .seconds(5)

    let runner: PipelineRunner

    /// Runs until the task is cancelled.
    func run() async {
        let screen = ErrorScreen.shared
        let interval = screen.isTerminal ? Self.redrawInterval : Self.lineInterval
        var meter = ProgressMeter()
        while true {
            let connectors = runner.progress()
            let lines = meter.lines(connectors, at: .now)
            if screen.isTerminal { screen.draw(lines) }
            do {
                try await Task.sleep(for: interval)
            } catch {
                // The summary says how it ended.
                if screen.isTerminal { screen.draw([]) }
                return
            }
            guard !screen.isTerminal else { continue }
            for line in meter.lines(runner.progress(), at: .now) { screen.writeLine(line) }
        }
    }
}
