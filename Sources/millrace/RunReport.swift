import ConnectorSDK
import JSONDocuments
import PipelineEngine
import PipelineFile

/// What `run` says at its end.
struct RunReport {
    let summary: RunSummary
    let files: PipelineFileSet

    var document: JSONDocument {
        let pipelines = summary.pipelines.map { pipeline -> JSONDocument in
            [
                "name": .string(pipeline.name),
                "connectors": .array(pipeline.connectors.map { Self.document(of: $0) }),
            ]
        }
        return ["pipelines": .array(pipelines)]
    }

    private static func document(of connector: ConnectorProgress) -> JSONDocument {
        var fields: [(String, JSONDocument)] = [
            ("name", .string(connector.name)), ("type", .string(connector.kind.rawValue)),
            ("state", .string(connector.state.rawValue)), ("records", .int(connector.records)),
            ("bytes", .int(connector.bytes)), ("rejected", .int(connector.rejected)),
            ("seconds", .seconds(connector.seconds)),
        ]
        if connector.state == .failed, let error = connector.error {
            fields.append(("error", Failure(error).fields))
        }
        return .object(fields)
    }

    /// The summary table.
    var lines: [String] {
        var table = TextTable([
            ("connector", .left), ("type", .left), ("state", .left), ("records", .right),
            ("bytes", .right), ("rejected", .right), ("time", .right), ("records/s", .right),
        ])
        for connector in summary.pipelines.flatMap(\.connectors) {
            let rate =
                connector.seconds > 0.001 ? Double(connector.records) / connector.seconds : 0
            table.append([
                connector.name, "\(connector.kind.rawValue) \(connector.plugin)",
                connector.state.rawValue, Quantity.count(connector.records),
                Quantity.bytes(Double(connector.bytes)), Quantity.count(connector.rejected),
                Quantity.seconds(connector.seconds), Quantity.count(Int64(rate.rounded())),
            ])
        }
        return table.lines
    }

    /// Where rejected records are.
    var remarks: [String] {
        summary.pipelines.flatMap(\.connectors).filter { $0.rejected > 0 }.map(whereRejected)
    }

    private func whereRejected(_ connector: ConnectorProgress) -> String {
        let definition = files.definitions.flatMap(\.connectors).first {
            $0.name == connector.name
        }
        let count = Quantity.count(connector.rejected)
        let topic = definition?.values["errors.deadletterqueue.topic.name"] ?? "TOPIC"
        return "\(connector.name): \(count) record(s) rejected; see `millrace dlq show \(topic)`"
    }
}
