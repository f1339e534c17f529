internal import ChangeCapture
internal import ConnectorSDK

/// The keys of the connector beside those that all captures share.
internal enum CDCKeys {
    static let plugin = ConfigKey<Plugin>.choice(
        "plugin.name",
        default: .pgoutput,
        importance: .low,
        help: "The server's output plugin. There is one, which every server has."
    )

    // MARK: - Slot and publication

    static let slot = ConfigKey.string(
        "slot.name",
        default: "millrace",
        importance: .high,
        help: """
            The replication slot, by which the server keeps what was not read yet. It is created \
            when it does not exist. Every connector needs one of its own.
            """
    ) { nameProblem($0) }
    static let dropSlot = ConfigKey.bool(
        "slot.drop.on.stop",
        default: false,
        importance: .low,
        help: """
            Whether the slot is dropped when the connector stops in order. Changes made while it \
            is stopped are lost then, so this is for tests.
            """
    )
    static let slotRetries = ConfigKey.int(
        "slot.max.retries",
        default: 6,
        in: 0...1_000,
        importance: .low,
        help: "How often to try again when another process uses the slot."
    )
    static let slotDelay = ConfigKey<Duration>.duration(
        "slot.retry.delay.ms",
        default: .seconds(10),
        importance: .low,
        help: "How long to wait before each of these attempts; shorter when the slot gets free."
    )
    static let publication = ConfigKey.string(
        "publication.name",
        default: "millrace",
        importance: .high,
        help: "The publication, which says whose changes the server sends."
    ) { $0.isEmpty || $0.utf8.count > 63 ? "must have 1 ... 63 bytes" : nil }
    static let publicationMode = ConfigKey<PublicationMode>.choice(
        "publication.autocreate.mode",
        default: .filtered,
        help: """
            `filtered` creates the publication with the captured tables and adds tables to it, \
            `all_tables` creates one of all tables, for which one must be a superuser, `disabled` \
            expects one that somebody else cares for.
            """
    )
    static let viaRoot = ConfigKey.bool(
        "publish.via.partition.root",
        default: true,
        importance: .low,
        help: """
            Whether a publication that is created tells changes of partitions as changes of the \
            partitioned table.
            """
    )
    static let mismatch = ConfigKey<MismatchStrategy>.choice(
        "offset.mismatch.strategy",
        default: .fail,
        importance: .low,
        help: """
            What to do when the slot does not hold all that follows the stored position, because \
            it was moved or made anew: `fail`, or `trust_slot`, go on at the slot's place, and miss \
            what lies between, or `snapshot`, go on there and read all tables again meanwhile, \
            which misses only deletions.
            """
    )
    static let statusInterval = ConfigKey<Duration>.duration(
        "status.update.interval.ms",
        default: .seconds(10),
        in: .milliseconds(10) ... .seconds(3_600),
        importance: .low,
        help: """
            How often the server is told that the connector lives; must be well below the \
            server's `wal_sender_timeout`. Progress is told at once.
            """
    )
    static let streaming = ConfigKey<Streaming>.choice(
        "streaming",
        default: .on,
        importance: .low,
        help: """
            Whether large transactions are sent before they are complete (PostgreSQL 14 and \
            later) and kept in files until they are, so that little is left to do at their \
            commit. With `off` the server keeps them.
            """
    )

    // MARK: - Snapshots

    static let snapshotMode = ConfigKey<SnapshotMode>.choice(
        "snapshot.mode",
        default: .initial,
        importance: .high,
        help: """
            `initial` reads the tables before the first change, `initial_only` reads them and \
            ends, `never` begins with the changes, `when_needed` is `initial` and reads the tables \
            again when the slot is gone or does not hold what follows the stored position.
            """
    )
    static let rangeRows = ConfigKey.int(
        "snapshot.range.rows",
        default: 500_000,
        in: 1_000...1_000_000_000,
        importance: .low,
        help: """
            About how many rows of a table one task reads at a time. Ranges that were read are not \
            read again after a restart.
            """
    )
    static let chunkRows = ConfigKey.int(
        "incremental.snapshot.chunk.size",
        default: 4_096,
        in: 1...100_000,
        importance: .low,
        help: "How many rows a snapshot that runs beside the changes reads at a time."
    )
    static let tablePoll = ConfigKey<Duration>.duration(
        "table.poll.interval.ms",
        default: .seconds(10),
        in: .milliseconds(100) ... .seconds(86_400),
        importance: .low,
        help: "How often to look for new tables that are to be captured."
    )

    // MARK: - Signals, heartbeats and messages

    static let signalTable = ConfigKey<String?>.optional(
        "signal.data.collection",
        help: """
            A table `schema.name` with the columns `id`, `type` and `data`, all text: rows that \
            are inserted are signals, such as `execute-snapshot`.
            """
    ) { $0.contains(".") ? nil : "must be `schema.table`" }
    static let heartbeatQuery = ConfigKey<String?>.optional(
        "heartbeat.action.query",
        help: """
            A statement to run in the database with each heartbeat, such as an update of a table \
            of one row, for servers on which only other databases change.
            """
    )
    static let messagesInclude = ConfigKey<[String]>.list(
        "message.prefix.include.list",
        importance: .low,
        help: """
            Regular expressions for prefixes of messages written with `pg_logical_emit_message`: \
            no others are captured.
            """
    ) { NameFilter.problem($0) }
    static let messagesExclude = ConfigKey<[String]>.list(
        "message.prefix.exclude.list",
        importance: .low,
        help: "Prefixes of messages to leave out."
    ) { NameFilter.problem($0) }

    static let own = ConfigSpec()
        .with(plugin)
        .with(slot).with(dropSlot).with(slotRetries).with(slotDelay)
        .with(publication).with(publicationMode).with(viaRoot)
        .with(mismatch).with(statusInterval).with(streaming)
        .with(snapshotMode).with(rangeRows).with(chunkRows).with(tablePoll)
        .with(signalTable).with(heartbeatQuery).with(messagesInclude).with(messagesExclude)

    private static func nameProblem(_ name: String) -> String? {
        let isValid = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
        }
        return isValid && (1...63).contains(name.utf8.count)
            ? nil : "must have 1 ... 63 lower-case letters, digits and underscores"
    }
}

/// The output plugins that can be read.
internal enum Plugin: String, CaseIterable, Sendable {
    case pgoutput
}

/// Who makes the publication.
internal enum PublicationMode: String, CaseIterable, Sendable {
    case filtered
    case allTables = "all_tables"
    case disabled
}

/// What to do when slot and position do not fit.
internal enum MismatchStrategy: String, CaseIterable, Sendable {
    case fail
    case trustSlot = "trust_slot"
    case snapshot
}

/// Whether large transactions are sent before they are complete.
internal enum Streaming: String, CaseIterable, Sendable {
    case on, off
}

/// When the tables are read.
internal enum SnapshotMode: String, CaseIterable, Sendable {
    case initial
    case initialOnly = "initial_only"
    case never
    case whenNeeded = "when_needed"
}
