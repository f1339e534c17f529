import ConnectorSDK
import Testing

@testable import PipelineEngine

@Suite("Transforms with predicates")
struct TransformChainTests {
    private func chain(_ values: [String: String] = [:]) throws -> TransformChain {
        let base = [
            "transforms": "mark", "transforms.mark.type": "Mark",
            "transforms.mark.predicate": "even", "predicates": "even",
            "predicates.even.type": "Even",
        ]
        return try TransformChain(
            Configuration(base.merging(values) { $1 }),
            catalog: EngineBench.catalog
        )
    }

    private func batch(_ numbers: Range<Int64>, extra: String? = nil) -> RecordBatch {
        let batch = RecordBatch()
        let names = ["n"] + (extra.map { [$0] } ?? [])
        batch.reset(topic: "t", schema: Schema(names))
        for number in numbers {
            batch.append(["n": .int(number)])
            if let extra { batch.set(batch.count - 1, extra, .bool(number % 3 == 0)) }
        }
        batch.numberRows()
        return batch
    }

    private func apply(_ chain: TransformChain, _ batch: RecordBatch) throws
        -> (texts: [String], batches: Int, rejected: [String])
    {
        var rejections: [Rejection] = []
        let parts = try chain.apply(batch, rejections: &rejections)
        let texts = parts.flatMap { part in part.indices.map { part.text($0) } }
        return (texts, parts.count, rejections.map(\.record.error.code.rawValue))
    }

    @Test("apply to the records that match, in one batch and in order")
    func some() throws {
        let (texts, batches, _) = try apply(try chain(), batch(0..<5))
        #expect(texts == ["n=0,seen=true", "n=1", "n=2,seen=true", "n=3", "n=4,seen=true"])
        #expect(batches == 1)
    }

    @Test("apply to the others when negated")
    func negated() throws {
        let negated = try chain(["transforms.mark.negate": "true"])
        #expect(try apply(negated, batch(0..<3)).texts == ["n=0", "n=1,seen=true", "n=2"])
    }

    @Test("drop and reject only what matches")
    func droppedAndRejected() throws {
        let dropped = try apply(try chain(), batch(0..<7, extra: "drop"))
        #expect(
            dropped.texts == [
                "n=1,drop=false", "n=2,drop=false,seen=true", "n=3,drop=true",
                "n=4,drop=false,seen=true", "n=5,drop=false",
            ]
        )
        let failed = try apply(try chain(), batch(0..<7, extra: "fail"))
        #expect(failed.texts.count == 5)
        #expect(failed.rejected == ["mark.failed", "mark.failed"])
    }

    @Test("a record for which the predicate cannot be told is rejected")
    func predicateFails() throws {
        let batch = batch(0..<3)
        batch.set(1, "n", .string("one"))
        let (texts, _, rejected) = try apply(try chain(), batch)
        #expect(texts == ["n=0,seen=true", "n=2,seen=true"])
        #expect(rejected == ["even.no_number"])
    }

    @Test("a second transform sees what the first left, whatever the batches")
    func two() throws {
        let both = try chain([
            "transforms": "mark,all", "transforms.all.type": "Mark",
            "transforms.all.field": "all",
        ])
        #expect(try apply(both, batch(0..<2)).texts == ["n=0,seen=true,all=true", "n=1,all=true"])
    }

    @Test("a transform may make several batches, which later ones see in turn")
    func several() throws {
        let chain = try chain([
            "transforms": "scatter,again,mark", "transforms.scatter.type": "Scatter",
            "transforms.again.type": "Scatter",
        ])
        var rejections: [Rejection] = []
        let batch = batch(0..<6)
        let parts = try chain.apply(batch, rejections: &rejections)
        let texts = parts.filter { $0.count > 0 }.map { part in
            part.indices.map { "\(part.topic) \(part.text($0))" }
        }
        #expect(
            texts == [
                ["t0 n=0,text=long enough: 0,seen=true", "t0 n=3,text=long enough: 0"],
                ["t1 n=1,text=long enough: 1", "t1 n=4,text=long enough: 1,seen=true"],
                ["t2 n=2,text=long enough: 2,seen=true", "t2 n=5,text=long enough: 2"],
            ]
        )
    }

    @Test("D5: what is scattered and what is not stays in order")
    func scatteredSome() throws {
        let chain = try chain([
            "transforms": "scatter", "transforms.scatter.type": "Scatter",
            "transforms.scatter.predicate": "even",
        ])
        var rejections: [Rejection] = []
        let parts = try chain.apply(batch(0..<6), rejections: &rejections)
        let texts = parts.flatMap { part in
            part.indices.map { "\(part.topic) \(part[$0, 0].int64)" }
        }
        #expect(texts == ["t0 0", "t 1", "t2 2", "t 3", "t1 4", "t 5"])
    }

    struct Union: Sendable, CustomTestStringConvertible {
        var left: [String]
        var right: [String]
        var union: [String]?
        var testDescription: String { "\(left) + \(right)" }
    }

    @Test(
        "two schemas make one only if no record's fields change places",
        arguments: [
            Union(left: ["a", "b"], right: ["a", "b"], union: ["a", "b"]),
            Union(left: ["a", "b"], right: ["a", "x", "b"], union: ["a", "x", "b"]),
            Union(left: ["a", "b", "c"], right: ["b", "x"], union: ["a", "b", "x", "c"]),
            Union(left: ["a", "b"], right: ["b", "a"], union: nil),
            Union(left: [], right: ["a"], union: ["a"]),
        ]
    )
    func unions(_ example: Union) {
        let union = BatchMerge.union(Schema(example.left), Schema(example.right))
        #expect(union?.names == example.union)
    }
}
