public import ConnectorSDK

/// What a configuration says about how changes are told, for one source.
public struct CaptureSettings: Sendable {
    /// `topic.prefix`: the database's logical name.
    public let prefix: String
    /// How often a heartbeat is due; zero for never.
    public let heartbeatInterval: Duration
    /// Whether transactions are told in a topic of their own.
    public let providesTransactions: Bool
    /// Whether truncations are told.
    public let tellsTruncations: Bool
    /// How intervals are written.
    public let intervalMode: IntervalMode
    /// How hstore values are written.
    public let hstoreMode: HstoreMode

    internal let delimiter: String
    internal let transactionTopic: String
    internal let heartbeatTopic: String
    internal let sendsTombstones: Bool
    internal let skipped: Set<UInt8>
    internal let placeholder: String?
    internal let decimalMode: DecimalMode
    internal let timeMode: TimeMode
    internal let binaryMode: BinaryMode
    internal let masks: [ColumnMask]
    private let included: NameFilter
    private let excluded: NameFilter
    private let includedColumns: NameFilter
    private let excludedColumns: NameFilter
    private let keyRules: [KeyRule]

    /// Reads the keys of ``CaptureKeys/common`` and ``CaptureKeys/types``; what a connector does
    /// not declare has its default.
    public init(_ configuration: Configuration) throws(ConnectorError) {
        prefix = try configuration.get(CaptureKeys.topicPrefix)
        delimiter = try configuration.get(CaptureKeys.topicDelimiter)
        let transactions = try configuration.get(CaptureKeys.topicTransaction)
        transactionTopic = TopicNames.name([prefix, transactions], delimiter: delimiter)
        let heartbeats = try configuration.get(CaptureKeys.heartbeatPrefix)
        heartbeatTopic = TopicNames.name([heartbeats, prefix], delimiter: delimiter)
        heartbeatInterval = try configuration.get(CaptureKeys.heartbeatInterval)
        providesTransactions = try configuration.get(CaptureKeys.transactionMetadata)
        sendsTombstones = try configuration.get(CaptureKeys.tombstones)
        let skipped = try configuration.get(CaptureKeys.skippedOperations)
        self.skipped = Set(skipped.filter { $0 != "none" }.compactMap(\.utf8.first))
        tellsTruncations = !skipped.contains("t")
        included = NameFilter(try configuration.get(CaptureKeys.tableInclude))
        excluded = NameFilter(try configuration.get(CaptureKeys.tableExclude))
        includedColumns = NameFilter(try configuration.get(CaptureKeys.columnInclude))
        excludedColumns = NameFilter(try configuration.get(CaptureKeys.columnExclude))
        keyRules = KeyRule.rules(try configuration.get(CaptureKeys.keyColumns) ?? "")
        binaryMode = try configuration.get(CaptureKeys.binaryMode)
        decimalMode = try configuration.get(CaptureKeys.decimalMode)
        timeMode = try configuration.get(CaptureKeys.timeMode)
        intervalMode = try configuration.get(CaptureKeys.intervalMode)
        hstoreMode = try configuration.get(CaptureKeys.hstoreMode)
        placeholder = try configuration.get(CaptureKeys.placeholder)
        masks = try ColumnMask.masks(configuration)
        for (first, second, key) in [
            (included, excluded, CaptureKeys.tableExclude.declaration.name),
            (includedColumns, excludedColumns, CaptureKeys.columnExclude.declaration.name),
        ] where !first.isEmpty && !second.isEmpty {
            throw .invalid(key, "Name what to include or what to exclude, not both.")
        }
    }

    /// Where the source says that transactions are complete.
    public var transactions: CapturedTransactionTopic {
        CapturedTransactionTopic(
            name: transactionTopic,
            tablePrefix: TopicNames.name([prefix, ""], delimiter: delimiter),
            missingKey: providesTransactions
                ? nil : CaptureKeys.transactionMetadata.declaration.name
        )
    }

    /// Whether a table is captured, by its name in the topic without the prefix:
    /// `public.orders`, or `orders` where there are no schemas.
    public func includes(table: String) -> Bool {
        included.isEmpty ? !excluded.matches(table) : included.matches(table)
    }

    /// The topic that the changes of a table go to; `namespace` is its schema, where there are any.
    public func topic(ofTable name: String, in namespace: String?) -> String {
        topic((namespace.map { [$0] } ?? []) + [name])
    }

    /// Whether a column is told with the values that it has.
    public func tellsAsIs(column: String, of table: String) -> Bool {
        includes(column: column, of: table) && mask(column: column, of: table) == nil
    }

    internal func includes(column: String, of table: String) -> Bool {
        let name = "\(table).\(column)"
        return includedColumns.isEmpty
            ? !excludedColumns.matches(name) : includedColumns.matches(name)
    }

    internal func mask(column: String, of table: String) -> ColumnMask? {
        masks.first { $0.columns.matches("\(table).\(column)") }
    }

    /// The columns of a table's key that a user chose, or `nil`.
    internal func keyColumns(of table: String) -> [String]? {
        keyRules.first { $0.table.matches(table) }?.columns
    }

    internal func topic(_ parts: [String]) -> String {
        TopicNames.name([prefix] + parts, delimiter: delimiter)
    }
}
