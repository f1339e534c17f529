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

        let few = try await count(path, records: 30_000, counter: counter)
        let many = try await count(path, records: 130_000, counter: counter)
        let perRecord = Double(many - few) / 100_000
        #expect(perRecord < 0.01, "\(few) and \(many) allocations: \(perRecord) per record")
    }

    private func count(_ path: Path, records: Int, counter: String) async throws -> Int {
        let directory = try TemporaryDirectory()
        let generator = Products.root + "/bench/generate.py"
        let made = try await Command.run(
            [Products.python, generator, directory.path, String(records)],
            in: directory.path
        )
        try #require(made.exitCode == 0, "\(made.errors)")
        for (name, input) in [("orders.jsonl", "input.json"), ("orders.csv", "input.csv"),
            ("orders.xml", "input.xml"), ("orders.db", "input.db")]
        {
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
        let text = try directory.read("count").trimmingCharacters(in: .whitespacesAndNewlines)
        return try #require(Int(text))
    }
}
