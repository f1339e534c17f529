import ConnectorSDK
import PipelineEngine
import Topics

/// Turns one YAML document into a pipeline definition, and collects everything that is wrong.
internal struct PipelineReader {
    private static let sections = ["pipeline", "broker", "topics", "sources", "sinks", "tests"]
    /// What other programs call `connector`.
    private static let otherNamesOfConnector = ["class", "kind", "plugin", "type"]

    internal let file: String
    internal private(set) var findings: [Finding] = []
    internal private(set) var sourceMap: SourceMap
    internal private(set) var definition: PipelineDefinition

    internal init(file: String, baseDirectory: String) {
        self.file = file
        sourceMap = SourceMap(file: file)
        definition = PipelineDefinition(name: "", file: file, baseDirectory: baseDirectory)
    }

    internal mutating func read(_ text: String) {
        do throws(YAMLProblem) {
            let root = try YAMLReader.read(text)
            guard case .map(let entries) = root.content else {
                return report(root.mark, "", "a pipeline file is a map, but \(root.kind) was found")
            }
            read(entries)
        } catch {
            report(error.mark, "", error.message)
        }
    }

    private mutating func read(_ entries: [YAMLEntry]) {
        for entry in entries {
            sourceMap.note(entry.key, key: entry.mark, value: entry.value.mark)
            switch entry.key {
            case "pipeline": readName(entry)
            case "broker": readBroker(entry)
            case "topics": readTopics(entry)
            case "sources": readConnectors(entry, .source)
            case "sinks": readConnectors(entry, .sink)
            case "tests": continue
            default: reportUnknown(entry)
            }
        }
        if !entries.contains(where: { $0.key == "pipeline" }) {
            report(
                .start,
                "pipeline",
                "is required: the pipeline's name, such as `pipeline: orders`"
            )
        }
        if definition.connectors.isEmpty, findings.isEmpty {
            report(.start, "sources", "the file has neither sources nor sinks")
        }
        // Last, because a test names a connector that may stand below it.
        for entry in entries where entry.key == "tests" { readTests(entry) }
    }

    private mutating func reportUnknown(_ entry: YAMLEntry) {
        let suggestion =
            entry.key == "name"
            ? "pipeline" : Spelling.nearest(to: entry.key, in: Self.sections)
        report(
            entry.mark,
            entry.key,
            "is not a known key; the keys here are \(Self.sections.joined(separator: ", "))",
            suggestion: suggestion
        )
    }

    private mutating func readName(_ entry: YAMLEntry) {
        guard case .scalar(let name, _) = entry.value.content, !entry.value.isNull, !name.isEmpty
        else {
            return report(entry.value.mark, "pipeline", "must be the pipeline's name")
        }
        definition.name = name
    }

    private mutating func readTopics(_ section: YAMLEntry) {
        for entry in members(of: section) {
            let path = "topics.\(entry.key)"
            sourceMap.note(path, key: entry.mark, value: entry.value.mark)
            if let problem = TopicName.problem(entry.key) {
                report(entry.mark, path, "the topic's name \(problem)")
            }
            let keys: [YAMLEntry]
            switch entry.value.content {
            case .map(let entries): keys = entries
            case .scalar where entry.value.isNull: keys = []
            default:
                report(
                    entry.value.mark,
                    path,
                    "must be a map such as {partitions: 4}, but \(entry.value.kind) was found"
                )
                continue
            }
            readTopic(entry.key, ConnectorEntry(keys), path)
        }
    }

    private mutating func readTopic(_ name: String, _ entry: ConnectorEntry, _ path: String) {
        let values = note(entry, path)
        let issues = TopicDefinition.configuration.validate(values)
        for issue in issues {
            let key = "\(path).\(issue.key)"
            let place = sourceMap.nearest(to: key)
            let isUnknown = issue.suggestion != nil || entry.values[issue.key] == nil
            report(
                isUnknown ? place?.key : place?.value,
                key,
                issue.message,
                suggestion: issue.suggestion
            )
        }
        guard issues.isEmpty, entry.problems.isEmpty,
            let topic = try? TopicDefinition(name: name, Configuration(values))
        else { return }
        definition.topics.append(topic)
    }

    private mutating func readConnectors(_ section: YAMLEntry, _ kind: ConnectorDefinition.Kind) {
        for entry in members(of: section) {
            let path = "\(section.key).\(entry.key)"
            sourceMap.note(path, key: entry.mark, value: entry.value.mark)
            if let problem = Self.problem(withConnectorName: entry.key) {
                report(entry.mark, path, "the name \(problem)")
            }
            guard case .map(let keys) = entry.value.content else {
                report(
                    entry.value.mark,
                    path,
                    "must be a map with `connector` and its keys, but \(entry.value.kind) was found"
                )
                continue
            }
            if let other = definition.connectors.first(where: { $0.name == entry.key }) {
                report(
                    entry.mark,
                    path,
                    "there is a \(other.kind.rawValue) of the same name; "
                        + "names of connectors must differ"
                )
            }
            readConnector(entry.key, kind, ConnectorEntry(keys), path)
        }
    }

    private mutating func readConnector(
        _ name: String,
        _ kind: ConnectorDefinition.Kind,
        _ entry: ConnectorEntry,
        _ path: String
    ) {
        var values = note(entry, path)
        if let own = entry.values["name"] {
            report(
                own.place.key,
                "\(path).name",
                "a \(kind.rawValue)'s name is the key it stands under, here `\(name)`; remove this"
            )
            values["name"] = nil
        }
        guard let plugin = values.removeValue(forKey: "connector.class") else {
            return reportNoConnector(kind, entry, path)
        }
        definition.connectors.append(
            ConnectorDefinition(name: name, kind: kind, plugin: plugin, values: values)
        )
    }

    /// Points at the key that was probably meant to name the connector, if there is one.
    private mutating func reportNoConnector(
        _ kind: ConnectorDefinition.Kind,
        _ entry: ConnectorEntry,
        _ path: String
    ) {
        let meant = entry.values.keys.sorted().first {
            Self.otherNamesOfConnector.contains($0)
                || Spelling.nearest(to: $0, in: ["connector", "connector.class"]) != nil
        }
        if let meant, let place = entry.values[meant]?.place {
            report(place.key, "\(path).\(meant)", "is not a known key", suggestion: "connector")
        } else {
            report(
                sourceMap[path]?.key,
                "\(path).connector",
                "is required: what kind of \(kind.rawValue) this is; "
                    + "`millrace plugins list` shows them"
            )
        }
    }

    /// Names become directories and consumer groups, and stand in one path of the REST API.
    private static func problem(withConnectorName name: String) -> String? {
        if name.isEmpty { return "must not be empty" }
        if name.utf8.count > 200 { return "must not be longer than 200 letters" }
        let isLegal = name.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0)
                || "._- ".unicodeScalars.contains($0)
        }
        return isLegal ? nil : "may hold only letters, digits, `.`, `_`, `-` and spaces"
    }
}

extension PipelineReader {
    /// The entries of a section, which must be a map of names.
    internal mutating func members(of section: YAMLEntry) -> [YAMLEntry] {
        if section.value.isNull { return [] }
        guard case .map(let entries) = section.value.content else {
            report(
                section.value.mark,
                section.key,
                "must be a map of names, but \(section.value.kind) was found"
            )
            return []
        }
        return entries
    }

    /// Notes places and problems of an entry; returns its values.
    internal mutating func note(_ entry: ConnectorEntry, _ path: String) -> [String: String] {
        for (key, value) in entry.values {
            sourceMap.note("\(path).\(key)", key: value.place.key, value: value.place.value)
        }
        for (key, problem) in entry.problems {
            report(problem.mark, "\(path).\(key)", problem.message)
        }
        return entry.values.mapValues(\.text)
    }

    internal mutating func report(
        _ mark: Mark?,
        _ key: String,
        _ message: String,
        suggestion: String? = nil
    ) {
        findings.append(
            Finding(file: file, mark: mark, key: key, message: message, suggestion: suggestion)
        )
    }

    internal mutating func setBroker(_ values: [String: String]) { definition.broker = values }

    internal mutating func append(_ test: PipelineTest) { definition.tests.append(test) }
}
