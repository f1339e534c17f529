import ConnectorSDK
import TableMapping
import Testing

@Suite("Table sinks: configuration")
struct SinkSettingsTests {
    @Test(
        "settings that cannot work together are refused, with the key at fault",
        arguments: [
            (["insert.mode": "upsert"], "pk.mode"),
            (["insert.mode": "update"], "pk.mode"),
            (["delete.enabled": "true"], "delete.enabled"),
            (["delete.enabled": "true", "pk.mode": "record_value"], "delete.enabled"),
            (["pk.fields": "id"], "pk.fields"),
            (["pk.mode": "kafka", "pk.fields": "a,b"], "pk.fields"),
            (["pk.mode": "record_key", "pk.fields": "id,ID"], "pk.fields"),
            (["auto.evolve": "maybe"], "auto.evolve"),
            (["table.name.format": ""], "table.name.format"),
            (["table.name.format": "${topic"], "table.name.format"),
            (["table.name.format": "${tpoic}"], "table.name.format"),
            (["table.name.format": "a\0b"], "table.name.format"),
        ]
    )
    func refused(_ values: [String: String], _ key: String) throws {
        let error = #expect(throws: ConnectorError.self) { try settings(values) }
        #expect(error?.kind == .configuration)
        #expect(error?.configurationKey == key)
    }

    @Test(
        "auto.evolve is a policy, or what it was in Kafka Connect: a truth value",
        arguments: [
            (nil, EvolutionPolicy.reject), ("true", .add), ("false", .reject), ("TRUE", .add),
            ("ignore", .ignore), ("add", .add), ("widen", .widen), ("fail", .fail),
            ("reject", .reject),
        ] as [(String?, EvolutionPolicy)]
    )
    func evolution(_ text: String?, _ policy: EvolutionPolicy) throws {
        let values = text.map { ["auto.evolve": $0] } ?? [:]
        #expect(try settings(values).evolution == policy)
        #expect(TableSinkSettings.specification.validate(values) == [])
    }

    @Test("a field without a column is left out, rejects its record or stops the task")
    func answers() {
        #expect(EvolutionPolicy.ignore.answer(field: "f", table: "t") == nil)
        let stop = EvolutionPolicy.fail.answer(field: "f", table: "t")
        #expect(stop?.disposition == .failTask)
        #expect(stop?.configurationKey == "auto.evolve")
        for policy in [EvolutionPolicy.reject, .add, .widen] {
            #expect(policy.answer(field: "f", table: "t")?.disposition == .rejectRecord)
        }
    }

    @Test("the place of a record is three columns, named as in Kafka Connect or otherwise")
    func placeNames() throws {
        let plain = try settings(["pk.mode": "kafka"])
        #expect(
            plain.keyFields == ["__connect_topic", "__connect_partition", "__connect_offset"]
        )
        let named = try settings(["pk.mode": "kafka", "pk.fields": "t,p,o"])
        #expect(named.keyFields == ["t", "p", "o"])
    }

    @Test("tombstones delete rows, or are rejected")
    func tombstones() throws {
        let batch = makeBatch([Row(1, ["a": .int(1)]), Row(1, nil)])
        let deleting = try settings(["pk.mode": "record_key", "delete.enabled": "true"])
        #expect(try deleting.checkTombstones(batch))
        let error = #expect(throws: ConnectorError.self) {
            try settings(["pk.mode": "record_key"]).checkTombstones(batch)
        }
        #expect(error?.code.rawValue == "table.tombstone")
        #expect(error?.disposition == .rejectRecord)
    }
}
