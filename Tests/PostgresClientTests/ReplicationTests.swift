import PostgresClient
import TestServices
import Testing

@Suite("PostgreSQL replication stream", .timeLimit(.minutes(10)))
struct ReplicationTests {
    let database: PostgresDatabase

    init() throws { database = try PostgresServer.shared().makeDatabase() }

    @Test("changes arrive, waits end by data, wake-up or timeout, and status goes back")
    func stream() throws {
        let writer = try database.connect()
        try writer.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t")
        var settings = database.settings
        settings.isReplication = true
        let stream = try PostgresConnection(settings)
        let slot = "slot_\(database.name.suffix(12))"
        #expect(try stream.execute("IDENTIFY_SYSTEM").string(0, 3) == database.name)
        try stream.execute("CREATE_REPLICATION_SLOT \(slot) TEMPORARY LOGICAL pgoutput")
        try stream.startReplication(
            "START_REPLICATION SLOT \(slot) LOGICAL 0/0 (proto_version '1', publication_names 'p')"
        )
        let wakeUp = PostgresWakeUp()
        wakeUp.signal()
        // The server may have asked for a sign of life already.
        var outcome = stream.waitReadable(timeout: .seconds(60), wakeUp: wakeUp)
        while outcome == .readable {
            _ = try stream.nextStreamEvent()
            outcome = stream.waitReadable(timeout: .seconds(60), wakeUp: wakeUp)
        }
        #expect(outcome == .woken)
        try writer.execute("INSERT INTO t SELECT generate_series(1, 100)")
        var kinds: [UInt8] = []
        while kinds.last != UInt8(ascii: "C") {
            switch try stream.nextStreamEvent() {
            case .message(let bytes):
                if bytes[0] == UInt8(ascii: "w") { kinds.append(bytes[25]) }
            case .nothing:
                let wait = stream.waitReadable(timeout: .seconds(60), wakeUp: wakeUp)
                #expect(wait != .timedOut)
            case .ended: Issue.record("the stream ended")
            }
        }
        #expect(kinds.filter { $0 == UInt8(ascii: "I") }.count == 100)
        // Written, flushed and applied through 0, no answer wanted.
        let status = [UInt8(ascii: "r")] + [UInt8](repeating: 0, count: 33)
        try status.withUnsafeBytes { try stream.sendStreamMessage($0) }
        try stream.endStream()
        #expect(try stream.execute("IDENTIFY_SYSTEM").rowCount == 1)
        #expect(stream.waitReadable(timeout: .milliseconds(1)) == .timedOut)
    }

    @Test("a stream that the server ends says why")
    func ended() throws {
        let writer = try database.connect()
        var settings = database.settings
        settings.isReplication = true
        let stream = try PostgresConnection(settings)
        let slot = "end_\(database.name.suffix(12))"
        try stream.execute("CREATE_REPLICATION_SLOT \(slot) TEMPORARY LOGICAL pgoutput")
        let failure = #expect(throws: PostgresFailure.self) {
            try stream.startReplication(
                "START_REPLICATION SLOT \(slot) LOGICAL 0/0 (proto_version '1', "
                    + "publication_names 'missing')"
            )
            try writer.execute("CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)")
            while true {
                if case .nothing = try stream.nextStreamEvent() {
                    _ = stream.waitReadable(timeout: .seconds(30))
                }
            }
        }
        #expect(failure?.state == .noSuchObject)
        let terminated = try PostgresConnection(settings)
        try terminated.execute("CREATE_REPLICATION_SLOT \(slot)2 TEMPORARY LOGICAL pgoutput")
        try terminated.startReplication(
            "START_REPLICATION SLOT \(slot)2 LOGICAL 0/0 (proto_version '1', publication_names 'p')"
        )
        try writer.execute("SELECT pg_terminate_backend(\(terminated.backendProcess))")
        let lost = #expect(throws: PostgresFailure.self) {
            while true {
                if case .nothing = try terminated.nextStreamEvent() {
                    _ = terminated.waitReadable(timeout: .seconds(30))
                }
            }
        }
        #expect(lost?.isConnectionLost == true)
    }
}
