import ConnectorSDK
import ConnectorTesting
import Foundation
import Logging
import PostgresClient
import TestServices

@testable import PostgresConnector

/// A schema of one test's own, and sinks that write to it.
final class SinkScratch {
    /// Schemas are made much faster than databases.
    private static let shared = Result {
        let database = try PostgresServer.shared().makeDatabase()
        try database.connect().execute("CREATE EXTENSION citext; CREATE EXTENSION hstore")
        return database
    }

    let database: PostgresDatabase
    let connection: PostgresConnection
    let schema = "s" + UUID().uuidString.prefix(8).lowercased()
    private let directory = try? TemporaryDirectory()

    /// Uses a schema of the shared database, or else a database of `server`.
    init(_ sql: String = "", on server: PostgresServer? = nil) throws {
        database = try server?.makeDatabase() ?? Self.shared.get()
        connection = try database.connect()
        try connection.execute("CREATE SCHEMA \(schema); SET search_path TO \(schema), public")
        if !sql.isEmpty { try connection.execute(sql) }
    }

    deinit {
        // A test that failed may have left a sink with its transaction open.
        let sql = "SET lock_timeout = '10s'; DROP SCHEMA \(schema) CASCADE"
        _ = try? connection.execute(sql)
    }

    /// The database's URL, with the schema as the first of the search path.
    var url: String { database.url + "?options=-csearch_path%3D\(schema),public" }

    func execute(_ sql: String) throws { try connection.execute(sql) }

    /// The rows of a query, each as PostgreSQL writes a row.
    func rows(_ sql: String) throws -> [String] {
        let result = try connection.execute("SELECT r::text FROM (\(sql)) r")
        return (0..<result.rowCount).map { result.string($0, 0) ?? "" }
    }

    /// What a catalog or an expression says.
    func text(_ sql: String) throws -> String {
        try connection.execute(sql).string(0, 0) ?? ""
    }

    func context(_ name: String = "sink", careful: Bool = true) -> ConnectorContext {
        var context = ConnectorContext(
            name: name,
            stateDirectory: directory?.path ?? "",
            formats: FormatCatalog([]),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        context.answersEachBatch = careful
        return context
    }

    /// A sink; a careful one answers for each batch.
    func sink(
        _ values: [String: String] = [:],
        name: String = "sink",
        careful: Bool = true
    ) throws -> PostgresSink {
        let values = values.merging(["url": url]) { given, _ in given }
        return try PostgresSink(
            configuration: Configuration(values),
            context: context(name, careful: careful)
        )
    }
}

/// One record for a sink.
struct Row {
    var key: KeyValuePairs<String, Value>?
    var value: KeyValuePairs<String, Value>?

    init(_ value: KeyValuePairs<String, Value>?, key: KeyValuePairs<String, Value>? = nil) {
        self.key = key
        self.value = value
    }
}

/// A batch of these records of one partition, with the union of their fields; a sink remembers what
/// it knows of a `schema` from batch to batch.
func makeBatch(
    _ rows: [Row],
    topic: String = "orders",
    partition: Int32 = 0,
    from offset: Int64 = 0,
    fields: [Field]? = nil,
    schema: Schema? = nil
) -> RecordBatch {
    var names: [String] = fields?.map(\.name) ?? []
    for row in rows {
        for (name, _) in row.value ?? [:] where !names.contains(name) { names.append(name) }
    }
    let batch = RecordBatch()
    let keyNames = rows.compactMap(\.key).first?.map(\.key)
    batch.reset(
        topic: topic,
        schema: schema ?? fields.map { Schema($0) } ?? Schema(names),
        keySchema: keyNames.map { Schema($0) }
    )
    for (index, row) in rows.enumerated() {
        let number = batch.appendRow()
        for (name, value) in row.value ?? [:] { batch.set(number, name, value) }
        if let key = batch.keyRow(number), let names = keyNames {
            for (name, value) in row.key ?? [:] {
                guard let column = names.firstIndex(of: name) else { continue }
                key[column] = batch.makeCell(value)
            }
        }
        batch.metadata(number).pointee.isTombstone = row.value == nil
        batch.metadata(number).pointee.partition = partition
        batch.metadata(number).pointee.offset = offset + Int64(index)
    }
    return batch
}

extension PostgresSink {
    /// Opens, writes one batch, commits and closes.
    func deliver(
        _ rows: [Row],
        topic: String = "orders",
        fields: [Field]? = nil
    ) async throws {
        let partition = TopicPartition(topic, 0)
        let next = try await open([partition])?[partition] ?? 0
        do {
            try await write(makeBatch(rows, topic: topic, from: next, fields: fields))
            try await commit([partition: next + Int64(rows.count)])
        } catch {
            await close()
            throw error
        }
        await close()
    }
}
