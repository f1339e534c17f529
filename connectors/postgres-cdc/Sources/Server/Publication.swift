internal import ConnectorSDK
internal import JSONDocuments
internal import PostgresClient

/// The publication that the slot reads: what it is, and making it what it should be.
internal struct Publication: Equatable {
    internal let name: String
    internal var hasAllTables: Bool
    internal var isViaRoot: Bool
    /// Whether it tells updates or deletes, for which tables need a replica identity.
    internal var tellsOldRows: Bool
    /// The oids of its tables.
    internal var tables: Set<UInt32>

    /// Looks the publication up; `nil` when there is none.
    internal static func find(
        _ name: String,
        _ database: Database
    ) throws(ConnectorError) -> Publication? {
        let result = try database.query(
            "SELECT oid, puballtables, pubviaroot, pubupdate OR pubdelete FROM pg_publication "
                + "WHERE pubname = $1",
            [.text(name)],
            "look for the publication `\(name)`"
        )
        guard result.rowCount == 1 else { return nil }
        let tables = try database.query(
            """
            SELECT c.oid FROM pg_publication_tables t
            JOIN pg_namespace n ON n.nspname = t.schemaname
            JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
            WHERE t.pubname = $1
            """,
            [.text(name)],
            "list the tables of the publication `\(name)`"
        )
        return Publication(
            name: name,
            hasAllTables: result.bool(0, 1) ?? false,
            isViaRoot: result.bool(0, 2) ?? false,
            tellsOldRows: result.bool(0, 3) ?? true,
            tables: Set(
                (0..<tables.rowCount).compactMap { tables.int($0, 0).map { UInt32($0) } }
            )
        )
    }

    /// Tables as the publication tells them: without columns that it leaves out, and with its
    /// condition for rows.
    internal func limit(
        _ tables: [CatalogTable],
        _ database: Database
    ) throws(ConnectorError) -> [CatalogTable] {
        guard try database.connection().serverVersion >= 15_00_00 else { return tables }
        let result = try database.query(
            """
            SELECT schemaname || '.' || tablename, array_to_json(attnames), rowfilter
            FROM pg_publication_tables WHERE pubname = $1
            """,
            [.text(name)],
            "look at the publication `\(name)`"
        )
        var limits: [String: (columns: [String], filter: String?)] = [:]
        for row in 0..<result.rowCount {
            let columns = result.string(row, 1).flatMap { JSONDocument(parsing: $0)?.strings } ?? []
            limits[result.string(row, 0) ?? ""] = (columns, result.string(row, 2))
        }
        return tables.map { table in
            guard let limit = limits[table.fullName] else { return table }
            var table = table
            table.columns.removeAll { !limit.columns.contains($0.name) }
            table.key.removeAll { !limit.columns.contains($0) }
            table.rowFilter = limit.filter
            return table
        }
    }

    /// Makes sure that there is a publication with all of `tables`.
    ///
    /// - Returns: the publication, and the tables that were added to one that existed before: the
    ///   server told none of their changes until now.
    internal static func ensure(
        _ settings: CDCSettings,
        with tables: [CatalogTable],
        _ database: Database
    ) throws(ConnectorError) -> (publication: Publication, added: [CatalogTable]) {
        guard var publication = try find(settings.publication, database) else {
            try create(settings, with: tables, database)
            guard let made = try find(settings.publication, database) else {
                throw missing(settings.publication)
            }
            return (made, [])
        }
        let absent = tables.filter { !publication.tables.contains($0.id) }
        guard !absent.isEmpty, !publication.hasAllTables else { return (publication, []) }
        try check(settings, publication, for: tables)
        try database.query(
            "ALTER PUBLICATION \(SQLText.identifier(publication.name)) ADD TABLE \(list(absent))",
            [],
            "add \(names(of: absent)) to the publication `\(publication.name)`"
        )
        publication.tables.formUnion(absent.map(\.id))
        return (publication, absent)
    }

    /// Throws what keeps a publication from being what it should be; makes nothing.
    internal static func check(
        _ settings: CDCSettings,
        _ publication: Publication?,
        for tables: [CatalogTable]
    ) throws(ConnectorError) {
        guard let publication else {
            guard settings.publicationMode != .disabled else { throw missing(settings.publication) }
            return try checkIdentity(of: tables)
        }
        let absent = tables.filter { !publication.tables.contains($0.id) }
        guard !absent.isEmpty, !publication.hasAllTables else { return }
        guard settings.publicationMode != .disabled else {
            throw CDCError.configuration(
                "publication_tables",
                "The publication `\(publication.name)` does not have "
                    + "\(names(of: absent)), which is to be captured.",
                at: CDCKeys.publicationMode.declaration.name,
                hint: "ALTER PUBLICATION \(SQLText.identifier(publication.name)) ADD TABLE …, or "
                    + "leave out the table, or set `publication.autocreate.mode: filtered`."
            )
        }
        if publication.tellsOldRows { try checkIdentity(of: absent) }
    }

    private static func create(
        _ settings: CDCSettings,
        with tables: [CatalogTable],
        _ database: Database
    ) throws(ConnectorError) {
        try check(settings, nil, for: tables)
        var checked = tables
        if settings.publicationMode == .allTables {
            checked = try TableCatalog(database: database).tables(viaRoot: false) { _ in true }
        }
        try checkIdentity(of: checked)
        let target =
            settings.publicationMode == .allTables ? "FOR ALL TABLES" : "FOR TABLE \(list(tables))"
        let options = settings.isViaRoot ? " WITH (publish_via_partition_root = true)" : ""
        try database.query(
            "CREATE PUBLICATION \(SQLText.identifier(settings.publication)) \(target)\(options)",
            [],
            "create the publication `\(settings.publication)`"
        )
    }

    /// Refuses tables whose updates and deletes would fail, for everybody, once they are published.
    private static func checkIdentity(of tables: [CatalogTable]) throws(ConnectorError) {
        let without = tables.filter { !$0.tellsOldRows }
        guard let table = without.first else { return }
        throw CDCError.configuration(
            "no_replica_identity",
            "\(names(of: without)) has no primary key, or tells no old rows: once published, "
                + "the server would refuse every update and delete of its rows.",
            at: "table.include.list",
            hint: "Add a primary key, or ALTER TABLE \(table.sqlName) REPLICA IDENTITY FULL, or "
                + "leave it out. To capture inserts only, make a publication with "
                + "(publish = 'insert') yourself, and set `publication.autocreate.mode: disabled`."
        )
    }

    internal static func missing(_ name: String) -> ConnectorError {
        CDCError.environment(
            "publication_missing",
            "There is no publication `\(name)`.",
            at: CDCKeys.publication.declaration.name,
            hint: "CREATE PUBLICATION \(SQLText.identifier(name)) FOR TABLE …, or set "
                + "`publication.autocreate.mode: filtered`."
        )
    }

    /// The names of some tables, for messages.
    internal static func names(of tables: [CatalogTable]) -> String {
        let shown = tables.prefix(3).map { "`\($0.fullName)`" }.joined(separator: ", ")
        let word = tables.count == 1 ? "the table" : "the tables"
        let rest = tables.count > 3 ? " and \(tables.count - 3) more" : ""
        return "\(word) \(shown)\(rest)"
    }

    private static func list(_ tables: [CatalogTable]) -> String {
        tables.map(\.sqlName).joined(separator: ", ")
    }
}
