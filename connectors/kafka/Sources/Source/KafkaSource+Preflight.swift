public import ConnectorSDK
internal import KafkaClient
internal import RegularExpressions

extension KafkaSource {
    /// Asks for the topics, and for the offsets of a partition of each.
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try KafkaSourceSettings(configuration, name: context.name)
        var checkup = try KafkaCheckup(settings.cluster, name: context.name)
        guard let topics = checkup.topics() else { return checkup.checks }
        var chosen: [String] = []
        switch settings.topics {
        case .names(let names):
            for name in names where checkup.exists(name, among: topics) { chosen.append(name) }
        case .pattern(let expression):
            chosen = topics.keys.filter { !$0.hasPrefix("__") && expression.matches($0) }.sorted()
            checkup.add(
                "topics",
                chosen.isEmpty ? .warning : .passed,
                "\(chosen.count) topics of the cluster match `topics.regex`.",
                at: KafkaSourceKeys.pattern.declaration.name
            )
        }
        checkup.readable(chosen)
        return checkup.checks
    }
}
