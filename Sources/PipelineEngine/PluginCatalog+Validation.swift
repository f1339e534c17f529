public import ConnectorSDK

extension PluginCatalog {
    /// Finds everything wrong with a pipeline that can be found without touching a server.
    ///
    /// The name is that of the connector; an issue's key is the connector's, as in its
    /// ``ConnectorDefinition/values``, and `connector` stands for the plug-in's name.
    public func validate(
        _ definition: PipelineDefinition
    ) -> [(connector: String, issue: ConfigIssue)] {
        var found: [(connector: String, issue: ConfigIssue)] = []
        var names: Set<String> = []
        for connector in definition.connectors {
            var issues = validate(connector)
            if issues.isEmpty {
                issues = tryOut(connector, baseDirectory: definition.baseDirectory)
            }
            if !names.insert(connector.name).inserted {
                issues.append(
                    ConfigIssue(key: "name", message: "is the name of another connector too")
                )
            }
            found += issues.map { (connector.name, $0) }
        }
        // Only what is right by itself can be compared.
        if found.isEmpty { found += validateTransactions(definition) }
        return found
    }

    /// Finds everything wrong with one connector's configuration.
    public func validate(_ definition: ConnectorDefinition) -> [ConfigIssue] {
        guard plugin(of: definition) != nil else {
            return [unknownPlugin(definition)]
        }
        let values = values(of: definition)
        var checked = values
        if formatAliases.contains(definition.plugin) { checked["format"] = nil }
        // What a reference stands for is known only when the connector starts.
        let spec = spec(for: definition)
        var issues = spec.validate(checked.filter { !ReferenceResolver.hasReference($0.value) })
        issues.removeAll { $0.isMissing && values[$0.key] != nil }
        issues += checked.keys.filter {
            ReferenceResolver.hasReference(checked[$0] ?? "") && spec.declaration(for: $0) == nil
        }.sorted().map { spec.unknown($0) }
        issues += validateFormat(definition, values)
        if definition.kind == .sink || linksTopics(definition) {
            issues += validateTopics(values) + validateTransactions(values)
        }
        issues += validateLink(definition) + validateState(definition, values)
        issues += validateErrors(definition, values)
        issues += validateTransforms(definition, values, known: issues)
        return issues
    }

    /// What only the transforms and predicates themselves know of their keys.
    private func validateTransforms(
        _ definition: ConnectorDefinition,
        _ values: [String: String],
        known issues: [ConfigIssue]
    ) -> [ConfigIssue] {
        func isTheirs(_ key: String) -> Bool {
            key.hasPrefix("transforms") || key.hasPrefix("predicates")
        }
        let hasReference = values.contains {
            isTheirs($0.key) && ReferenceResolver.hasReference($0.value)
        }
        guard !hasReference, !issues.contains(where: { isTheirs($0.key) }) else { return [] }
        do throws(ConnectorError) {
            let chain = try TransformChain(Configuration(values), catalog: self)
            return validateFields(definition, values, chain)
        } catch {
            let key = error.configurationKey ?? FrameworkKeys.transforms.declaration.name
            let hint = error.hint.map { " \($0)" } ?? ""
            return [
                ConfigIssue(
                    key: key,
                    message: "cannot work: \(error.message)\(hint)",
                    isMissing: values[key] == nil
                )
            ]
        }
    }

    private func unknownPlugin(_ definition: ConnectorDefinition) -> ConfigIssue {
        let names = connectorNames(definition.kind)
        let kind = definition.kind.rawValue
        let other: ConnectorDefinition.Kind = definition.kind == .source ? .sink : .source
        let message =
            if connectorNames(other).contains(definition.plugin) {
                "`\(definition.plugin)` can only be a \(other.rawValue)"
            } else {
                "there is no \(kind) connector `\(definition.plugin)`; "
                    + "there are \(names.joined(separator: ", "))"
            }
        return ConfigIssue(
            key: "connector",
            message: message,
            suggestion: Spelling.nearest(to: definition.plugin, in: names)
        )
    }

    private func validateFormat(
        _ definition: ConnectorDefinition,
        _ values: [String: String]
    ) -> [ConfigIssue] {
        guard let plugin = plugin(of: definition), plugin.usesFormat,
            let format = values["format"], formats.formats[format] == nil,
            !ReferenceResolver.hasReference(format)
        else { return [] }
        return [
            ConfigIssue(
                key: "format",
                message: "names no format; there are \(formats.names.joined(separator: ", "))",
                suggestion: Spelling.nearest(to: format, in: formats.names)
            )
        ]
    }

    /// Tasks share the partitions, so several would each have a part of a transaction.
    private func validateTransactions(_ values: [String: String]) -> [ConfigIssue] {
        let key = FrameworkKeys.transactionTopic.declaration.name
        let tasks = FrameworkKeys.tasksMax.declaration.name
        guard let topic = values[key] else { return [] }
        if topic.isEmpty { return [ConfigIssue(key: key, message: "must name a topic")] }
        guard let count = values[tasks], Int(count) != 1, !ReferenceResolver.hasReference(count)
        else { return [] }
        return [ConfigIssue(key: tasks, message: "must be 1 beside `\(key)`")]
    }

    private func validateTopics(_ values: [String: String]) -> [ConfigIssue] {
        let topics = FrameworkKeys.topics.declaration.name
        let regex = FrameworkKeys.topicsRegex.declaration.name
        switch (values[topics], values[regex]) {
        case (nil, nil):
            return [ConfigIssue(key: topics, message: "is required", isMissing: true)]
        case (.some, .some):
            return [ConfigIssue(key: regex, message: "cannot stand beside `topics`")]
        case (let list?, nil):
            return Self.list(list).isEmpty
                ? [ConfigIssue(key: topics, message: "must name a topic")] : []
        case (nil, .some):
            return []
        }
    }

    private func validateErrors(
        _ definition: ConnectorDefinition,
        _ values: [String: String]
    ) -> [ConfigIssue] {
        let key = FrameworkKeys.deadLetterTopic.declaration.name
        guard let topic = values[key] else {
            // D6: without a dead letter topic, tolerated records would vanish.
            guard values[FrameworkKeys.tolerance.declaration.name]?.lowercased() == "all" else {
                return []
            }
            let message = "is required with `errors.tolerance: all`, so that no record is lost"
            return [ConfigIssue(key: key, message: message, isMissing: true)]
        }
        var issues: [ConfigIssue] = []
        if topic.isEmpty { issues.append(ConfigIssue(key: key, message: "must name a topic")) }
        let kind = definition.kind.rawValue
        if reads(topic, definition) {
            let message = "is a topic that the \(kind) itself reads"
            issues.append(ConfigIssue(key: key, message: message))
        }
        if topicsWritten(by: definition)?.contains(topic) ?? false {
            let message = "is the topic that the \(kind) writes to"
            issues.append(ConfigIssue(key: key, message: message))
        }
        return issues
    }
}
