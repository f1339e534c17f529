import ConnectorSDK
import ConnectorTesting
import Glibc
import Logging
import SQLiteClient
import SQLiteConnector
import Testing

/// A directory with a database, gone when the test is.
final class ScratchDatabase {
    let directory: String
    var path: String { directory + "/test.db" }

    init() throws {
        var template = Array("/tmp/millrace-sqlite-test-XXXXXX".utf8CString)
        directory = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
        rmdir(directory)
    }

    /// Runs statements on a connection of its own.
    func execute(_ sql: String) throws {
        let handle = try SQLiteHandle(path: path, mode: .create)
        try handle.execute(sql)
    }

    /// The rows of a query; values as SQL literals, so that `1`, `'1'` and `1.0` differ.
    func rows(_ sql: String) throws -> [String] {
        let handle = try SQLiteHandle(path: path, mode: .readWrite)
        let columns = try handle.prepare(sql)
        let list = (0..<columns.columnCount).map { "quote(\"\(columns.columnName($0))\")" }
        let query = try handle.prepare(
            "SELECT \(list.joined(separator: " || ',' || ")) FROM (\(sql))"
        )
        var rows: [String] = []
        while try query.step() { rows.append(query.string(0)) }
        return rows
    }

    func context(_ name: String = "sink", task: Int = 0, of tasks: Int = 1) -> ConnectorContext {
        ConnectorContext(
            name: name,
            taskID: task,
            taskCount: tasks,
            stateDirectory: directory,
            formats: FormatCatalog([]),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
    }

    func sink(_ values: [String: String] = [:], name: String = "sink") throws -> SQLiteSink {
        let values = values.merging(["path": path]) { given, _ in given }
        return try SQLiteSink(configuration: Configuration(values), context: context(name))
    }

    func source(
        _ values: [String: String] = [:],
        task: Int = 0,
        of tasks: Int = 1
    ) throws -> SQLiteSource {
        let values = values.merging(["path": path]) { given, _ in given }
        let context = context("source", task: task, of: tasks)
        return try SQLiteSource(configuration: Configuration(values), context: context)
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

/// A batch of these records of one partition, with the union of their fields.
func makeBatch(
    _ rows: [Row],
    topic: String = "orders",
    partition: Int32 = 0,
    from offset: Int64 = 0
) -> RecordBatch {
    var names: [String] = []
    for row in rows {
        for (name, _) in row.value ?? [:] where !names.contains(name) { names.append(name) }
    }
    let batch = RecordBatch()
    let keyNames = rows.compactMap(\.key).first?.map(\.key)
    batch.reset(
        topic: topic,
        schema: Schema(names),
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

extension SQLiteSink {
    /// Opens, writes one batch, commits and closes.
    func deliver(_ rows: [Row], topic: String = "orders") async throws {
        let partition = TopicPartition(topic, 0)
        let next = try await open([partition])?[partition] ?? 0
        do {
            try await write(makeBatch(rows, topic: topic, from: next))
            try await commit([partition: next + Int64(rows.count)])
        } catch {
            await close()
            throw error
        }
        await close()
    }
}
