internal import ConnectorSDK
internal import TableMapping

/// The source's configuration, checked as a whole.
internal struct SourceSettings {
    internal let tables: TableSourceSettings
    internal let path: String
    internal let busyTimeout: Duration

    internal init(_ configuration: Configuration) throws(ConnectorError) {
        tables = try TableSourceSettings(configuration)
        path = configuration.path(try configuration.get(Self.pathKey))
        busyTimeout = try configuration.get(Self.busyTimeoutKey)
    }
}

extension SourceSettings {
    internal static let specification = ConfigSpec().with(pathKey)
        .merging(TableSourceSettings.specification).with(busyTimeoutKey)

    private static let pathKey: ConfigKey<String> = .required(
        "path",
        help: "The database file. It is opened for reading only."
    )
    private static let busyTimeoutKey: ConfigKey<Duration> = .duration(
        "busy.timeout.ms",
        default: .seconds(10),
        importance: .low,
        help: "How long to wait for a lock before the read is retried."
    )
}
