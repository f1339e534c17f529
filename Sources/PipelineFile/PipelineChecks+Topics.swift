import ConnectorSDK
import PipelineEngine
import Topics

/// Sinks that wait for topics which nothing in the files writes.
extension PipelineChecks {
    internal mutating func checkFeeds(of sink: ConnectorDefinition, in file: PipelineFile) {
        guard let text = sink.values["topics"], !text.contains("${") else { return }
        let topics = ListText.items(of: text)
        for topic in topics {
            if let problem = TopicName.problem(topic) {
                report(file, sink.path(of: "topics"), "the topic's name \(problem)")
            }
        }
        guard let fed = knownFeeds() else { return }
        for topic in topics where !fed.contains(topic) && TopicName.problem(topic) == nil {
            report(
                file,
                sink.path(of: "topics"),
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
            guard connector.kind == .source else { continue }
            guard let topic = connector.values["topic"], !topic.contains("${") else { return nil }
            let reroutes = connector.values.contains {
                $0.key.hasPrefix("transforms.") && $0.key.hasSuffix(".type")
                    && $0.value.contains("Rout")
            }
            if reroutes { return nil }
            fed.insert(topic)
        }
        return fed
    }
}
