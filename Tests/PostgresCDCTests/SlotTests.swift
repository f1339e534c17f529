import ConnectorSDK
import LogicalReplication
import PostgresClient
import TestServices
import Testing

@Suite("The replication slot", .captureTurn, .timeLimit(.minutes(10)))
struct SlotTests {
    private static let table = "CREATE TABLE t (id int PRIMARY KEY, pad text)"

    private func place(_ text: String?) -> LSN { text.flatMap { LSN($0) } ?? .zero }

    /// Published as DBZ-892 and airbyte#20608 among others: an idle slot fills the server's disk.
    @Test("an idle slot moves on with the log of others, with or without heartbeats")
    func idle() async throws {
        for values in [
            [:], ["heartbeat.interval.ms": "0", "status.update.interval.ms": "200"],
        ] {
            let bench = try CaptureBench(
                sql: Self.table + "; CREATE TABLE other (x text)"
            )
            let lists = ["table.include.list": "public\\.t"]
            let capture = bench.capture(lists.merging(values) { $1 })
            try await bench.isRead()
            try await bench.until("it streams") { try bench.slotValue("active") == "t" }
            try bench.sql("INSERT INTO other SELECT repeat('x', 500) FROM generate_series(1, 4000)")
            let end = place(try bench.value("SELECT pg_current_wal_insert_lsn()"))
            try await bench.until("the slot has passed it") {
                place(try bench.slotValue("confirmed_flush_lsn")) >= end
            }
            #expect(try bench.count() == 0)
            #expect(await capture.stop() == nil)
            let beats = try bench.records("__debezium-heartbeat.t").count
            #expect((beats == 0) == (values["heartbeat.interval.ms"] == "0"))
        }
    }

    @Test("a statement that goes with each heartbeat is run")
    func heartbeatQuery() async throws {
        let bench = try CaptureBench(
            sql: Self.table + "; CREATE TABLE beat (n int); INSERT INTO beat VALUES (0)"
        )
        let capture = bench.capture([
            "heartbeat.action.query": "UPDATE beat SET n = n + 1",
            "table.include.list": "public\\.t",
        ])
        try await bench.until("it has run") {
            (Int(try bench.value("SELECT n FROM beat") ?? "") ?? 0) > 2
        }
        #expect(await capture.stop() == nil)
    }

    /// Published as Conduit's first postmortem: the slot was confirmed before what it held was kept.
    @Test("D1: the server is never told to forget what is not durable, at any moment")
    func confirmed() async throws {
        let bench = try CaptureBench(sql: Self.table)
        let writer = try Writer(bench.database) { connection, round in
            try connection.execute(
                "INSERT INTO t SELECT \(round) * 100 + g, repeat('x', 300) "
                    + "FROM generate_series(0, \(round % 7 == 0 ? 99 : 3)) g"
            )
        }
        let capture = bench.capture()
        try await bench.isRead()
        var moves: Set<LSN> = []
        let start = ContinuousClock.now
        // Longer where the machine is busy: the slot has to move for this to mean something.
        while .now < start + .seconds(1.5) || moves.count <= 10 && .now < start + .seconds(180) {
            // First what the server may forget, then what is durable, which only moves forward.
            let confirmed = place(try bench.slotValue("confirmed_flush_lsn"))
            let durable = try StoredPlace(try bench.positions["stream"])
            #expect(confirmed <= durable.lsn)
            moves.insert(confirmed)
        }
        try await writer.stop()
        #expect(moves.count > 10, "the slot has to move for this to mean something")
        try await bench.caughtUp()
        #expect(await capture.stop() == nil)
        let ids = try bench.events().compactMap { $0.int("id") }
        #expect(ids.count == Set(ids).count)
        #expect(ids.count == Int(try bench.value("SELECT count(*) FROM t") ?? ""))
    }

    /// The place of a stored position.
    private struct StoredPlace {
        var lsn: LSN

        init(_ text: String?) throws {
            let known = try #require(text)
            let object = try JSONValue(known).object
            let lsnText = try #require(object?["lsn"]?.string)
            lsn = try #require(LSN(lsnText))
        }
    }

    /// Published as DBZ-7596 and others: a slow sink made the server end the connection.
    @Test("D7: records that wait for seconds are no reason for the server to end the connection")
    func backPressure() async throws {
        let server = try PostgresServer.start(.init(settings: ["wal_sender_timeout": "500ms"]))
        let bench = try CaptureBench(server, sql: Self.table)
        let values = [
            "status.update.interval.ms": "100", "transforms": "slow",
            "transforms.slow.type": "Slow", "slot.max.retries": "0",
        ]
        let capture = bench.capture(values)
        try await bench.isRead()
        try await bench.until("it streams") { try bench.slotValue("active") == "t" }
        let process = try bench.slotValue("active_pid")
        // Far more than what waits between the receiver and the task, and than the sockets hold.
        try bench.sql(
            "INSERT INTO t SELECT g, repeat('x', 2000) FROM generate_series(1, 15000) g"
        )
        try await bench.until("all has arrived", seconds: 60) { try bench.count() == 15_000 }
        try await bench.caughtUp()
        #expect(try bench.slotValue("active_pid") == process, "the connection was another one")
        #expect(await capture.stop() == nil)
        #expect(try bench.events().compactMap { $0.int("id") } == Array(1...15_000))
    }

    /// Published as DBZ-5739 and risingwavelabs/risingwave#25993: it went on at the slot in silence.
    @Test("D6: a slot whose log was removed stops loudly; asked to, the tables are read again")
    func lost() async throws {
        // Room for hardly any log.
        let bench = try CaptureBench(
            try PostgresServer.start(.init(settings: ["max_slot_wal_keep_size": "1MB"])),
            sql: Self.table + "; INSERT INTO t VALUES (1, '')"
        )
        let only = ["table.include.list": "public\\.t"]
        #expect(await bench.captureAll(only) == nil)
        try bench.sql("INSERT INTO t VALUES (2, '')")
        try await bench.until("the log is removed") {
            try bench.sql("SELECT pg_switch_wal()")
            try bench.sql("CREATE TABLE IF NOT EXISTS filler (x text PRIMARY KEY)")
            try bench.sql(
                "INSERT INTO filler SELECT gen_random_uuid() FROM generate_series(1, 999)"
            )
            try bench.sql("CHECKPOINT")
            return try bench.slotValue("wal_status") == "lost"
        }
        let errorEnding = await bench.captureAll(only)
        let error = try #require(errorEnding)
        #expect(error.code.rawValue == "postgres_cdc.slot_lost")
        #expect(error.hint?.contains("when_needed") == true)
        #expect(error.kind == .environment)
        #expect(
            await bench.captureAll(only.merging(["snapshot.mode": "when_needed"]) { $1 }) == nil
        )
        #expect(
            try bench.events().map(\.description) == [
                #"r {"id":1} after {"id":1,"pad":""}"#, #"r {"id":1} after {"id":1,"pad":""}"#,
                #"r {"id":2} after {"id":2,"pad":""}"#,
            ]
        )
    }

    @Test("D6: a slot that was moved by somebody else stops loudly, with what was missed")
    func moved() async throws {
        let bench = try CaptureBench(sql: Self.table)
        #expect(await bench.captureAll() == nil)
        try bench.sql("INSERT INTO t VALUES (1, '')")
        try await bench.until("the slot is free") { try bench.slotValue("active") == "f" }
        try bench.sql(
            "SELECT pg_replication_slot_advance('\(bench.slot)', pg_current_wal_insert_lsn())"
        )
        let errorEnding = await bench.captureAll()
        let error = try #require(errorEnding)
        #expect(error.code.rawValue == "postgres_cdc.slot_ahead")
        #expect(error.configurationKey == "offset.mismatch.strategy")
        #expect(await bench.captureAll(["offset.mismatch.strategy": "snapshot"]) == nil)
        #expect(try bench.events().map(\.description) == [#"r {"id":1} after {"id":1,"pad":""}"#])
    }

    @Test("a slot is left alone unless asked for, and dropped when that was asked")
    func dropped() async throws {
        let bench = try CaptureBench(sql: Self.table)
        #expect(await bench.captureAll() == nil)
        #expect(try bench.slotValue("slot_name") == bench.slot)
        #expect(await bench.captureAll(["slot.drop.on.stop": "true"]) == nil)
        #expect(try bench.slotValue("slot_name") == nil)
    }

    @Test("a server that is killed is waited for, and nothing is lost or doubled")
    func serverGone() async throws {
        let server = try PostgresServer.start()
        let bench = try CaptureBench(server, sql: Self.table)
        let capture = bench.capture()
        try await bench.isRead()
        try bench.sql("INSERT INTO t SELECT g, '' FROM generate_series(1, 1000) g")
        try await bench.until("some have arrived") { try bench.count() > 0 }
        for mode in [PostgresServer.StopMode.immediate, .fast] {
            try server.stop(mode)
            try server.start()
            let first = try bench.database.connect()
            let count = Int(try first.execute("SELECT count(*) FROM t").string(0, 0) ?? "") ?? 0
            try first.execute(
                "INSERT INTO t SELECT \(count) + g, '' FROM generate_series(1, 500) g"
            )
            try await bench.until("what came after it is there", seconds: 60) {
                try bench.count() == Int64(count + 500)
            }
        }
        #expect(await capture.stop() == nil)
        let ids = try bench.events().compactMap { $0.int("id") }
        #expect(ids == Array(1...2_000))
    }
}
