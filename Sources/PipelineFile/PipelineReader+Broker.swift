import ConnectorSDK
import PipelineEngine
import Topics

extension PipelineReader {
    /// Reads `broker: HOST:PORT`, a list of them, or a map of a Kafka client's keys.
    internal mutating func readBroker(_ entry: YAMLEntry) {
        guard !entry.value.isNull else {
            return report(
                entry.mark,
                "broker",
                "has no value; name a broker as HOST:PORT, or remove the key"
            )
        }
        let keys: [YAMLEntry]
        switch entry.value.content {
        case .map(let entries): keys = entries
        case .scalar, .list:
            keys = [YAMLEntry(key: "bootstrap.servers", mark: entry.mark, value: entry.value)]
        }
        let values = note(ConnectorEntry(keys), "broker")
        for issue in BrokerSettings.problems(in: values) {
            // What a reference stands for is known only when it runs.
            if let text = values[issue.key], ReferenceResolver.hasReference(text) { continue }
            let key = "broker.\(issue.key)"
            let place = sourceMap.nearest(to: key)
            report(issue.isMissing ? place?.key : place?.value, key, issue.message)
        }
        setBroker(values)
    }
}
