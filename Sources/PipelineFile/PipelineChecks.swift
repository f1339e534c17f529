import ConnectorSDK
import PipelineEngine
import Topics

/// What can be wrong between the parts of pipelines: keys against connectors, topics against
/// topics, names against names.
internal struct PipelineChecks {
    internal let files: [PipelineFile]
    internal let catalog: PluginCatalog
    internal private(set) var findings: [Finding] = []

    internal init(files: [PipelineFile], catalog: PluginCatalog) {
        self.files = files
        self.catalog = catalog
    }

    internal mutating func run() {
        checkNames()
        checkBrokers()
        checkTopicDeclarations()
        checkCycles()
        for file in files {
            checkKeys(of: file)
            for connector in file.definition.connectors {
                checkReferences(of: connector, in: file)
                checkTopicNames(of: connector, in: file)
                if connector.kind == .sink || catalog.linksTopics(connector) {
                    checkFeeds(of: connector, in: file)
                }
            }
        }
    }

    private mutating func checkNames() {
        var pipelines: [String: String] = [:]
        var connectors: [String: (file: PipelineFile, definition: ConnectorDefinition)] = [:]
        for file in files {
            let name = file.definition.name
            if !name.isEmpty, let other = pipelines.updateValue(file.sourceMap.file, forKey: name) {
                let message = "`\(name)` is also the pipeline in \(other); names must differ"
                report(file, "pipeline", message)
            }
            for connector in file.definition.connectors {
                guard let other = connectors[connector.name] else {
                    connectors[connector.name] = (file, connector)
                    continue
                }
                guard other.file.sourceMap.file != file.sourceMap.file else { continue }
                let place = other.file.sourceMap.nearest(to: other.definition.path(of: nil))
                report(
                    file,
                    connector.path(of: nil),
                    "a connector of this name is already in "
                        + Self.describe(other.file, place?.key) + "; positions are kept by name",
                    atKey: true
                )
            }
        }
    }

    /// What runs together shares its topics, so that they are in one place.
    private mutating func checkBrokers() {
        guard let first = files.first else { return }
        for file in files.dropFirst() where file.definition.broker != first.definition.broker {
            report(
                file.definition.broker.isEmpty ? first : file,
                "broker",
                "is not the same in \(first.sourceMap.file) and \(file.sourceMap.file), which "
                    + "run together; say the same in all of them",
                atKey: true
            )
        }
    }

    /// One topic may be declared by several pipelines, but only in the same words.
    private mutating func checkTopicDeclarations() {
        var declared: [String: (file: PipelineFile, topic: TopicDefinition)] = [:]
        for file in files {
            for topic in file.definition.topics {
                guard let first = declared[topic.name] else {
                    declared[topic.name] = (file, topic)
                    continue
                }
                guard
                    first.topic.partitions != topic.partitions
                        || first.topic.settings != topic.settings
                else { continue }
                let path = "topics.\(topic.name)"
                let place = first.file.sourceMap.nearest(to: path)
                report(
                    file,
                    path,
                    "the topic is declared otherwise in \(Self.describe(first.file, place?.key)); "
                        + "declare it once, or in the same words",
                    atKey: true
                )
            }
        }
    }

    private mutating func checkKeys(of file: PipelineFile) {
        for (name, issue) in catalog.validate(file.definition) {
            // The name is checked here, with the place of the other connector.
            guard issue.key != "name",
                let connector = file.definition.connectors.first(where: { $0.name == name })
            else { continue }
            let path = connector.path(of: issue.key)
            let isUnknown = issue.message.contains("not a known key")
            let atKey = isUnknown || issue.isMissing || file.sourceMap[path] == nil
            report(file, path, issue.message, suggestion: issue.suggestion, atKey: atKey)
        }
    }

    private mutating func checkReferences(of connector: ConnectorDefinition, in file: PipelineFile)
    {
        for (key, text) in connector.values.sorted(by: { $0.key < $1.key }) {
            for problem in ReferenceSyntax.problems(in: text) {
                report(
                    file,
                    connector.path(of: key),
                    problem.message,
                    suggestion: problem.suggestion,
                    severity: problem.severity
                )
            }
        }
    }

    private mutating func checkTopicNames(of connector: ConnectorDefinition, in file: PipelineFile)
    {
        for key in ["topic", "errors.deadletterqueue.topic.name"] {
            guard let name = connector.values[key], !name.contains("${"), !name.isEmpty,
                let problem = TopicName.problem(name)
            else { continue }
            report(file, connector.path(of: key), "the topic's name \(problem)")
        }
    }

    private static func describe(_ file: PipelineFile, _ mark: Mark?) -> String {
        mark.map { "\(file.sourceMap.file):\($0.line):\($0.column)" } ?? file.sourceMap.file
    }

    internal mutating func report(
        _ file: PipelineFile,
        _ path: String,
        _ message: String,
        suggestion: String? = nil,
        severity: Finding.Severity = .error,
        atKey: Bool = false
    ) {
        let place = file.sourceMap.nearest(to: path)
        findings.append(
            Finding(
                file: file.sourceMap.file,
                mark: atKey || file.sourceMap[path] == nil ? place?.key : place?.value,
                key: path.replacing("connector.class", with: "connector"),
                message: message,
                suggestion: suggestion,
                severity: severity
            )
        )
    }
}
