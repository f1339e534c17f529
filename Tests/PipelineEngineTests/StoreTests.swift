import ConnectorSDK
import Testing
import Topics

/// What the engine relies on, of either store.
@Suite("A store's promises", .timeLimit(.minutes(10)))
struct StoreTests {
    private func batch(_ texts: [String], _ producer: any TopicProducer) throws -> EncodedBatch {
        let builder = producer.makeBuilder()
        for text in texts {
            var text = text
            text.withUTF8 { bytes in
                builder.append(timestamp: 1_000, key: nil, value: UnsafeRawBufferPointer(bytes))
            }
        }
        return try builder.finish(compression: .none, now: 0, timestampType: .createTime)
    }

    private func commit(
        _ texts: [String],
        to place: TopicPartition,
        position: String,
        _ producer: any TopicProducer
    ) throws {
        var unit = CommitUnit()
        unit.batches.append((place, try batch(texts, producer)))
        unit.positions.append(("in", SourcePosition(partition: "p", offset: position)))
        _ = try producer.waitUntilDurable(through: producer.submit(unit), deadline: nil)
    }

    private func values(_ reader: any PartitionReader) throws -> [String] {
        var found: [String] = []
        let batch = RecordBatch()
        while true {
            batch.reset(topic: "t")
            guard try reader.read(into: batch) > 0 else { return found }
            for row in batch.indices {
                found.append(String(decoding: batch.metadata(row).pointee.raw, as: UTF8.self))
            }
        }
    }

    @Test(
        "D4: a reader that gives nothing has given all that was there when it was made",
        arguments: StoreKind.allCases
    )
    func reading(_ kind: StoreKind) throws {
        let bench = try EngineBench(kind)
        defer { withExtendedLifetime(bench) {} }
        let store = bench.store
        try store.create("t", partitions: 1, settings: TopicSettings())
        let place = TopicPartition("t", 0)
        let producer = try store.makeProducer(ofTask: "in-0")
        defer { producer.close() }
        for round in 0..<20 {
            try commit(["a\(round)", "b\(round)"], to: place, position: "\(round)", producer)
            let reader = try store.makeReader(place, from: 0)
            #expect(try values(reader) == (0...round).flatMap { ["a\($0)", "b\($0)"] })
            #expect(reader.nextOffset == (try store.offsets(of: place)).end)
            try reader.seek(to: 1)
            #expect(try values(reader).first == "b0")
        }
        #expect(store.knownOffsets(of: place) == (try store.offsets(of: place)))
    }

    @Test(
        "D3: positions are the last ones once a task's producer is made",
        arguments: StoreKind.allCases
    )
    func positions(_ kind: StoreKind) throws {
        let bench = try EngineBench(kind)
        defer { withExtendedLifetime(bench) {} }
        let store = bench.store
        try store.create("t", partitions: 2, settings: TopicSettings())
        for round in 0..<5 {
            let producer = try store.makeProducer(ofTask: "in-0")
            defer { producer.close() }
            #expect(try store.positions(of: "in") == (round == 0 ? [:] : ["p": "\(round - 1)"]))
            let place = TopicPartition("t", Int32(round % 2))
            try commit(["\(round)"], to: place, position: "\(round)", producer)
        }
        #expect(try store.connectorsWithPositions() == ["in"])
        try store.setPositions(of: "in", to: ["p": nil, "q": "7"])
        #expect(try store.positions(of: "in") == ["q": "7"])
    }

    @Test("a schema has one id", arguments: StoreKind.allCases)
    func schemas(_ kind: StoreKind) throws {
        let bench = try EngineBench(kind)
        defer { withExtendedLifetime(bench) {} }
        let store = bench.store
        let first = try store.register("{\"a\":1}"), second = try store.register("{\"b\":2}")
        #expect(first != second)
        #expect(try store.register("{\"a\":1}") == first)
        #expect(try store.schema(second) == "{\"b\":2}")
    }
}
