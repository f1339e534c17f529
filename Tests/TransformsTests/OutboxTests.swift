import ConnectorSDK
import Testing

@testable import ChangeTransforms

@Suite("Outbox")
struct OutboxTests {
    private static let row: [Field] = [
        Field("id", .uuid), Field("aggregatetype", .string), Field("aggregateid", .string),
        Field("type", .string), Field("payload"), Field("at", .timestamp),
        Field("part", .int64),
    ]
    private static let schema = Schema([
        Field("before", .object(row)), Field("after", .object(row)), Field("op", .string),
    ])

    private func batch(_ events: [(operation: String, row: String)]) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: "shop.outbox", schema: Self.schema, keySchema: Schema(["id"]))
        for event in events {
            let row = batch.appendRow()
            batch.metadata(row).pointee.isTombstone = event.operation == "-"
            batch[row, 1] = batch.makeCell(.json("{\(event.row)}"))
            batch[row, 2] = batch.makeCell(.string(event.operation))
        }
        return batch
    }

    private func route(
        _ batch: RecordBatch,
        _ values: [String: String] = [:]
    ) throws -> [RecordBatch] {
        let parts = try Outbox(configuration: Configuration(values)).split(batch)
        for part in parts { part.retain(batch) }
        return parts
    }

    private func event(
        _ number: Int,
        type: String = "order",
        payload: String = #"{"a":1}"#
    ) -> (operation: String, row: String) {
        (
            "c",
            #""id":"u\#(number)","aggregatetype":"\#(type)","aggregateid":"k\#(number)","#
                + #""type":"Placed","payload":\#(payload),"at":"1970-01-01T00:00:02Z","part":3"#
        )
    }

    private func headers(_ batch: RecordBatch, _ row: Int) -> [String] {
        let metadata = batch.metadata(row).pointee
        var reader = HeaderReader(bytes: metadata.headers)
        return (0..<metadata.headerCount).map { _ in
            let parts = (0..<2).map { _ in
                String(decoding: reader.next() ?? .init(start: nil, count: 0), as: UTF8.self)
            }
            return parts.joined(separator: "=")
        }
    }

    @Test("an inserted row becomes an event: topic, key, payload and id")
    func events() throws {
        let parts = try route(
            batch([
                event(1), event(2, type: "customer"), event(3, payload: #""plain""#),
                ("d", #""id":"u1""#), ("-", ""),
            ])
        )
        #expect(parts.map(\.topic) == ["outbox.event.order", "outbox.event.customer"])
        #expect(parts[0].column("").map { text($0) } == [#"{"a":1}"#, "plain"])
        #expect(parts[0].schema.isOpaque)
        #expect(
            parts[0].indices.map { parts[0].keyRow($0).map { text(Value($0[0])) } } == ["k1", "k3"]
        )
        #expect(headers(parts[1], 0) == ["id=u2"])
    }

    private func text(_ value: Value) -> String {
        guard case .bytes(let bytes) = value else { return "\(value)" }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("more columns go into headers, the envelope and the partition")
    func additional() throws {
        let parts = try route(
            batch([event(1)]),
            [
                "table.fields.additional.placement":
                    "type:header:eventType,type:envelope,part:partition,at:envelope:when",
                "table.field.event.timestamp": "at",
            ]
        )
        #expect(headers(parts[0], 0) == ["id=u1", "eventType=Placed"])
        #expect(parts[0].metadata(0).pointee.partition == 3)
        #expect(parts[0].metadata(0).pointee.timestamp == 2_000)
        #expect(
            parts[0].fields(0) == [
                "payload": .json(#"{"a":1}"#), "type": .string("Placed"),
                "when": .timestamp(2_000_000),
            ]
        )
        #expect(parts[0].schema.fields.map(\.type) == [.any, .string, .timestamp])
    }

    @Test("an expanded payload's fields are the event's, whatever their order")
    func expanded() throws {
        let parts = try route(
            batch([
                event(1, payload: #"{"a":1,"b":"x"}"#), event(2, payload: #"{"b":2,"a":null}"#),
                event(3, payload: "null"), event(4, payload: #""{\"a\":5}""#),
                event(5, payload: "7"),
            ]),
            ["table.expand.json.payload": "true"]
        )
        #expect(
            parts.map { part in part.indices.map { part.fields($0) } } == [
                [["a": .int(1), "b": .string("x")]], [["b": .int(2), "a": .null]],
                [["": .bytes(Array("null".utf8))]], [["a": .int(5)], ["value": .int(7)]],
            ]
        )
    }

    @Test("an empty payload is a tombstone where that is asked for")
    func tombstones() throws {
        let events = [event(1, payload: "null"), event(2, payload: #""""#), event(3)]
        for (setting, expected) in [
            ("true", [true, true, false]), ("false", [false, false, false]),
        ] {
            let parts = try route(
                batch(events),
                ["route.tombstone.on.empty.payload": setting]
            )
            let metadata = parts.flatMap { part in part.indices.map { part[metadata: $0] } }
            #expect(metadata.map(\.isTombstone) == expected)
        }
    }

    @Test("topics are made of the route as the expression says")
    func routes() throws {
        let values = [
            "route.topic.regex": "(?<kind>[a-z]+)-(.*)",
            "route.topic.replacement": #"$2.${kind}.\$x"#,
        ]
        let batch = batch([
            event(1, type: "order-eu"), event(2, type: "order"), event(3, type: "a-é"),
        ])
        // Not a name of a topic, since `$` is not allowed.
        #expect(try route(batch, values).isEmpty)
        #expect(batch.rejections.count == 3)
        let other = self.batch([event(1, type: "order-eu"), event(2, type: "order")])
        let parts = try route(
            other,
            values.merging(["route.topic.replacement": "${2}.${kind}"]) { $1 }
        )
        #expect(parts.map(\.topic) == ["eu.order"])
        #expect(other.rejections.map(\.row) == [1])
    }

    @Test("updates are what the configuration says, and rows without the columns are rejected")
    func invalid() throws {
        let events = [("u", event(1).row), event(2), ("c", #""id":"u3""#)]
        for (behavior, rejected) in [("warn", [2]), ("error", [0, 2])] {
            let batch = batch(events)
            let parts = try route(batch, ["table.op.invalid.behavior": behavior])
            #expect(parts.map(\.count) == [1])
            #expect(batch.rejections.map(\.row) == rejected)
        }
        #expect(
            failure { _ = try route(batch(events), ["table.op.invalid.behavior": "fatal"]) }
                == "transform.outbox_update table.op.invalid.behavior"
        )
        for placement in ["type", "type:nowhere", ":header", "a:header:b:c"] {
            #expect(
                failure {
                    _ = try Outbox(
                        configuration: Configuration([
                            "table.fields.additional.placement": placement
                        ])
                    )
                } == "configuration.invalid table.fields.additional.placement"
            )
        }
    }
}
