import ConnectorSDK
import JSONDocuments
import PipelineEngine
import PipelineFile

/// What one connector of a pipeline file found, or what was found of what all of them share.
struct PreflightReport {
    /// The pipeline's file, and the connector in it; `nil` for what all share.
    var connector: (file: String, name: String, kind: String, plugin: String)?
    /// What is shown above the checks.
    var title: String
    /// Whether it is about the cluster that `broker:` names.
    var isOnBroker = false
    var checks: [PreflightCheck]

    /// Asks all connectors of all pipelines.
    static func reports(
        on pipelines: [PipelineDefinition],
        _ shared: SharedOptions
    ) async -> [PreflightReport] {
        let preflight = Preflight(
            catalog: BuiltinConnectors.catalog,
            dataDirectory: shared.dataDirectory,
            logger: shared.logger
        )
        var reports: [PreflightReport] = []
        for pipeline in pipelines {
            for found in await preflight.reports(on: pipeline) {
                let kind = found.kind.rawValue
                reports.append(
                    PreflightReport(
                        connector: (pipeline.file, found.connector, kind, found.plugin),
                        title: "\(found.connector) (\(kind) \(found.plugin), \(pipeline.file))",
                        checks: found.checks
                    )
                )
            }
        }
        return reports
    }

    /// Looks at the cluster that has the topics, if one has.
    static func broker(
        _ shared: SharedOptions,
        _ files: PipelineFileSet
    ) throws -> PreflightReport? {
        guard let checks = try TopicPlace.preflight(shared, files) else { return nil }
        return PreflightReport(title: "broker", isOnBroker: true, checks: checks)
    }

    /// The exit code that follows from checks.
    static func status(of checks: [PreflightCheck]) -> ExitStatus {
        let failed = checks.filter { $0.outcome == .failed }
        if failed.contains(where: { $0.kind == .configuration }) { return .configuration }
        return failed.isEmpty ? .done : .environment
    }

    /// What did not pass, with its place in the pipeline file.
    func findings(in set: PipelineFileSet) -> [Finding] {
        guard connector != nil || isOnBroker else { return [] }
        return checks.filter { $0.outcome != .passed }.map { check in
            let place = place(of: check.configurationKey, in: set)
            let hint = check.hint.map { " \($0)" } ?? ""
            return Finding(
                file: place?.file ?? connector?.file ?? "",
                mark: place?.mark,
                key: place?.path ?? connector?.name ?? "broker",
                message: "\(check.subject): \(check.message)\(hint)",
                severity: check.outcome == .failed ? .error : .warning
            )
        }
    }

    private func place(
        of key: String?,
        in set: PipelineFileSet
    ) -> (file: String, mark: Mark?, path: String)? {
        if let connector {
            return set.place(connector: connector.name, key: key)
        }
        guard let map = set.files.first?.sourceMap else { return nil }
        let path = key.map { "broker.\($0)" } ?? "broker"
        return (map.file, map.nearest(to: path)?.value, path)
    }

    var documents: [JSONDocument] {
        checks.map { check in
            [
                "file": .optional(connector?.file), "connector": .optional(connector?.name),
                "type": .optional(connector?.kind), "subject": .string(check.subject),
                "outcome": .string(check.outcome.rawValue), "message": .string(check.message),
                "hint": .optional(check.hint), "key": .optional(check.configurationKey),
            ]
        }
    }

    var lines: [String] {
        guard !checks.isEmpty else { return [title, "  ok       nothing to look at"] }
        let width = checks.map(\.subject.count).max() ?? 0
        return [title]
            + checks.flatMap { check -> [String] in
                let subject = TextTable.pad(check.subject, to: width, .left)
                let mark = TextTable.pad(check.outcome.mark, to: 7, .left)
                let indent = String(repeating: " ", count: width + 13)
                return ["  \(mark)  \(subject)  \(check.message)"]
                    + (check.hint.map { [indent + $0] } ?? [])
            }
    }
}

extension PreflightCheck.Outcome {
    fileprivate var mark: String {
        switch self {
        case .passed: "ok"
        case .warning: "warning"
        case .failed: "FAILED"
        }
    }
}
