import ConnectorSDK
import ConnectorTesting
import PostgresConnector
import Testing

@Suite("PostgreSQL sink: conformance", .timeLimit(.minutes(10)))
struct SinkConformanceTests {
    static let configurations: [[String: String]] = [
        ["pk.mode": "record_value", "pk.fields": "id"],
        ["pk.mode": "record_value", "pk.fields": "id", "insert.mode": "upsert"],
        ["pk.mode": "kafka"],
        ["pk.mode": "record_key", "pk.fields": "id", "insert.mode": "upsert"],
        [:],
        ["offsets.table.name": "progress"],
    ]

    @Test(
        "keeps the contract",
        arguments: SinkRequirement.allCases,
        configurations.flatMap { [($0, true), ($0, false)] }
    )
    func contract(
        _ requirement: SinkRequirement,
        _ variant: ([String: String], Bool)
    ) async throws {
        let scratch = try SinkScratch()
        let (values, careful) = variant
        let scenario = SinkScenario(
            makeSink: { try scratch.sink(values, careful: careful) },
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
                let table = SinkScenario.topic
                guard try scratch.text("SELECT to_regclass('\(table)')") != "" else { return [] }
                let order = values["insert.mode"] == nil ? "ctid" : "id"
                return try scratch.rows("SELECT id FROM \(table) ORDER BY \(order)")
                    .compactMap { Int($0.dropFirst().dropLast()) }
            }
        )
        // D2, D6
        try await scenario.verify(requirement)
    }
}
