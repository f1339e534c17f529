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

    private struct Member {
        /// What it writes to; of a sink, its dead letter topic.
        var feed: Feed
        /// What it reads; `nil` of a source that reads another system.
        var reads: TopicSelection?
        var runningTasks: Int
        /// Whether it ends by itself, as a reader of topics does when all that feed it do.
        ///
        /// `nil` until the connector has said so.
        var isBounded: Bool?
    }

    private var members: [String: Member] = [:]

    /// Adds a source with the topics it may write to, its dead letter topic included.
    mutating func add(source name: String, feed: Feed, tasks: Int) {
        members[name] = Member(feed: feed, reads: nil, runningTasks: tasks, isBounded: nil)
    }

    /// Adds a sink.
    mutating func add(
        sink name: String,
        reads: TopicSelection,
        deadLetterTopic: String?,
        tasks: Int
    ) {
        let feed = Feed.topics(Set([deadLetterTopic].compactMap { $0 }))
        add(link: name, reads: reads, feed: feed, tasks: tasks)
    }

    /// Adds a source or sink that reads topics and writes topics, its dead letter topic included.
    mutating func add(link name: String, reads: TopicSelection, feed: Feed, tasks: Int) {
        members[name] = Member(feed: feed, reads: reads, runningTasks: tasks, isBounded: true)
    }

    /// Notes that a source's connector was made, and whether it ends by itself.
    mutating func opened(source name: String, isBounded: Bool) {
        guard members[name]?.reads == nil else { return }
        members[name]?.isBounded = isBounded
    }

    /// Notes that one task of a connector has ended, well or not.
    mutating func taskEnded(of name: String) { members[name]?.runningTasks -= 1 }

    /// Whether a connector in this run writes, or may write, to what `name` reads.
    func hasFeeder(_ name: String) -> Bool {
        guard let reads = members[name]?.reads else { return false }
        return members.contains { $0.key != name && Self.feeds($0.value, reads) }
    }

    /// Whether nothing more will come: all that feed the reader have ended and, if nothing does,
    /// no source runs on without an end.
    func mayEnd(_ name: String) -> Bool {
        guard let reads = members[name]?.reads else { return true }
        guard hasFeeder(name) else {
            return members.values.allSatisfy { $0.runningTasks <= 0 || $0.isBounded == true }
        }
        return members.allSatisfy { other, member in
            other == name || member.runningTasks <= 0 || !Self.feeds(member, reads)
                // Two that read each other's dead letters would wait for ever.
                || isFed(other, by: name)
        }
    }

    /// Whether records of `origin` reach `name`, directly or through others.
    private func isFed(_ name: String, by origin: String) -> Bool {
        var reached: Set<String> = [origin]
        var open = [origin]
        while let next = open.popLast() {
            guard let feeder = members[next] else { continue }
            for (other, member) in members where !reached.contains(other) {
                guard let reads = member.reads, Self.feeds(feeder, reads) else { continue }
                if other == name { return true }
                reached.insert(other)
                open.append(other)
            }
        }
        return false
    }

    private static func feeds(_ member: Member, _ reads: TopicSelection) -> Bool {
        switch member.feed {
        case .unknown: true
        case .topics(let topics): topics.contains { reads.contains($0) }
        }
    }
}
