import ConnectorSDK
import ConnectorTesting
import Testing

@testable import ChangeCapture

@Suite("Changes as records")
struct ChangeStreamTests {
    @Test("an insertion becomes Debezium's envelope, keyed by the primary key")
    func create() async throws {
        let bench = try CaptureBench()
        let table = try bench.orders()
        bench.begin()
        bench.append(.create, table, after: [.int(1), .string("a\"b"), .decimal("1.50")], at: 42)
        bench.stream.end()
        let records = try await bench.send()
        let record = try #require(records.first)
        #expect(records.count == 1)
        #expect(record.topic == "shop.public.orders")
        #expect(record.key == [.init("id", .int(1))])
        #expect(record.json("before") == "null")
        #expect(record.json("after") == #"{"id":1,"name":"a\"b","price":1.50}"#)
        #expect(record.operation == "c")
        #expect(record.json("transaction") == "null")
        #expect(
            record.json("source")
                == #"{"version":"millrace","connector":"postgresql","name":"shop","db":"shop","#
                + #""schema":"public","table":"orders","snapshot":"false","#
                + #""ts_ms":1700000000123,"ts_us":1700000000123456,"txId":7,"#
                + #""sequence":"[\"700\",\"42\"]","lsn":42}"#
        )
        #expect(record.header("millrace.table") == "orders")
        #expect(record.header("millrace.transaction") == "700:1")
    }

    @Test("the value is one JSON text, of which the fields are parts")
    func text() async throws {
        let bench = try CaptureBench(source: .file)
        let table = try bench.orders(namespace: nil)
        bench.begin()
        bench.append(
            .update,
            table,
            before: [.int(1), .null, .missing],
            after: [.int(1), .string("x"), .missing]
        )
        let batch = try #require(bench.stream.pending.first)
        let text = String(decoding: batch.metadata(0).pointee.raw, as: UTF8.self)
        #expect(batch.rawIsJSON)
        #expect(
            text.hasPrefix(
                #"{"before":{"id":1,"name":null},"after":{"id":1,"name":"x"},"#
                    + #""source":{"version":"millrace","connector":"sqlite","name":"shop","#
                    + #""db":"shop.db","table":"orders","snapshot":"false","#
                    + #""ts_ms":1700000000123,"ts_us":1700000000123456,"txId":7,"change_id":11},"#
                    + #""transaction":null,"op":"u","ts_ms":"#
            )
        )
        #expect(text.hasSuffix("}"))
        #expect(batch.topic == "shop.orders")
    }

    @Test("a deletion is followed by a tombstone, unless the configuration says not to")
    func deletion() async throws {
        for (setting, expected) in [("true", ["d", "-"]), ("false", ["d"])] {
            let bench = try CaptureBench(["tombstones.on.delete": setting])
            let table = try bench.orders()
            bench.begin()
            bench.append(.delete, table, before: [.int(5), .string("n"), .missing])
            let records = try await bench.send()
            #expect(records.map(\.operation) == expected)
            #expect(records.allSatisfy { $0.key == [.init("id", .int(5))] })
            #expect(records[0].json("before") == #"{"id":5,"name":"n"}"#)
            #expect(records[0].json("after") == "null")
            #expect(records.last?.header("millrace.transaction") == "700:\(expected.count)")
        }
    }

    @Test("a change of the key ends the old row and begins a new one, each naming the other's key")
    func changedKey() async throws {
        let bench = try CaptureBench()
        let table = try bench.orders()
        bench.begin()
        bench.append(
            .update,
            table,
            before: [.int(5), .missing, .missing],
            after: [.int(6), .string("n"), .decimal("1.00")]
        )
        let records = try await bench.send()
        #expect(records.map(\.operation) == ["d", "-", "c"])
        #expect(records.map(\.key) == [5, 5, 6].map { [.init("id", .int($0))] })
        #expect(records[0].header("__debezium.newkey") == #"{"id":6}"#)
        #expect(records[2].header("__debezium.oldkey") == #"{"id":5}"#)
        #expect(records[2].json("before") == "null")
        let marks = records.map { $0.header("millrace.transaction") }
        #expect(marks == ["700:1", "700:2", "700:3"])
    }

    @Test("a large key that the database does not repeat did not change")
    func unavailableKey() async throws {
        let bench = try CaptureBench()
        let table = try bench.orders(key: [0, 1])
        bench.begin()
        bench.append(
            .update,
            table,
            before: [.int(5), .string("key"), .missing],
            after: [.int(5), .missing, .decimal("2")]
        )
        let records = try await bench.send()
        #expect(records.map(\.operation) == ["u"])
        #expect(records[0].key == [.init("id", .int(5)), .init("name", .string("key"))])
        #expect(records[0].json("after") == #"{"id":5,"price":2}"#)
    }

    @Test("rows of a snapshot have no place in a transaction")
    func snapshot() async throws {
        let bench = try CaptureBench()
        let table = try bench.orders()
        let moment = CapturedTransaction(sequence: 3, id: 2, microseconds: -1)
        bench.stream.beginSnapshot(.initial, at: moment)
        bench.append(.read, table, after: [.int(1), .null, .null], at: 3)
        bench.stream.beginSnapshot(.incremental, at: moment)
        bench.append(.read, table, after: [.int(2), .null, .null], at: 3)
        let records = try await bench.send()
        #expect(records.map(\.operation) == ["r", "r"])
        #expect(records.map { $0.headers.map(\.key) } == [["millrace.table"], ["millrace.table"]])
        #expect(records[0].json("source")?.contains(#""snapshot":"true","ts_ms":-1,"#) == true)
        #expect(records[1].json("source")?.contains(#""snapshot":"incremental""#) == true)
    }

    @Test("tables outside of the default schema are named with theirs, and topics are valid")
    func names() async throws {
        let bench = try CaptureBench()
        let tables = [
            try bench.orders(namespace: "sales"), try bench.orders(name: "Größe"),
            try bench.orders(namespace: nil),
        ]
        bench.begin()
        for table in tables {
            bench.append(.create, table, after: [.int(1), .null, .null])
        }
        let records = try await bench.send()
        #expect(
            records.map(\.topic) == [
                "shop.sales.orders", "shop.public.Gr____e", "shop.orders",
            ]
        )
        #expect(
            records.map { $0.header("millrace.table") } == ["sales.orders", "Größe", "orders"]
        )
    }

    @Test("a transaction's changes tell their order, and its topic where it ends, last")
    func transactions() async throws {
        let bench = try CaptureBench(["provide.transaction.metadata": "true"])
        let orders = try bench.orders()
        let lines = try bench.orders(name: "lines")
        bench.begin(1)
        bench.stream.end()
        bench.begin(2)
        bench.append(.create, orders, after: [.int(1), .null, .null])
        bench.append(.create, lines, after: [.int(1), .null, .null])
        bench.append(.delete, orders, before: [.int(1), .null, .null])
        bench.stream.end()
        let records = try await bench.send()
        #expect(
            records.filter { !$0.isTombstone && $0.topic.hasSuffix("s") }
                .map { $0.json("transaction") } == [
                    #"{"id":"2:200","total_order":1,"data_collection_order":1}"#,
                    #"{"id":"2:200","total_order":3,"data_collection_order":2}"#,
                    #"{"id":"2:200","total_order":2,"data_collection_order":1}"#,
                ]
        )
        let told = records.filter { $0.topic == "shop.transaction" }
        #expect(told.map { $0["status"] } == [.string("BEGIN"), .string("END")])
        #expect(
            told.map(\.key) == [[.init("id", .string("2:200"))], [.init("id", .string("2:200"))]]
        )
        #expect(told.last?["event_count"] == .int(3))
        #expect(
            told.last?.json("data_collections")
                == #"[{"data_collection":"public.orders","event_count":2},"#
                + #"{"data_collection":"public.lines","event_count":1}]"#
        )
        #expect(told.map { $0.header("millrace.transaction") } == [nil, "200:end"])
        #expect(records.last == told.last)
    }

    @Test("D3: a transaction that was sent in part goes on with the same numbers")
    func resume() async throws {
        func run(sending cut: Int?) async throws -> [CapturedRecord] {
            var records: [CapturedRecord] = []
            var done: UInt64 = 0
            for attempt in 0..<2 {
                let bench = try CaptureBench(["provide.transaction.metadata": "true"])
                let table = try bench.orders()
                bench.begin(resumingAfter: done)
                for number in 0..<6 as Range<Int64> {
                    if number == 2 {
                        bench.append(
                            .update,
                            table,
                            before: [.int(number), .null, .null],
                            after: [.int(-number), .null, .null]
                        )
                    } else if number == 3 {
                        bench.append(.delete, table, before: [.int(number), .null, .null])
                    } else {
                        bench.append(.create, table, after: [.int(number), .null, .null])
                    }
                    if attempt == 0, let cut, number == Int64(cut) { break }
                }
                guard attempt == 0, cut != nil else {
                    bench.stream.end()
                    records += try await bench.send()
                    break
                }
                done = bench.stream.changesInTransaction
                records += try await bench.send()
            }
            return records
        }
        func essence(_ records: [CapturedRecord]) -> [String] {
            records.map {
                "\($0.topic) \($0.operation) \($0["status"]) \($0["event_count"]) "
                    + "\($0.json("transaction") ?? "") \($0.header("millrace.transaction") ?? "")"
            }.sorted()
        }
        let whole = essence(try await run(sending: nil))
        #expect(whole.count == 11)
        for cut in 0..<5 {
            #expect(essence(try await run(sending: cut)) == whole, "cut after change \(cut)")
        }
    }

    @Test("a stream is full after as many records, bytes or batches as a commit should have")
    func full() async throws {
        let bench = try CaptureBench()
        let table = try bench.orders()
        #expect(bench.stream.isEmpty)
        bench.stream.records = RecordBatch.rowLimit - 1
        #expect(!bench.stream.isFull)
        bench.begin()
        bench.append(.create, table, after: [.int(1), .null, .null])
        #expect(bench.stream.isFull)
        #expect(!bench.stream.isEmpty)
        #expect(try await bench.send().count == 1)
        #expect(!bench.stream.isFull)
        #expect(bench.stream.isEmpty)
        let large = Value.string(String(repeating: "x", count: RecordBatch.byteLimit))
        bench.append(.create, table, after: [.int(1), large, .null])
        #expect(bench.stream.isFull)
        _ = try await bench.send()
        for number in 0..<64 {
            #expect(!bench.stream.isFull)
            let table = try bench.orders(name: "t\(number)")
            bench.append(.create, table, after: [.int(1), .null, .null])
        }
        #expect(bench.stream.isFull)
    }

    @Test("skipped operations, truncations, messages and heartbeats")
    func otherEvents() async throws {
        let bench = try CaptureBench(["skipped.operations": "u"])
        let table = try bench.orders()
        bench.begin()
        bench.append(.update, table, before: nil, after: [.int(1), .null, .null])
        bench.stream.appendTruncation(of: table, at: 4)
        let moment = CapturedTransaction(sequence: 700, id: 7, microseconds: 0)
        [UInt8](arrayLiteral: 1, 2, 3).withUnsafeBytes {
            bench.stream.appendMessage(prefix: "audit", content: $0, at: moment, position: 9)
        }
        bench.stream.appendHeartbeat()
        let records = try await bench.send()
        #expect(records.map(\.operation) == ["t", "m", "?"])
        #expect(records[0].key == [])
        #expect(records[1].topic == "shop.message")
        #expect(records[1].json("message") == #"{"prefix":"audit","content":"AQID"}"#)
        #expect(records[1].key == [.init("prefix", .string("audit"))])
        #expect(records[1].header("millrace.transaction") == "700:2")
        #expect(records[1].json("source")?.hasPrefix(#"{"version":"millrace","#) == true)
        #expect(records[1].json("source")?.hasSuffix(#""[\"700\",\"9\"]","lsn":9}"#) == true)
        #expect(records[2].topic == "__debezium-heartbeat.shop")
        #expect(records[2].key == [.init("serverName", .string("shop"))])
    }
}
