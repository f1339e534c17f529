import Foundation
import TestServices
import Testing

/// Counts heap allocations from outside, with a preloaded library.
///
/// Two runs that differ only in the number of records give the cost of one record: whatever starts,
/// ends and grows once cancels out.
@Suite("Allocations", .serialized)
struct AllocationTests {
    struct Path: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var source: String
        var sink: String
        /// The allocations that SQLite may make for a record, besides those of commits.
        ///
        /// A source that reads pages runs a statement for each.
        var sqliteLimit = 0.003
    }

    struct Count {
        /// Allocations that SQLite's library made.
        var sqlite: Int
        /// All others.
        var own: Int
        /// How often SQLite waited for the disk: once for each commit.
        var commits: Int
    }

    /// What SQLite allocates for one commit of the store, with all its statements.
    ///
    /// Commits go with time as well as with records, so a slow machine makes more of them, and what
    /// they cost is no cost of a record.
    private static let perCommit = 40

    private static let lines = "connector: file, format: lines, path: out.jsonl"

    static let paths: [Path] = [
        Path(
            testDescription: "lines → topic → file",
            source: "connector: file, include: input.json",
            sink: lines
        ),
        Path(
            testDescription: "json → 2 transforms → topic → json",
            source: """
                connector: json, include: input.json, transforms: [\
                {type: ReplaceField, renames: 'customer:buyer'}, \
                {type: Filter, condition: '.amount > 10'}]
                """,
            sink: "connector: json, path: out.jsonl"
        ),
        Path(
            testDescription: "json → Kafka Connect's transforms → topic → json",
            source: """
                connector: json, include: input.json, transforms: [\
                {type: Cast, spec: 'customer_id:string'}, \
                {type: MaskField, fields: note, replacement: hidden}, \
                {type: TimestampConverter, field: created_at, target.type: unix, \
                format: "yyyy-MM-dd'T'HH:mm:ssX"}, \
                {type: InsertField, topic.field: topic}, \
                {type: HeaderFrom, fields: currency, headers: currency, operation: move}, \
                {type: InsertHeader, header: by, value.literal: test}, \
                {type: ValueToKey, fields: id}, {type: ExtractField$Key, field: id}, \
                {type: RegexRouter, regex: orders, replacement: orders}, \
                {type: HoistField, field: order}, {type: Flatten, delimiter: _}]
                """,
            sink: "connector: json, path: out.jsonl"
        ),
        Path(
            testDescription: "json with keys → topic of 4 partitions → file",
            source: "connector: json, include: input.json, key.fields: [id], "
                + "topic.creation.default.partitions: 4",
            sink: lines
        ),
        Path(
            testDescription: "json with keys → topic → another topic",
            source: "connector: json, include: input.json, key.fields: [id], "
                + "topic.creation.default.partitions: 4",
            sink: "connector: topic, topic: copy"
        ),
        Path(
            testDescription: "json → sums of windows → topic → file",
            source: """
                connector: json, include: input.json, transforms: [\
                {type: Aggregate, window.size: 1m, window.advance: 20s, group.by: [status], \
                aggregates: 'n:count,total:sum(amount),least:min(amount),last:last(currency)', \
                timestamp.field: id}]
                """,
            sink: lines,
            // A row of the state for each group and window that a commit has changed.
            sqliteLimit: 0.045
        ),
        Path(
            testDescription: "json → topic → sqlite",
            source: "connector: json, include: input.json",
            sink: "connector: sqlite, path: out.db",
            // The target's transactions come on top, and growing its B-tree.
            sqliteLimit: 0.005
        ),
        Path(
            testDescription: "csv → topic → csv",
            source: "connector: csv, include: input.csv",
            sink: "connector: csv, path: out.csv"
        ),
        Path(
            testDescription: "csv → topic → file",
            source: "connector: csv, include: input.csv",
            sink: lines
        ),
        Path(
            testDescription: "xml → topic → file",
            source: "connector: xml, include: input.xml",
            sink: lines
        ),
        Path(
            testDescription: "json → topic → xml",
            source: "connector: json, include: input.json",
            sink: "connector: xml, path: out.xml"
        ),
        Path(
            testDescription: "access log → Parse → 3 transforms → topic → file",
            source: """
                connector: file, format: lines, include: input.log, transforms: [\
                {type: Parse, format: combined, timestamp.field: timestamp}, \
                {type: ReplaceField, exclude: identity}, {type: Filter, condition: '.status > 0'}, \
                {type: InsertField, static.field: site, static.value: www}]
                """,
            sink: lines
        ),
        Path(
            testDescription: "access log → a pattern's groups → topic → file",
            source: """
                connector: file, format: lines, include: input.log, transforms: [\
                {type: Parse, format: regex, types.status: int, \
                pattern: '^(?<host>[^ ]+) .*?" (?<status>[0-9]{3}) '}]
                """,
            sink: lines
        ),
        Path(
            testDescription: "sqlite → topic → file",
            source: "connector: sqlite, path: input.db, mode: bulk, table.include.list: orders",
            sink: lines
        ),
    ]

    private static let inputs = Inputs()

    @Test("less than 0.01 per record in steady state, source and sink", arguments: paths)
    func perRecord(_ path: Path) async throws {
        var few = try await count(path, records: 150_000)
        var many = try await count(path, records: 400_000)
        // What goes with time, such as batches that others keep from filling, only ever adds.
        for _ in 0..<2 where many.own - few.own >= 2_500 {
            few = try await count(path, records: 150_000)
            many = try await count(path, records: 400_000)
        }
        let perRecord = Double(many.own - few.own) / 250_000
        // Of both tasks, the committer and the checkpoints together.
        #expect(perRecord < 0.01, "\(few) and \(many) allocations: \(perRecord) per record")
        let commits = many.commits - few.commits
        let inSQLite = Double(many.sqlite - few.sqlite - Self.perCommit * commits) / 250_000
        // Not so many that what they cost would matter.
        #expect(commits < 250_000 / 512, "\(few) and \(many)")
        #expect(inSQLite < path.sqliteLimit, "\(few) and \(many): \(inSQLite) per record")
    }

    private func count(_ path: Path, records: Int) async throws -> Count {
        let directory = try TemporaryDirectory()
        let input = try await Self.inputs.directory(records: records)
        for (name, link) in [
            ("orders.jsonl", "input.json"), ("orders.csv", "input.csv"),
            ("orders.xml", "input.xml"), ("orders.db", "input.db"),
        ] where path.source.contains(link) {
            try FileManager.default.copyItem(
                atPath: "\(input)/\(name)",
                toPath: directory.file(link)
            )
        }
        if path.source.contains("input.log") {
            try FileManager.default.copyItem(
                atPath: try await Self.inputs.accessLog(in: input, records: records),
                toPath: directory.file("input.log")
            )
        }
        let topic = path.source.contains("sqlite") ? "topic.prefix: ''" : "topic: orders"
        try directory.write(
            """
            pipeline: allocations
            sources:
              in: {\(path.source), \(topic)}
            sinks:
              out: {\(path.sink), topics: [orders]}
            """,
            to: "pipeline.yaml"
        )
        let result = try await Command.run(
            [Products.optimised, "run", "--data-dir", "data", "pipeline.yaml"],
            in: directory.path,
            environment: [
                "LD_PRELOAD": try await Self.inputs.counter(),
                "MALLOC_COUNT_FILE": directory.file("count"),
            ]
        )
        try #require(result.exitCode == 0, "\(result.errors)")
        let numbers = try directory.read("count").split { !$0.isNumber }.compactMap { Int($0) }
        try #require(numbers.count == 3)
        return Count(sqlite: numbers[0], own: numbers[1], commits: numbers[2])
    }
}

/// What all cases need, made once and removed when the process ends.
private actor Inputs {
    private static let path =
        FileManager.default.temporaryDirectory.path() + "millrace-test-allocations-\(getpid())"

    private var isReady = false
    private var counts: Set<Int> = []

    /// A directory with the same orders as JSON Lines, CSV, XML and a table.
    func directory(records: Int) async throws -> String {
        let path = try prepare() + "/\(records)"
        guard counts.insert(records).inserted else { return path }
        let generator = Products.root + "/bench/generate.py"
        try await run([Products.python, generator, path, String(records)])
        return path
    }

    /// The path of an access log in a directory of ``directory(records:)``.
    func accessLog(in directory: String, records: Int) async throws -> String {
        let code =
            "import sys; sys.path.insert(0, sys.argv[1]); import access_log; "
            + "access_log.path(sys.argv[2], int(sys.argv[3]))"
        let bench = Products.root + "/bench"
        try await run([Products.python, "-B", "-c", code, bench, directory, String(records)])
        return "\(directory)/access-\(records).log"
    }

    /// The path of the library that counts.
    func counter() async throws -> String {
        let path = try prepare() + "/count.so"
        guard !FileManager.default.fileExists(atPath: path) else { return path }
        let source = Products.root + "/Tests/AllocationTests/count_mallocs.c"
        try await run(["cc", "-O2", "-shared", "-fPIC", "-o", path, source])
        return path
    }

    private func prepare() throws -> String {
        guard !isReady else { return Self.path }
        try FileManager.default.createDirectory(
            atPath: Self.path,
            withIntermediateDirectories: true
        )
        atexit { try? FileManager.default.removeItem(atPath: Inputs.path) }
        isReady = true
        return Self.path
    }

    private func run(_ command: [String]) async throws {
        let result = try await Command.run(command, in: Self.path)
        try #require(result.exitCode == 0, "\(result.errors)")
    }
}
