import ConnectorSDK
import Testing

@testable import Transforms

@Suite("Predicates")
struct PredicateTests {
    @Test("tombstones are told from other records")
    func tombstones() throws {
        let batch = makeBatch([["a": .int(1)], ["a": .missing]])
        batch.metadata(1).pointee.isTombstone = true
        let predicate = try RecordIsTombstone(configuration: Configuration([:]))
        #expect(try batch.indices.map { try predicate.matches(batch, row: $0) } == [false, true])
    }

    @Test(
        "a topic's whole name is matched",
        arguments: [
            ("orders", "orders", true), ("order", "orders", false), ("o.*s", "orders", true),
            ("orders|x", "x", true), ("", "orders", false),
        ]
    )
    func topics(pattern: String, topic: String, expected: Bool) throws {
        guard !pattern.isEmpty else {
            #expect(!TopicNameMatches.configuration.validate(["pattern": ""]).isEmpty)
            return
        }
        let predicate = try TopicNameMatches(configuration: Configuration(["pattern": pattern]))
        let batch = makeBatch([["a": .int(1)]], topic: topic)
        #expect(try predicate.matches(batch, row: 0) == expected)
        batch.topic = "another"
        #expect(try predicate.matches(batch, row: 0) == false)
    }

    @Test("a pattern that is none is refused")
    func refusesPattern() {
        #expect(!TopicNameMatches.configuration.validate(["pattern": "("]).isEmpty)
        #expect(
            failure { _ = try TopicNameMatches(configuration: Configuration(["pattern": "("])) }
                == "configuration.invalid pattern"
        )
    }

    @Test(
        "a header is found by its name, and damaged headers have none",
        arguments: [
            ([2, 0x68, 2, 0x78], 1, "h", true), ([2, 0x68, 1], 1, "h", true),
            ([2, 0x68, 2, 0x78], 1, "x", false), ([2, 0x61, 1, 2, 0x68, 0], 2, "h", true),
            ([], 0, "h", false), ([2, 0x68], 1, "h", false), ([40, 0x68], 1, "h", false),
            ([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 1, "h", false), ([3, 1], 1, "h", false),
            ([2, 0x68, 40], 1, "h", false), ([2, 0x68, 1], 200, "x", false),
        ] as [([UInt8], UInt32, String, Bool)]
    )
    func headers(bytes: [UInt8], count: UInt32, name: String, expected: Bool) throws {
        let predicate = try HasHeaderKey(configuration: Configuration(["name": name]))
        let batch = makeBatch([["a": .int(1)]])
        let chunk = Chunk(copying: bytes)
        batch.retain(chunk)
        batch.metadata(0).pointee.headers = UnsafeRawBufferPointer(chunk.bytes)
        batch.metadata(0).pointee.headerCount = count
        #expect(try predicate.matches(batch, row: 0) == expected)
    }

    @Test("each has a name of its own and a summary")
    func areDescribed() {
        #expect(Set(builtInPredicates.map { $0.name }).count == builtInPredicates.count)
        #expect(builtInPredicates.allSatisfy { !$0.summary.isEmpty })
    }
}
