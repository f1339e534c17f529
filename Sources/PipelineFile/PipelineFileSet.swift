public import PipelineEngine

/// The pipeline files of one command, checked by themselves and against each other.
public struct PipelineFileSet: Sendable {
    /// The files, in the order they were named.
    public let files: [PipelineFile]
    /// Everything that is wrong, by file and place.
    public let findings: [Finding]

    /// Reads the files and checks them against each other and the connectors of `catalog`.
    public init(paths: [String], catalog: PluginCatalog) {
        self.init(paths.map { PipelineFile(path: $0) }, catalog: catalog)
    }

    /// Checks files that have been read.
    public init(_ files: [PipelineFile], catalog: PluginCatalog) {
        self.files = files
        var checks = PipelineChecks(files: files, catalog: catalog)
        checks.run()
        let order = Dictionary(
            files.enumerated().map { ($1.definition.file, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        findings = (files.flatMap(\.findings) + checks.findings).enumerated().sorted {
            left,
            right in
            let a = (order[left.element.file] ?? 0, left.element.mark ?? .start, left.offset)
            let b = (order[right.element.file] ?? 0, right.element.mark ?? .start, right.offset)
            return a < b
        }.map(\.element)
    }

    /// What the files define.
    public var definitions: [PipelineDefinition] { files.map(\.definition) }

    /// Whether anything found keeps the pipelines from running.
    public var hasErrors: Bool { findings.contains { $0.severity == .error } }

    /// The place of a connector's key, for errors that show only when it runs.
    public func place(
        connector: String,
        key: String?
    ) -> (file: String, mark: Mark, path: String)? {
        for file in files {
            guard let found = file.definition.connectors.first(where: { $0.name == connector })
            else { continue }
            let path = found.path(of: key)
            guard let place = file.sourceMap.nearest(to: path) else { return nil }
            return (file.definition.file, place.value, path)
        }
        return nil
    }
}

extension ConnectorDefinition {
    /// The path of one of the connector's keys, or of the connector itself.
    internal func path(of key: String?) -> String {
        let own = (kind == .source ? "sources." : "sinks.") + name
        guard let key else { return own }
        let written = key == "connector" ? "connector.class" : key
        return "\(own).\(written)"
    }
}
