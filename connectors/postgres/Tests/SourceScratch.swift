import ConnectorSDK
import ConnectorTesting
import Logging
import PostgresClient
import TestServices

@testable import PostgresConnector

/// A database of one test's own, and sources that read it.
final class SourceScratch {
    let database: PostgresDatabase
    private let connection: PostgresConnection
    private let directory = try? TemporaryDirectory()

    init() throws {
        database = try PostgresServer.shared().makeDatabase()
        connection = try database.connect()
    }

    var context: ConnectorContext { makeContext() }

    func execute(_ sql: String) throws { try connection.execute(sql) }

    private func makeContext(task: Int = 0, of tasks: Int = 1) -> ConnectorContext {
        ConnectorContext(
            name: "source",
            taskID: task,
            taskCount: tasks,
            stateDirectory: directory?.path ?? "",
            formats: FormatCatalog([]),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    func source(
        _ values: [String: String] = [:],
        task: Int = 0,
        of tasks: Int = 1
    ) throws -> PostgresSource {
        let values = values.merging(["url": database.url]) { given, _ in given }
        return try PostgresSource(
            configuration: Configuration(values),
            context: makeContext(task: task, of: tasks)
        )
    }

    /// Reads until the source ends or is stopped.
    func read(
        _ values: [String: String] = [:],
        from positions: [String: String] = [:],
        _ prepare: (RecordingOutlet) -> Void = { _ in }
    ) async throws -> RecordingOutlet {
        let source = try source(values)
        let outlet = RecordingOutlet(for: source)
        outlet.stopAfterIdling = .max
        prepare(outlet)
        try await source.run(from: positions, into: outlet)
        return outlet
    }
}

extension RecordingOutlet {
    /// The integers of one field of all records.
    func integers(_ field: String = "id") -> [Int64] {
        records.compactMap { record in
            guard case .int(let value) = record[field] else { return nil }
            return value
        }
    }
}
