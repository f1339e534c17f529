/// Knows when a sink has seen all that this run will bring it.
///
/// A value without clock or lock: connectors report what they do, and a sink asks.
struct EndConditions {
    /// What a connector may write to.
    enum Feed: Equatable {
        /// These topics and no others.
        case topics(Set<String>)
        /// Topics that are known only when records come, such as one per table.
        case unknown
    }

    private struct Source {
        var feed: Feed
        var runningTasks: Int
        /// `nil` until the connector has said so.
        var isBounded: Bool?
    }

    private struct Sink {
        var reads: TopicSelection
        var deadLetterTopic: String?
        var runningTasks: Int
    }

    private var sources: [String: Source] = [:]
    private var sinks: [String: Sink] = [:]

    /// Adds a source with the topics it may write to, its dead letter topic included.
    mutating func add(source name: String, feed: Feed, tasks: Int) {
        sources[name] = Source(feed: feed, runningTasks: tasks, isBounded: nil)
    }

    /// Adds a sink.
    mutating func add(
        sink name: String,
        reads: TopicSelection,
        deadLetterTopic: String?,
        tasks: Int
    ) {
        sinks[name] = Sink(reads: reads, deadLetterTopic: deadLetterTopic, runningTasks: tasks)
    }

    /// Notes that a source's connector was made, and whether it ends by itself.
    mutating func opened(source name: String, isBounded: Bool) {
        sources[name]?.isBounded = isBounded
    }

    /// Notes that one task of a connector has ended, well or not.
    mutating func taskEnded(of name: String) {
        sources[name]?.runningTasks -= 1
        sinks[name]?.runningTasks -= 1
    }

    /// Whether a connector in this run writes, or may write, to what the sink reads.
    func hasFeeder(_ sink: String) -> Bool {
        guard let reads = sinks[sink]?.reads else { return false }
        return sources.values.contains { Self.feeds($0, reads) }
            || sinks.contains { $0.key != sink && Self.feeds($0.value, reads) }
    }

    /// Whether nothing more will come: all that feed the sink have ended and, if nothing does,
    /// no source runs on without an end.
    func mayEnd(_ sink: String) -> Bool {
        guard let reads = sinks[sink]?.reads else { return true }
        guard hasFeeder(sink) else {
            return sources.values.allSatisfy { $0.runningTasks <= 0 || $0.isBounded == true }
        }
        return sources.values.allSatisfy { $0.runningTasks <= 0 || !Self.feeds($0, reads) }
            && sinks.allSatisfy { name, other in
                name == sink || other.runningTasks <= 0 || !Self.feeds(other, reads)
                    // Two sinks that read each other's dead letters would wait for ever.
                    || isFed(name, by: sink)
            }
    }

    /// Whether dead letters of `origin` reach `sink`, directly or through other sinks.
    private func isFed(_ sink: String, by origin: String) -> Bool {
        var reached: Set<String> = [origin]
        var open = [origin]
        while let next = open.popLast() {
            guard let feeder = sinks[next] else { continue }
            for (name, other) in sinks
            where !reached.contains(name) && Self.feeds(feeder, other.reads) {
                if name == sink { return true }
                reached.insert(name)
                open.append(name)
            }
        }
        return false
    }

    private static func feeds(_ source: Source, _ reads: TopicSelection) -> Bool {
        switch source.feed {
        case .unknown: true
        case .topics(let topics): topics.contains { reads.contains($0) }
        }
    }

    private static func feeds(_ sink: Sink, _ reads: TopicSelection) -> Bool {
        sink.deadLetterTopic.map { reads.contains($0) } ?? false
    }
}
