import Foundation
import PostgresClient
import TestServices
import Testing

@Suite("PostgreSQL test server", .timeLimit(.minutes(10)))
struct TestServerTests {
    @Test("stops, is killed and starts again with what was committed")
    func restarts() throws {
        let server = try PostgresServer.start(.init(isDurable: true))
        try PostgresConnection(server.settings()).execute("CREATE TABLE kept (n int)")
        try server.restart()
        try PostgresConnection(server.settings()).execute("INSERT INTO kept VALUES (1)")
        try server.kill()
        #expect(throws: PostgresFailure.self) { try PostgresConnection(server.settings()) }
        try server.start()
        try PostgresConnection(server.settings()).execute("INSERT INTO kept VALUES (2)")
        try server.restart(.immediate)
        let connection = try PostgresConnection(server.settings())
        #expect(try connection.execute("SELECT count(*) FROM kept").int(0, 0) == 2)
    }

    @Test("is gone, with its files, when nobody holds it any more")
    func cleansUp() throws {
        var server: PostgresServer? = try PostgresServer.start()
        let directory = try #require(server?.directory)
        #expect(FileManager.default.fileExists(atPath: directory + "/data/postmaster.pid"))
        server = nil
        #expect(!FileManager.default.fileExists(atPath: directory))
    }
}
