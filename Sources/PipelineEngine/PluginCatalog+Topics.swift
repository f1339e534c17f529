internal import ConnectorSDK

/// Which topics connectors read and write, as their configuration tells.
extension PluginCatalog {
    /// Whether a connector reads topics and writes topics.
    public func linksTopics(_ definition: ConnectorDefinition) -> Bool {
        switch definition.kind {
        case .source: source(definition.plugin)?.readsTopics ?? false
        case .sink: sink(definition.plugin)?.writesTopics ?? false
        }
    }

    /// The topics that a connector writes records to, but for its dead letters; `nil` when only the
    /// records tell.
    public func topicsWritten(by definition: ConnectorDefinition) -> Set<String>? {
        guard definition.kind == .source || linksTopics(definition) else { return [] }
        let values = definition.values
        guard let topic = values["topic"], !reroutes(values) else { return nil }
        guard topic.contains("${") else { return [topic] }
        let sources = ListText.items(of: values[FrameworkKeys.topics.declaration.name] ?? "")
        guard linksTopics(definition), !sources.isEmpty else { return nil }
        let names = sources.map { topic.replacing("${topic}", with: $0) }
        return names.contains { $0.contains("${") } ? nil : Set(names)
    }

    /// Whether a connector reads a topic.
    public func reads(_ topic: String, _ definition: ConnectorDefinition) -> Bool {
        guard definition.kind == .sink || linksTopics(definition) else { return false }
        let values = definition.values
        if let pattern = values[FrameworkKeys.topicsRegex.declaration.name] {
            return TopicSelection.pattern(pattern).contains(topic)
        }
        return ListText.items(of: values[FrameworkKeys.topics.declaration.name] ?? "")
            .contains(topic)
    }

    /// The transforms that remember something, with their aliases.
    func statefulTransforms(
        _ values: [String: String]
    ) -> [(alias: String, type: any StatefulTransform.Type)] {
        Self.list(values[FrameworkKeys.transforms.declaration.name]).compactMap { alias in
            let type = values["transforms.\(alias).type"].flatMap { transform($0)?.type }
            return (type as? any StatefulTransform.Type).map { (alias: alias, type: $0) }
        }
    }

    /// State is stored with a position, and each task has the part that its records meet.
    func validateState(
        _ definition: ConnectorDefinition,
        _ values: [String: String]
    ) -> [ConfigIssue] {
        let configuration = Configuration(values)
        let tasks = FrameworkKeys.tasksMax.declaration.name
        var issues: [ConfigIssue] = []
        for (alias, type) in statefulTransforms(values) {
            let prefix = "transforms.\(alias)."
            if definition.kind == .sink {
                issues.append(
                    ConfigIssue(
                        key: prefix + "type",
                        message: "remembers something, which is stored with a source's position; "
                            + "a sink has none. A `topic` source reads topics and can have it"
                    )
                )
                continue
            }
            guard let count = values[tasks], Int(count) != 1,
                !ReferenceResolver.hasReference(count)
            else { continue }
            if linksTopics(definition), type.keepsToKeys(configuration.nested(below: prefix)) {
                continue
            }
            let remedy =
                linksTopics(definition)
                ? "group by the record's key (give the records that key through another topic "
                    + "with `key.fields`), or use one task"
                : "use one task, or read the records from a topic, by their key"
            issues.append(
                ConfigIssue(
                    key: tasks,
                    message: "must be 1 beside `\(type.name)`: records that belong together may "
                        + "be in different tasks; \(remedy)"
                )
            )
        }
        return issues
    }

    private func reroutes(_ values: [String: String]) -> Bool {
        let configuration = Configuration(values)
        return Self.list(values[FrameworkKeys.transforms.declaration.name]).contains { alias in
            let prefix = "transforms.\(alias)."
            let type = values[prefix + "type"].flatMap { transform($0)?.type }
            return type?.reroutes(configuration.nested(below: prefix)) ?? false
        }
    }

    /// Records that come back to where they were read would go round for ever.
    func validateLink(_ definition: ConnectorDefinition) -> [ConfigIssue] {
        guard linksTopics(definition) else { return [] }
        let own = (topicsWritten(by: definition) ?? []).sorted().filter { reads($0, definition) }
        return own.map { name in
            ConfigIssue(
                key: "topic",
                message: "is the topic `\(name)`, which the connector itself reads: its records "
                    + "would go round for ever"
            )
        }
    }
}
