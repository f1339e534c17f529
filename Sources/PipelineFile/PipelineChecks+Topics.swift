import ConnectorSDK
import PipelineEngine
import Topics

/// Readers of topics which nothing in the files writes, and those that feed each other.
extension PipelineChecks {
    internal mutating func checkFeeds(of reader: ConnectorDefinition, in file: PipelineFile) {
        guard let text = reader.values["topics"], !text.contains("${") else { return }
        let topics = ListText.items(of: text)
        for topic in topics {
            if let problem = TopicName.problem(topic) {
                report(file, reader.path(of: "topics"), "the topic's name \(problem)")
            }
        }
        guard let fed = knownFeeds() else { return }
        for topic in topics where !fed.contains(topic) && TopicName.problem(topic) == nil {
            report(
                file,
                reader.path(of: "topics"),
                "no source in these files writes the topic `\(topic)`",
                suggestion: Spelling.nearest(to: topic, in: fed.sorted()),
                severity: .warning
            )
        }
    }

    /// The topics that sources write, or `nil` when some source's topics cannot be known: it takes
    /// them from a prefix, from the record, or from a transform that reroutes.
    private func knownFeeds() -> Set<String>? {
        var fed: Set<String> = []
        for connector in files.flatMap(\.definition.connectors) {
            if let topic = connector.values["errors.deadletterqueue.topic.name"] {
                fed.insert(topic)
            }
            guard let topics = catalog.topicsWritten(by: connector) else { return nil }
            fed.formUnion(topics)
        }
        return fed
    }

    /// Records that come back to a topic they were in would go round for ever.
    internal mutating func checkCycles() {
        let links = files.flatMap { file in
            file.definition.connectors.filter { catalog.linksTopics($0) }.map { (file, $0) }
        }
        var reported: Set<String> = []
        for (file, link) in links where !reported.contains(link.name) {
            guard let round = round(from: link, among: links.map(\.1)), round.count > 1 else {
                continue
            }
            reported.formUnion(round.map(\.name))
            let names = (round + [link]).map { "`\($0.name)`" }.joined(separator: " → ")
            report(
                file,
                link.path(of: "topic"),
                "the records come back to where they were read: \(names)"
            )
        }
    }

    /// The shortest way that records of a connector take back to it.
    private func round(
        from start: ConnectorDefinition,
        among links: [ConnectorDefinition]
    ) -> [ConnectorDefinition]? {
        var ways = [[start]]
        var reached: Set<String> = []
        while !ways.isEmpty {
            let way = ways.removeFirst()
            let written = way.last.flatMap { catalog.topicsWritten(by: $0) } ?? []
            for next in links where written.contains(where: { catalog.reads($0, next) }) {
                if next.name == start.name { return way }
                if reached.insert(next.name).inserted { ways.append(way + [next]) }
            }
        }
        return nil
    }
}
