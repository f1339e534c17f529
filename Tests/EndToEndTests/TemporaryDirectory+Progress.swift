import Foundation
import TestServices

extension TemporaryDirectory {
    /// The bytes that the segments of a topic of one partition hold.
    func size(of topic: String) -> Int {
        let folder = ".millrace/topics/\(topic)-0"
        let segments = ((try? names(in: folder)) ?? []).filter { $0.hasSuffix(".log") }
        return segments.reduce(0) { sum, name in
            let path = file("\(folder)/\(name)")
            let values = try? FileManager.default.attributesOfItem(atPath: path)
            return sum + (values?[.size] as? Int ?? 0)
        }
    }

    /// Waits until a run has written so many bytes more to a topic, or has ended.
    func waitForGrowth(of topic: String, by bytes: Int, in run: Command) async throws {
        let goal = size(of: topic) + bytes
        // Attempts count as well as time: other tests may keep this one from running for long.
        let deadline = ContinuousClock.now + .seconds(120)
        var attempts = 0
        while size(of: topic) < goal, kill(run.processID, 0) == 0,
            .now < deadline || attempts < 6_000
        {
            attempts += 1
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
