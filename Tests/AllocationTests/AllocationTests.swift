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
    }

    struct Count {
        /// Allocations that SQLite's library made.
        var sqlite: Int
        /// All others.
        var own: Int
    }

    static let paths: [Path] = [
        Path(
            testDescription: "lines → topic → file",
            source: "connector: file, include: input.json",
            sink: "connector: file, format: lines, path: out.jsonl"
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
            testDescription: "json → topic → sqlite",
            source: "connector: json, include: input.json",
            sink: "connector: sqlite, path: out.db"
        ),
        Path(
            testDescription: "csv → topic → csv",
            source: "connector: csv, include: input.csv",
            sink: "connector: csv, path: out.csv"
        ),
        Path(
            testDescription: "xml → topic",
            source: "connector: xml, include: input.xml",
            sink: "connector: file, format: lines, path: out.jsonl"
        ),
        Path(
            testDescription: "sqlite → topic",
            source: "connector: sqlite, path: input.db, mode: bulk, table.include.list: orders",
            sink: "connector: file, format: lines, path: out.jsonl"
        ),
    ]

    @Test("none per record in steady state", arguments: paths)
    func perRecord(_ path: Path) async throws {
        let directory = try TemporaryDirectory()
        let counter = directory.file("count.so")
        let source = Products.root + "/Tests/AllocationTests/count_mallocs.c"
        let compiled = try await Command.run(
            ["cc", "-O2", "-shared", "-fPIC", "-o", counter, source],
            in: directory.path
        )
        try #require(compiled.exitCode == 0, "\(compiled.errors)")

        let few = try await count(path, records: 150_000, counter: counter)
        let many = try await count(path, records: 400_000, counter: counter)
        let perRecord = Double(many.own - few.own) / 250_000
        // Two tasks, a source and a sink, of less than 0.01 each: some dozens for a batch of 4,096.
        #expect(perRecord < 0.02, "\(few) and \(many) allocations: \(perRecord) per record")
        // SQLite makes some for each transaction, and there is one for a batch or several.
        let inSQLite = Double(many.sqlite - few.sqlite) / 250_000
        #expect(inSQLite < 0.02, "\(few) and \(many) allocations: \(inSQLite) per record")
    }

    private func count(_ path: Path, records: Int, counter: String) async throws -> Count {
        let directory = try TemporaryDirectory()
        let generator = Products.root + "/bench/generate.py"
        let made = try await Command.run(
            [Products.python, generator, directory.path, String(records)],
            in: directory.path
        )
        try #require(made.exitCode == 0, "\(made.errors)")
        for (name, input) in [
            ("orders.jsonl", "input.json"), ("orders.csv", "input.csv"),
            ("orders.xml", "input.xml"), ("orders.db", "input.db"),
        ] {
            try FileManager.default.moveItem(
                atPath: directory.file(name),
                toPath: directory.file(input)
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
                "LD_PRELOAD": counter, "MALLOC_COUNT_FILE": directory.file("count"),
            ]
        )
        try #require(result.exitCode == 0, "\(result.errors)")
        let numbers = try directory.read("count").split { !$0.isNumber }.compactMap { Int($0) }
        try #require(numbers.count == 2)
        return Count(sqlite: numbers[0], own: numbers[1])
    }
}
