import ConnectorSDK
import Glibc
import SQLiteClient
import Testing

@testable import SQLiteConnector

@Suite("SQLite sink: transactions and other processes")
struct SinkConcurrencyTests {
    private let partition = TopicPartition("orders", 0)

    @Test("a writer elsewhere makes it try again, and nothing is lost or doubled")
    func busy() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute("PRAGMA journal_mode = wal; CREATE TABLE orders (a)")
        let sink = try scratch.sink(["busy.timeout.ms": "20"])
        _ = try await sink.open([partition])
        let other = try SQLiteHandle(path: scratch.path, mode: .readWrite)
        try other.execute("BEGIN IMMEDIATE; INSERT INTO orders VALUES ('other')")
        let error = await #expect(throws: ConnectorError.self) {
            try await sink.write(makeBatch([Row(["a": .int(1)])]))
        }
        #expect(error?.code.rawValue == "sqlite.busy")
        #expect(error?.disposition == .retry(after: nil))
        #expect(error?.kind == .environment)
        await sink.close()
        try other.execute("COMMIT")
        try await scratch.sink().deliver([Row(["a": .int(1)])])
        #expect(try scratch.rows("SELECT a FROM orders") == ["'other'", "1"])
    }

    @Test("readers go on with the view they have, and see a commit as a whole")
    func concurrentReader() async throws {
        let scratch = try ScratchDatabase()
        try await scratch.sink().deliver([Row(["a": .int(0)])])
        let reader = try SQLiteHandle(path: scratch.path, mode: .readOnly)
        let count = try reader.prepare("SELECT count(*) FROM orders")
        func rows() throws -> Int64 {
            defer { count.reset() }
            return try count.step() ? count.int64(0) : -1
        }
        let sink = try scratch.sink()
        _ = try await sink.open([partition])
        try await sink.write(makeBatch([Row(["a": .int(1)]), Row(["a": .int(2)])]))
        #expect(try rows() == 1)
        try reader.execute("BEGIN")
        #expect(try rows() == 1)
        try await sink.commit([partition: 3])
        #expect(try rows() == 1)
        try reader.execute("COMMIT")
        #expect(try rows() == 3)
        await sink.close()
    }

    @Test("of two instances that write one partition only the first gets through")
    func fenced() async throws {
        let scratch = try ScratchDatabase()
        let first = try scratch.sink()
        let second = try scratch.sink()
        _ = try await first.open([partition])
        _ = try await second.open([partition])
        try await first.write(makeBatch([Row(["a": .int(1)])]))
        try await first.commit([partition: 1])
        // D2
        let error = await #expect(throws: ConnectorError.self) {
            try await second.write(makeBatch([Row(["a": .int(1)])]))
        }
        #expect(error?.code.rawValue == "sqlite.fenced")
        #expect(error?.disposition == .retry(after: nil))
        await second.close()
        await first.close()
        #expect(try scratch.rows("SELECT a FROM orders") == ["1"])
    }

    @Test("sinks of one process take turns, and one that waits too long tries again")
    func turns() async throws {
        let scratch = try ScratchDatabase()
        let first = try scratch.sink(name: "first")
        let second = try scratch.sink(["busy.timeout.ms": "20"], name: "second")
        _ = try await first.open([partition])
        _ = try await second.open([partition])
        try await first.write(makeBatch([Row(["a": .int(1)])]))
        let error = await #expect(throws: ConnectorError.self) {
            try await second.write(makeBatch([Row(["a": .int(2)])]))
        }
        #expect(error?.code.rawValue == "sqlite.busy")
        try await first.commit([partition: 1])
        try await second.write(makeBatch([Row(["a": .int(2)])]))
        try await second.commit([partition: 1])
        await first.close()
        await second.close()
        #expect(try scratch.rows("SELECT a FROM orders") == ["1", "2"])
        #expect(
            try scratch.rows("SELECT connector, \"offset\" FROM __millrace_offsets")
                == ["'first',1", "'second',1"]
        )
    }

    @Test("the write-ahead log stays short and is gone in the end")
    func boundedLog() async throws {
        let scratch = try ScratchDatabase()
        let sink = try scratch.sink()
        _ = try await sink.open([partition])
        let piece = [UInt8](repeating: 7, count: 8 << 20)
        var largest = 0
        for number in 0..<44 {
            try await sink.write(makeBatch([Row(["a": .bytes(piece)])]))
            try await sink.commit([partition: Int64(number) + 1])
            largest = max(largest, size(scratch.path + "-wal"))
        }
        // D7: 256 MiB, and what was written since the last look.
        #expect(largest > 0)
        #expect(largest < 280 << 20)
        await sink.close()
        #expect(size(scratch.path + "-wal") == 0)
        #expect(try scratch.rows("SELECT count(*) FROM orders") == ["44"])
    }

    private func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    @Test("the database's directory is made when it does not exist")
    func directory() async throws {
        let scratch = try ScratchDatabase()
        let path = scratch.directory + "/a/b.db"
        let sink = try scratch.sink(["path": path])
        _ = try await sink.open([partition])
        await sink.close()
        #expect(access(path, F_OK) == 0)
        unlink(path)
        rmdir(scratch.directory + "/a")
    }

    @Test("a trigger that ends the transaction stops the task")
    func rollbackTrigger() async throws {
        let scratch = try ScratchDatabase()
        try scratch.execute(
            """
            CREATE TABLE orders (a);
            CREATE TRIGGER no BEFORE INSERT ON orders BEGIN SELECT RAISE(ROLLBACK, 'no'); END;
            """
        )
        let error = await #expect(throws: ConnectorError.self) {
            try await scratch.sink().deliver([Row(["a": .int(1)])])
        }
        #expect(error?.code.rawValue == "sqlite.rolled_back")
        #expect(error?.disposition == .failTask)
    }

    @Test("surroundings that are at fault are said to be")
    func environment() async throws {
        let scratch = try ScratchDatabase()
        // A directory cannot be opened as a database.
        let lost = try scratch.sink(["path": scratch.directory])
        let missing = await #expect(throws: ConnectorError.self) {
            _ = try await lost.open([partition])
        }
        #expect(missing?.code.rawValue == "sqlite.cannot_open")
        #expect(missing?.kind == .environment)
        let file = open(scratch.path, O_CREAT | O_WRONLY, 0o644)
        _ = write(file, String(repeating: "no database ", count: 100), 1_200)
        close(file)
        let wrong = await #expect(throws: ConnectorError.self) {
            _ = try await scratch.sink().open([partition])
        }
        #expect(wrong?.code.rawValue == "sqlite.corrupt")
        #expect(wrong?.disposition == .failTask)
    }

    @Test("transactions grow while rows change pages of their own, and shrink again")
    func pace() {
        var pace = TransactionPace(records: 100, cacheLimit: 32 << 20, pageLimit: 65_536)
        pace.note(rows: 100, pages: 90, added: 0)
        #expect(pace.records == 200)
        // Records had stopped coming: nothing is learnt.
        pace.note(rows: 10, pages: 10, added: 0)
        #expect(pace.records == 200)
        // New pages would be written in any case.
        pace.note(rows: 200, pages: 200, added: 190)
        #expect(pace.records == 200)
        for _ in 0..<20 { pace.note(rows: pace.records, pages: Int64(pace.records), added: 0) }
        #expect(pace.records == 1_600)
        for _ in 0..<20 { pace.note(rows: pace.records, pages: 1, added: 0) }
        #expect(pace.records == 100)
        #expect(pace.cacheBytes == 8 << 20)
        #expect(pace.noteSpill() && pace.noteSpill() && !pace.noteSpill())
        #expect(pace.cacheBytes == 32 << 20)
    }

    @Test("transactions stay short enough for the log (D7)")
    func paceAndLog() {
        var pace = TransactionPace(records: 100, cacheLimit: 1 << 20, pageLimit: 256)
        pace.note(rows: 100, pages: 100, added: 0)
        #expect(pace.records == 200)
        pace.note(rows: 200, pages: 200, added: 0)
        #expect(pace.records == 200)
        pace.note(rows: 200, pages: 300, added: 0)
        #expect(pace.records == 100)
    }
}
