internal import ConnectorSDK
internal import RecordTemplates

/// The template of a topic that records of a partition go to.
internal enum TargetTemplate {
    /// Reads it; it may ask for nothing but topic and partition.
    internal static func read(
        _ key: ConfigKey<String>,
        of configuration: Configuration
    ) throws(ConnectorError) -> RecordTemplate {
        let name = key.declaration.name
        let template = try RecordTemplate(try configuration.get(key), key: name)
        guard template.isConstantInPartition else {
            throw .invalid(
                name,
                "Only `${topic}` and `${partition}` can stand in it.",
                hint: "A transform such as RegexRouter chooses topics record by record."
            )
        }
        return template
    }
}
