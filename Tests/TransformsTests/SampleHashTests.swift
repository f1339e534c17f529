import ConnectorSDK
import Testing

@testable import RowTransforms

@Suite("Sample, Throttle and Hash")
struct SampleHashTests {
    private func kept(_ values: [String: String], _ count: Int = 10_000) throws -> [Int] {
        let batch = RecordBatch()
        batch.reset(topic: "t")
        for number in 0..<count {
            batch.append(["k": .int(Int64(number % 1_000)), "n": .int(Int64(number))])
        }
        try Sample(configuration: Configuration(values)).apply(batch)
        return batch.column("n").map { if case .int(let number) = $0 { Int(number) } else { -1 } }
    }

    @Test("about the part that is asked for is kept, the same one each time")
    func sample() throws {
        let some = try kept(["rate": "0.1"])
        #expect((900...1_100).contains(some.count))
        #expect(try kept(["rate": "0.1"]) == some)
        let others = try kept(["rate": "0.1", "seed": "7"])
        #expect((900...1_100).contains(others.count))
        #expect(Set(others).intersection(some).count < 200)
        // More records are kept beside those of a smaller part.
        #expect(Set(some).isSubset(of: try kept(["rate": "0.2"])))
        #expect(try kept(["rate": "1"]).count == 10_000)
        #expect(try kept(["rate": "0"]).isEmpty)
    }

    @Test("records with one value in a field are all kept or all dropped")
    func sampleByField() throws {
        let some = try kept(["rate": "0.3", "field": "k"])
        let keys = Set(some.map { $0 % 1_000 })
        #expect(some.count == keys.count * 10)
        #expect((240...360).contains(keys.count))
    }

    @Test("a key decides, whether it is a number or its digits")
    func sampleByKey() throws {
        let transform = try Sample(configuration: Configuration(["rate": "0.5"]))
        func kept(_ key: (RecordBatch, Int) -> Cell) throws -> [Value] {
            let batch = makeBatch((0..<200).map { ["n": .int($0), "r": .int($0 * 7)] })
            batch.addKeys(Schema(["k"]))
            for row in batch.indices { batch.keyRow(row)?.pointee = key(batch, row) }
            try transform.apply(batch)
            return batch.column("n")
        }
        let numbers = try kept { .int(Int64($1)) }
        #expect((60...140).contains(numbers.count))
        #expect(try kept { batch, row in batch.makeCell(.string("\(row)")) } == numbers)
    }

    @Test("what passes is due no earlier than the pace allows, and pauses are not made up for")
    func pace() {
        let start = ContinuousClock.now
        var pace = ThrottlePace(records: 100, bytes: 1_000)
        #expect(pace.pass(records: 50, bytes: 100, at: start) == start + .seconds(0.5))
        #expect(pace.pass(records: 10, bytes: 1_000, at: start) == start + .seconds(1.5))
        let later = start + .seconds(60)
        #expect(pace.pass(records: 100, bytes: 0, at: later) == later + .seconds(1))
    }

    @Test("records wait their time, unless the task is to stop", .timeLimit(.minutes(10)))
    func throttle() throws {
        let values = ["records.per.second": "100"]
        let transform = try Throttle(configuration: Configuration(values))
        let batch = makeBatch((0..<30).map { ["n": .int($0)] })
        let start = ContinuousClock.now
        try transform.apply(batch)
        #expect(ContinuousClock.now - start >= .milliseconds(300))
        #expect(batch.count == 30)
        let slow = try Throttle(configuration: Configuration(["bytes.per.second": "1"]))
        slow.isStopping = { true }
        batch.metadata(0).pointee.rawLength = 1 << 30
        // Years, if it waited.
        try slow.apply(batch)
        #expect(
            failure { _ = try Throttle(configuration: Configuration([:])) }
                == "configuration.invalid records.per.second"
        )
    }

    @Test(
        "hashes are those that others compute",
        arguments: [
            ([:], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (["algorithm": "md5"], "900150983cd24fb0d6963f7d28e17f72"),
            (["algorithm": "sha1"], "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                ["salt.key": "key"],
                "9c196e32dc0175f86f4b1cb89289d6619de6bee699e4c378e68309ed97a1a6ab"
            ),
        ] as [([String: String], String)]
    )
    func hash(values: [String: String], expected: String) throws {
        let transform = try Hash(
            configuration: Configuration(["fields": "a"].merging(values) { $1 })
        )
        for _ in 0..<2 {
            let batch = makeBatch([["a": .string("abc"), "b": .string("abc")]])
            try transform.apply(batch)
            #expect(batch.fields(0) == ["a": .string(expected), "b": .string("abc")])
        }
    }

    @Test("numbers hash as their digits, null stays null, nested values are reached")
    func hashOthers() throws {
        let values = ["fields": "a,o.p", "field.syntax.version": "V2"]
        let batch = makeBatch([
            ["a": .int(42), "o": .json(#"{"p":"42","q":1}"#)], ["a": .null, "o": .json("{}")],
            ["a": .string("x"), "o": .int(1)],
        ])
        try Hash(configuration: Configuration(values)).apply(batch)
        let hash = "73475cb40a568e8da8a045ced110137e159f890ac4da883b6b17dc651b3a8049"
        #expect(batch.column("a") == [.string(hash), .null])
        #expect(batch.column("o") == [.json(#"{"p":"\#(hash)","q":1}"#), .json("{}")])
        #expect(batch.rejections.map(\.row) == [2])
        // D8: a secret is named, never shown.
        let values2 = ["fields": "a", "salt.key": ""]
        #expect(
            failure { _ = try Hash(configuration: Configuration(values2)) }
                == "configuration.invalid salt.key"
        )
    }
}
