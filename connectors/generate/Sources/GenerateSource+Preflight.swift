public import ConnectorSDK

extension GenerateSource {
    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let source = try GenerateSource(configuration: configuration, context: context)
        guard !source.isBounded, try configuration.get(rate) == 0 else {
            return [PreflightCheck("templates", .passed, "They can be read.", at: "fields")]
        }
        return [
            PreflightCheck(
                "templates",
                .warning,
                "Records are made without an end, as fast as the disk takes them.",
                at: "count",
                hint: "Set `count` or `rate`, or `retention.bytes` of the topic."
            )
        ]
    }
}
