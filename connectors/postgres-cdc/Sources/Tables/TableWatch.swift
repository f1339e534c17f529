internal import ConnectorSDK
internal import LogicalReplication
internal import Logging
internal import PostgresClient

/// Finds tables that are to be captured and are not yet, and has them captured.
internal final class TableWatch {
    private let settings: CDCSettings
    private let database: Database
    private let tables: TableMap
    private let snapshot: SnapshotBeside
    private let logger: Logger
    private var known: [UInt32: String]

    internal init(
        _ settings: CDCSettings,
        _ database: Database,
        _ tables: TableMap,
        _ snapshot: SnapshotBeside,
        known: [CatalogTable],
        logger: Logger
    ) {
        self.settings = settings
        self.database = database
        self.tables = tables
        self.snapshot = snapshot
        self.logger = logger
        self.known = Dictionary(known.map { ($0.id, $0.fullName) }) { first, _ in first }
    }

    /// Looks at the catalog, and captures what is new.
    internal func look() async throws(ConnectorError) {
        guard let publication = try Publication.find(settings.publication, database) else {
            throw Publication.missing(settings.publication)
        }
        let wanted = try TableCatalog(database: database)
            .captured(settings, by: publication)
        for (id, name) in known where !wanted.contains(where: { $0.id == id }) {
            known[id] = nil
            logger.warning("a captured table is gone", metadata: ["table": "\(name)"])
        }
        let new = wanted.filter { known[$0.id] == nil }
        guard !new.isEmpty else { return }
        for table in new {
            known[table.id] = table.fullName
            logger.info("a new table is captured", metadata: ["table": "\(table.fullName)"])
        }
        // Where the publication is somebody else's, tables come when they are added to it.
        let published = new.filter { publication.tables.contains($0.id) }
        let absent = new.filter { !publication.tables.contains($0.id) }
        if settings.publicationMode == .disabled {
            for table in absent { known[table.id] = nil }
            return try await read(published)
        }
        // First that it is to be read, then that it is published: what is killed between, knows.
        try await read(new)
        _ = try Publication.ensure(settings, with: absent, database)
        try await read(absent)
    }

    private func read(_ tables: [CatalogTable]) async throws(ConnectorError) {
        guard settings.snapshotMode != .never else { return }
        for table in tables {
            // One of the same name as one that was dropped is another.
            try await snapshot.add(table, startsOver: snapshot.knows(table.fullName), isNew: true)
        }
    }
}
