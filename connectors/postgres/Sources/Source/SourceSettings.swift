internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// The source's configuration, checked as a whole.
internal struct SourceSettings {
    /// Which transactions must have ended before rows are read that these might yet add to.
    internal enum Horizon: String, CaseIterable, Sendable {
        /// By mode: `writers` where rows are found by an incrementing column alone, otherwise
        /// `transactions`.
        case auto
        /// All of the database.
        case transactions
        /// Those that have locked the table, or a sequence of its own, for writing.
        case writers
        /// Those that have written anything, as far as snapshots show them; for a standby.
        case snapshot
        /// None: rows may be missed.
        case none
    }

    internal let connection: PostgresSettings
    internal let tables: TableSourceSettings
    internal let horizon: Horizon

    internal init(_ configuration: Configuration) throws(ConnectorError) {
        connection = try ConnectionKeys.settings(configuration)
        tables = try TableSourceSettings(configuration)
        let asked = try configuration.get(Self.horizonKey)
        let isIncrementing = tables.mode == .incrementing && tables.query == nil
        horizon = asked == .auto ? (isIncrementing ? .writers : .transactions) : asked
    }
}

extension SourceSettings {
    internal static let specification = ConnectionKeys.specification
        .merging(TableSourceSettings.specification).with(horizonKey)

    internal static let horizonKey: ConfigKey<Horizon> = .choice(
        "transaction.horizon",
        default: .auto,
        help: "Which running transactions the source waits for before it reads rows by an "
            + "incrementing column or a timestamp, since they may yet commit rows with smaller "
            + "values: `transactions`, all of the database; `writers`, those that have locked the "
            + "table or its sequence for writing; `snapshot`, those that have written anything, "
            + "for a standby, which sees no more; `none` reads at once and may miss rows. `auto` "
            + "is `writers` for mode `incrementing` on tables, otherwise `transactions`."
    )
}
