internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// The sink's configuration, checked as a whole.
internal struct SinkSettings: Sendable {
    internal let tables: TableSinkSettings
    private let splitsAtDot: Bool
    /// The table's name where no record has a part in it.
    internal let onlyTable: TableName?
    internal let connection: PostgresSettings
    internal let transactionRecords: Int
    /// The table of offsets.
    internal let offsets: TableName

    internal init(_ configuration: Configuration) throws(ConnectorError) {
        let marked = TableName.marked(configuration)
        splitsAtDot = marked.splitsAtDot
        let format = marked.configuration.values["table.name.format"]
        onlyTable = format.flatMap { text in
            text.contains("${") ? nil : TableName(rendered: text, splitsAtDot: false)
        }
        tables = try TableSinkSettings(
            marked.configuration,
            dialect: TableDialect(nameLimit: 2 * TableName.nameLimit + 1)
        )
        var connection = try ConnectionKeys.settings(configuration)
        connection.lockTimeout = try configuration.get(Self.lockTimeoutKey)
        if connection["fallback_application_name"] == nil {
            connection["fallback_application_name"] = "millrace"
        }
        self.connection = connection
        transactionRecords = try configuration.get(Self.transactionRecordsKey)
        offsets = TableName(written: try configuration.get(Self.offsetsKey))
        if let problem = offsets.problem {
            throw .invalid(Self.offsetsKey.declaration.name, "The name \(problem).")
        }
    }
}

extension SinkSettings {
    /// The table that a name made of a record stands for.
    internal func table(_ rendered: String) -> TableName {
        TableName(rendered: rendered, splitsAtDot: splitsAtDot)
    }

    internal static let specification = ConnectionKeys.specification
        .merging(TableSinkSettings.specification)
        .with(transactionRecordsKey).with(lockTimeoutKey).with(offsetsKey)

    private static let transactionRecordsKey: ConfigKey<Int> = .int(
        "transaction.records",
        default: 262_144,
        in: 1...16_777_216,
        importance: .low,
        help: "The records of a transaction when they come fast."
    )
    private static let lockTimeoutKey: ConfigKey<Duration> = .duration(
        "lock.timeout.ms",
        default: .seconds(30),
        in: .zero ... .seconds(86_400),
        importance: .low,
        help: "How long a statement waits for a lock that another session holds, before the write "
            + "is retried; 0 waits for ever."
    )
    private static let offsetsKey: ConfigKey<String> = .string(
        "offsets.table.name",
        default: "__millrace_offsets",
        importance: .low,
        help:
            "The table that the sink keeps its offsets in, with its schema before a dot if it has "
            + "one. It is created when it does not exist."
    )
}
