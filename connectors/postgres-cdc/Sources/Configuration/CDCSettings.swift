internal import ChangeCapture
internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords

/// What a configuration says, read once.
internal struct CDCSettings {
    internal let connection: PostgresSettings
    internal let capture: CaptureSettings
    internal let slot: String
    internal let dropsSlot: Bool
    internal let slotRetries: Int
    internal let slotDelay: Duration
    internal let publication: String
    internal let publicationMode: PublicationMode
    internal let isViaRoot: Bool
    internal let mismatch: MismatchStrategy
    internal let statusInterval: Duration
    internal let streams: Bool
    internal let snapshotMode: SnapshotMode
    internal let rangeRows: Int
    internal let chunkRows: Int
    internal let tablePoll: Duration
    internal let signalTable: String?
    internal let heartbeatQuery: String?
    internal let includesMessage: NameFilter
    internal let excludesMessage: NameFilter

    internal init(_ configuration: Configuration) throws(ConnectorError) {
        connection = try ConnectionKeys.settings(configuration)
        capture = try CaptureSettings(configuration)
        _ = try configuration.get(CDCKeys.plugin)
        slot = try configuration.get(CDCKeys.slot)
        dropsSlot = try configuration.get(CDCKeys.dropSlot)
        slotRetries = try configuration.get(CDCKeys.slotRetries)
        slotDelay = try configuration.get(CDCKeys.slotDelay)
        publication = try configuration.get(CDCKeys.publication)
        publicationMode = try configuration.get(CDCKeys.publicationMode)
        isViaRoot = try configuration.get(CDCKeys.viaRoot)
        mismatch = try configuration.get(CDCKeys.mismatch)
        statusInterval = try configuration.get(CDCKeys.statusInterval)
        streams = try configuration.get(CDCKeys.streaming) == .on
        snapshotMode = try configuration.get(CDCKeys.snapshotMode)
        rangeRows = try configuration.get(CDCKeys.rangeRows)
        chunkRows = try configuration.get(CDCKeys.chunkRows)
        tablePoll = try configuration.get(CDCKeys.tablePoll)
        signalTable = try configuration.get(CDCKeys.signalTable)
        heartbeatQuery = try configuration.get(CDCKeys.heartbeatQuery)
        includesMessage = NameFilter(try configuration.get(CDCKeys.messagesInclude))
        excludesMessage = NameFilter(try configuration.get(CDCKeys.messagesExclude))
    }

    /// Whether a message written with `pg_logical_emit_message` is captured, by its prefix.
    internal func captures(message prefix: String) -> Bool {
        // Ours only make the server write its log to the disk.
        if prefix == Self.ownMessages { return false }
        return includesMessage.isEmpty
            ? !excludesMessage.matches(prefix) : includesMessage.matches(prefix)
    }

    /// The prefix of messages that the connector writes.
    internal static let ownMessages = "millrace:log"
}
