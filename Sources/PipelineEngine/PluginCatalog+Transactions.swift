internal import ConnectorSDK

extension PluginCatalog {
    /// Finds sinks that would wait for ever for the ends of transactions which a source of the same
    /// pipeline captures: those are told in another topic, or not at all.
    ///
    /// Finds nothing where topics may come from elsewhere, or are known only at run time.
    func validateTransactions(
        _ definition: PipelineDefinition
    ) -> [(connector: String, issue: ConfigIssue)] {
        let key = FrameworkKeys.transactionTopic.declaration.name
        let sinks = definition.connectors.filter { $0.kind == .sink && $0.values[key] != nil }
        guard !sinks.isEmpty else { return [] }
        let captures = definition.connectors.filter { $0.kind == .source }.compactMap { source in
            transactionTopic(of: source).map { (source: source.name, topic: $0) }
        }
        return sinks.compactMap { sink in
            guard let topic = sink.values[key], !ReferenceResolver.hasReference(topic) else {
                return nil
            }
            let told = captures.filter { $0.topic.name == topic }
            if let capture = told.first {
                guard let missing = capture.topic.missingKey else { return nil }
                let message =
                    "names a topic to which `\(capture.source)` sends nothing; set `\(missing)` there"
                return (sink.name, ConfigIssue(key: key, message: message))
            }
            guard let near = captures.first(where: { reads(sink, $0.topic, insteadOf: topic) })
            else { return nil }
            let message =
                "is not where `\(near.source)`, whose tables the sink reads, tells the ends of its "
                + "transactions: that is `\(near.topic.name)`"
            let issue = ConfigIssue(key: key, message: message, suggestion: near.topic.name)
            return (sink.name, issue)
        }
    }

    private func transactionTopic(of source: ConnectorDefinition) -> CapturedTransactionTopic? {
        let values = values(of: source)
        // Transforms may send records to other topics.
        guard values["transforms"] == nil, let type = self.source(source.plugin) else { return nil }
        // An address or a password may be one, and says nothing of topics.
        let names = values.filter { $0.key.hasPrefix("topic.") }
        guard !names.values.contains(where: { ReferenceResolver.hasReference($0) }) else {
            return nil
        }
        return try? type.transactionTopic(Configuration(values))
    }

    /// Whether a sink reads topics of a source's tables.
    private func reads(
        _ sink: ConnectorDefinition,
        _ told: CapturedTransactionTopic,
        insteadOf topic: String
    ) -> Bool {
        let names = Self.list(sink.values[FrameworkKeys.topics.declaration.name])
        if names.isEmpty {
            // What a pattern matches is known only at run time, but a misspelt name is near.
            return Spelling.nearest(to: topic, in: [told.name]) != nil
        }
        return names.contains { $0.hasPrefix(told.tablePrefix) }
    }
}
