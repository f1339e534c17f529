import PostgresClient
import SQLiteClient
import TestServices
import Testing

/// Transactions that were captured over several tables, applied to PostgreSQL.
@Suite("Captured transactions in PostgreSQL", .timeLimit(.minutes(10)))
struct CapturedTransactionTests {
    private static let pipeline = """
        pipeline: bank
        topics:
          app.giver: {partitions: 2}
          app.taker: {partitions: 2}
          app.transfer: {partitions: 1}
        sources:
          app:
            connector: sqlite-cdc
            path: app.db
            topic.prefix: app
            table.include.list: [giver, taker, transfer]
            provide.transaction.metadata: true
        sinks:
          bank:
            connector: postgres
            url: ${env:TARGET}
            topics: [app.giver, app.taker, app.transfer]
            transaction.topic: app.transaction
            transforms:
              - {type: unwrap}
            table.name.format: ${table}
            insert.mode: upsert
            pk.mode: record_key
            delete.enabled: true
            auto.create: false
            # A commit after each captured transaction, so that in between can be looked.
            transaction.records: 1
        """

    private func run(
        _ directory: TemporaryDirectory,
        _ target: PostgresDatabase
    ) async throws -> CommandResult {
        try await Command.run(
            [
                Products.millrace, "run", "--until-end", "--data-dir", directory.file("data"),
                "bank.yaml",
            ],
            in: directory.path,
            environment: ["TARGET": target.url]
        )
    }

    /// Looks at the target again and again, until `work` is done.
    ///
    /// - Returns: what `work` gave, and everything that was seen.
    private func watching<Result: Sendable>(
        _ sql: String,
        _ target: PostgresDatabase,
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> (Result, Set<String>) {
        try await withThrowingTaskGroup(of: Set<String>.self) { group in
            group.addTask {
                let connection = try target.connect()
                var seen: Set<String> = []
                while !Task.isCancelled {
                    seen.insert(try connection.query(sql).string(0, 0) ?? "NULL")
                    try? await Task.sleep(for: .milliseconds(1))
                }
                return seen
            }
            let result = try await work()
            group.cancelAll()
            var seen: Set<String> = []
            for try await part in group { seen.formUnion(part) }
            return (result, seen)
        }
    }

    @Test("nobody sees a part of a transaction, and rows that need each other find each other")
    func transactions() async throws {
        let directory = try TemporaryDirectory()
        let target = try PostgresServer.shared().makeDatabase()
        let source = try SQLiteHandle(path: directory.file("app.db"), mode: .create)
        let tables = """
            CREATE TABLE giver (id INTEGER PRIMARY KEY, v INTEGER NOT NULL, seat TEXT UNIQUE);
            CREATE TABLE taker (id INTEGER PRIMARY KEY, v INTEGER NOT NULL);
            CREATE TABLE transfer (id INTEGER PRIMARY KEY, giver INTEGER NOT NULL REFERENCES giver,
                taker INTEGER NOT NULL REFERENCES taker);
            """
        try source.execute(tables)
        try target.connect().execute(tables)
        for id in 1...5 {
            try source.execute(
                "INSERT INTO giver VALUES (\(id), 0, 's\(id)'); INSERT INTO taker VALUES (\(id), 0)"
            )
        }
        _ = try directory.write(Self.pipeline, to: "bank.yaml")
        let snapshot = try await run(directory, target)
        #expect(snapshot.exitCode == 0, "\(snapshot.errors)")
        for number in 1...200 {
            let (giver, taker) = (number % 5 + 1, number * 3 % 5 + 1)
            // New rows that need each other, a sum over two tables, and seats that change hands.
            try source.execute(
                """
                BEGIN;
                INSERT INTO giver VALUES (\(number + 5), -\(number), NULL);
                INSERT INTO taker VALUES (\(number + 5), \(number));
                INSERT INTO transfer VALUES (\(number), \(number + 5), \(number + 5));
                UPDATE giver SET v = v - 7 WHERE id = \(giver);
                UPDATE taker SET v = v + 7 WHERE id = \(taker);
                UPDATE giver SET seat = 'free' WHERE id = 1;
                UPDATE giver SET seat = 's1' WHERE id = 2;
                UPDATE giver SET seat = 's2' WHERE id = 1;
                UPDATE giver SET seat = 'free' WHERE id = 2;
                UPDATE giver SET seat = 's1' WHERE id = 1;
                UPDATE giver SET seat = 's2' WHERE id = 2;
                COMMIT;
                """
            )
            if number % 10 == 0 {
                try source.execute(
                    """
                    BEGIN; DELETE FROM transfer WHERE id = \(number);
                    DELETE FROM giver WHERE id = \(number + 5);
                    UPDATE taker SET v = v - \(number) WHERE id = \(number + 5); COMMIT
                    """
                )
            }
        }
        let balance =
            "SELECT (SELECT sum(v) FROM giver) + (SELECT sum(v) FROM taker) || ',' || "
            + "(SELECT count(*) - 5 FROM giver) - (SELECT count(*) FROM transfer)"
        let (result, seen) = try await watching(balance, target) {
            try await run(directory, target)
        }
        #expect(result.exitCode == 0, "\(result.errors)")
        // D5
        #expect(seen == ["0,0"])
        let connection = try target.connect()
        for (table, columns) in [
            ("giver", "id, v, seat"), ("taker", "id, v"), ("transfer", "id, giver"),
        ] {
            let ours = try connection.query("SELECT \(columns) FROM \(table) ORDER BY id")
            let theirs = try source.prepare("SELECT \(columns) FROM \(table) ORDER BY id")
            for row in 0..<ours.rowCount {
                try #require(try theirs.step())
                for column in 0..<theirs.columnCount {
                    let wanted: String? =
                        theirs.storageClass(column) == .null ? nil : theirs.string(column)
                    #expect(ours.string(row, column) == wanted, "\(table)")
                }
            }
            #expect(try !theirs.step())
        }
    }
}
