import ConnectorSDK
import ConnectorTesting
import SQLiteConnector
import Testing

@Suite("SQLite sink: conformance")
struct SinkConformanceTests {
    static let configurations: [[String: String]] = [
        ["pk.mode": "record_value", "pk.fields": "id"],
        ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"],
        ["pk.mode": "kafka"],
        ["pk.mode": "record_key", "pk.fields": "id"],
        [:],
        ["pk.mode": "record_value", "pk.fields": "id", "journal.mode": "delete"],
    ]

    @Test("keeps the contract", arguments: SinkRequirement.allCases, configurations)
    func contract(_ requirement: SinkRequirement, _ values: [String: String]) async throws {
        let scratch = try ScratchDatabase()
        let scenario = SinkScenario(
            makeSink: { try scratch.sink(values) },
            fill: { batch, numbers in
                batch.reset(
                    topic: SinkScenario.topic,
                    schema: Schema(["id", "note"]),
                    keySchema: Schema(["id"])
                )
                for number in numbers {
                    let row = batch.appendRow()
                    batch[row, 0] = .int(Int64(number))
                    batch[row, 1] = batch.makeCell(.string("row \(number)"))
                    batch.keyRow(row)?[0] = .int(Int64(number))
                }
            },
            spoil: { batch, row in
                // No table has a column for it.
                batch.set(row, "unknown", .int(1))
            },
            contents: {
                let tables = try scratch.rows(
                    "SELECT name FROM sqlite_schema WHERE name = '\(SinkScenario.topic)'"
                )
                guard !tables.isEmpty else { return [] }
                return try scratch.rows("SELECT id FROM \(SinkScenario.topic) ORDER BY rowid")
                    .compactMap { Int($0) }
            }
        )
        // D2, D6
        try await scenario.verify(requirement)
    }
}
