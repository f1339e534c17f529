internal import ConnectorSDK
internal import SQLiteClient
internal import SQLiteTables
internal import TableMapping

/// The source's connection, which only reads.
internal final class SourceDatabase {
    internal let settings: SourceSettings
    private let handle: SQLiteHandle
    private let readSchemaVersion: SQLiteStatement

    internal init(_ settings: SourceSettings) throws(ConnectorError) {
        self.settings = settings
        do throws(SQLiteFailure) {
            handle = try SQLiteHandle(
                path: settings.path,
                mode: .readOnly,
                busyTimeout: settings.busyTimeout
            )
            try handle.execute("SELECT 1 FROM sqlite_schema")
            readSchemaVersion = try handle.prepare("PRAGMA schema_version")
        } catch {
            throw .sqlite(error, "open the database \(settings.path)", path: settings.path)
        }
    }

    /// Compiles a statement for reading `name`.
    internal func prepare(_ sql: String, for name: String) throws(ConnectorError)
        -> SQLiteStatement
    {
        do throws(SQLiteFailure) {
            return try handle.prepare(sql)
        } catch {
            throw failure(error, reading: name)
        }
    }

    /// Says what a failure to read `name` means.
    internal func failure(_ failure: SQLiteFailure, reading name: String) -> ConnectorError {
        if failure.primaryCode == 1, name == Relation.queryName, settings.tables.query != nil {
            return .invalid("query", "SQLite does not understand the query: \(failure.message).")
        }
        return .sqlite(failure, "read \(name)", path: settings.path)
    }

    /// A number that changes with the definition of any table.
    internal func schemaVersion() throws(ConnectorError) -> Int64 {
        defer { readSchemaVersion.reset() }
        do throws(SQLiteFailure) {
            return try readSchemaVersion.step() ? readSchemaVersion.int64(0) : 0
        } catch {
            throw failure(error, reading: settings.path)
        }
    }

    /// The relation of that name as it is now.
    internal func relation(_ name: String) throws(ConnectorError) -> Relation {
        if let query = settings.tables.query { return Relation(query: query, settings) }
        let table: TableDescription?
        do throws(SQLiteFailure) {
            table = try TableDescription(name, in: handle)
        } catch {
            throw failure(error, reading: name)
        }
        guard let table else {
            throw ConnectorError(
                .init("table.no_table"),
                .failTask,
                "The table \(name) is no longer in \(settings.path).",
                hint: "Leave it out with table.exclude.list."
            )
        }
        return try Relation(table, settings, in: handle)
    }

    /// Reads a position that an earlier run left.
    internal func position(_ text: String, of name: String) throws(ConnectorError) -> ReadPosition {
        if let position = ReadPosition(text) { return position }
        throw ConnectorError(
            .init("sqlite.position"),
            .failTask,
            "The position stored for \(name) is not one of this connector.",
            hint: "Reset the connector's offsets to read from the beginning."
        )
    }

    /// The names of the tables and views to be read, in order.
    internal func selectedNames() throws(ConnectorError) -> [String] {
        if settings.tables.query != nil { return [Relation.queryName] }
        let statement = try prepare(
            "SELECT name, type FROM pragma_table_list WHERE schema = 'main' "
                + "AND type IN ('table', 'view', 'virtual') AND substr(name, 1, 7) <> 'sqlite_' "
                + "AND name <> '\(OffsetTable.name)' ORDER BY name",
            for: settings.path
        )
        var names: [String] = []
        do throws(SQLiteFailure) {
            while try statement.step() {
                let name = statement.string(0)
                let isTable = statement.string(1) == "table"
                if settings.tables.tables.contains(name, isByDefault: isTable) {
                    names.append(name)
                }
            }
        } catch {
            throw failure(error, reading: settings.path)
        }
        return names
    }
}
