import Glibc
import SQLiteClient
import Testing

/// A directory that is gone when the test is.
final class ScratchDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/millrace-sqliteclient-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + "/a.db" + suffix) }
        rmdir(path)
    }

    var database: String { path + "/a.db" }
}

@Suite("SQLite client")
struct SQLiteClientTests {
    @Test("gives back every storage class as it was bound")
    func roundTrip() throws {
        let database = try SQLiteHandle(path: ":memory:", mode: .create)
        try database.execute("create table t(a integer, b real, c TEXT, d blob, e)")
        let insert = try database.prepare("insert into t values(?, ?, ?, ?, ?)")
        #expect(insert.parameterCount == 5)
        let text = Array("größe\0x".utf8)
        let bytes: [UInt8] = [0, 255, 1]
        try text.withUnsafeBytes { text in
            try bytes.withUnsafeBytes { bytes in
                try insert.bind(1, Int64.min)
                try insert.bind(2, 1.5)
                try insert.bindText(3, text)
                try insert.bindBlob(4, bytes)
                try insert.bindNull(5)
                try insert.run()
            }
        }
        let changes = database.changes
        #expect(changes == 1)
        let select = try database.prepare("select a, b, c, d, e from t")
        #expect(try select.step())
        #expect(select.int64(0) == .min)
        #expect(select.double(1) == 1.5)
        #expect(Array(select.text(2)) == text)
        #expect(Array(select.blob(3)) == bytes)
        #expect(
            (0..<5).map { select.storageClass($0) } == [.integer, .real, .text, .blob, .null]
        )
        #expect(select.columnCount == 5)
        #expect(select.columnName(2) == "c")
        #expect(select.declaredType(2) == "TEXT")
        #expect(try !select.step())
    }

    @Test("binds empty text and empty bytes as empty, not as null")
    func emptyValues() throws {
        let database = try SQLiteHandle(path: ":memory:", mode: .create)
        let statement = try database.prepare("select typeof(?), typeof(?), typeof(?)")
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        try statement.bindText(1, nothing)
        try statement.bindBlob(2, nothing)
        try statement.bind(3, "")
        #expect(try statement.step())
        #expect((0..<3).map { statement.string($0) } == ["text", "blob", "text"])
    }

    @Test("reports the extended code and the words of what failed")
    func failures() throws {
        let database = try SQLiteHandle(path: ":memory:", mode: .create)
        try database.execute("create table t(a integer primary key, b unique)")
        try database.execute("insert into t values(1, 1)")
        let insert = try database.prepare("insert into t values(2, 1)")
        let failure = #expect(throws: SQLiteFailure.self) { try insert.run() }
        #expect(failure?.code == 2067)
        #expect(failure?.isConstraint == true)
        #expect(failure?.message.contains("t.b") == true)
        // The statement is of use again when the reason is gone.
        try database.execute("delete from t")
        try insert.run()
        #expect(throws: SQLiteFailure.self) { try database.prepare("selec 1") }
        #expect(throws: SQLiteFailure.self) { try database.prepare("  ") }
        #expect(throws: SQLiteFailure.self) { try insert.bind(9, Int64(1)) }
    }

    @Test("does not make a database unless told to")
    func openModes() throws {
        let directory = try ScratchDirectory()
        for mode in [SQLiteHandle.Mode.readOnly, .readWrite] {
            let failure = #expect(throws: SQLiteFailure.self) {
                _ = try SQLiteHandle(path: directory.database, mode: mode)
            }
            #expect(failure?.isCannotOpen == true)
        }
        let writer = try SQLiteHandle(path: directory.database, mode: .create)
        try writer.execute("create table t(a); insert into t values(7)")
        let reader = try SQLiteHandle(path: directory.database, mode: .readOnly)
        #expect(throws: SQLiteFailure.self) { try reader.execute("delete from t") }
        let select = try reader.prepare("select a from t")
        #expect(try select.step())
        #expect(select.int64(0) == 7)
    }

    @Test("gives up on a lock after the busy timeout")
    func busy() throws {
        let directory = try ScratchDirectory()
        let holder = try SQLiteHandle(path: directory.database, mode: .create)
        try holder.execute("create table t(a); begin immediate")
        let isHeld = holder.isInTransaction
        #expect(isHeld)
        let other = try SQLiteHandle(
            path: directory.database,
            mode: .readWrite,
            busyTimeout: .milliseconds(5)
        )
        let failure = #expect(throws: SQLiteFailure.self) { try other.execute("begin immediate") }
        #expect(failure?.isBusy == true)
        try holder.execute("rollback")
        try other.execute("begin immediate")
    }

    @Test("a statement outlives the connection it came from")
    func statementKeepsConnection() throws {
        let statement: SQLiteStatement
        do {
            let database = try SQLiteHandle(path: ":memory:", mode: .create)
            statement = try database.prepare("select 42")
            database.close()
        }
        #expect(try statement.step())
        #expect(statement.int64(0) == 42)
    }
}
