import ConnectorSDK
import Testing
import Topics

@testable import PipelineEngine

/// D6: what transforms make of one record is delivered whole, or the record is one dead letter.
@Suite("One record that becomes several")
struct RecordGroupTests {
    private static let explode = [
        "transforms": "e", "transforms.e.type": "Explode", "transforms.e.field": "a",
    ]
    private static let cast = [
        "transforms": "e,c", "transforms.c.type": "Cast", "transforms.c.spec": "a:int32",
    ]

    private static var values: [String: String] {
        RejectionTests.tolerant.merging(explode) { $1 }.merging(cast) { $1 }
    }

    private func source(_ arrays: [String]) -> SourceScript {
        SourceScript { (run) async throws(ConnectorError) in
            guard run.positions.isEmpty else { return }
            let batch = run.outlet.makeBatch(topic: "numbers", schema: .opaque)
            for (number, array) in arrays.enumerated() {
                batch.append(["n": .int(Int64(number)), "a": .json(array)])
            }
            try await run.outlet.send(batch, position: SourcePosition(partition: "p", offset: "1"))
        }
    }

    @Test("of a source: siblings of a rejected part are withdrawn, and it is one dead letter")
    func source() async throws {
        let bench = try EngineBench()
        let arrays = ["[1,2]", #"[3,"x",4,"y"]"#, "[]", "[5]"]
        let summary = await bench.run(.source("in", source(arrays), Self.values))
        #expect(summary.exitCode == 0)
        #expect(
            try bench.values("numbers") == [
                #"{"n":0,"a":1}"#, #"{"n":0,"a":2}"#, #"{"n":3,"a":5}"#,
            ]
        )
        #expect(try bench.records("dead").map(\.value) == [#"{"n":1,"a":[3,"x",4,"y"]}"#])
        #expect(summary.connector("in")?.rejected == 1)
        #expect(summary.connector("in")?.records == 3)
    }

    @Test("of a source: the dead letter is replayed whole, once, when the transforms take it")
    func replayed() async throws {
        let bench = try EngineBench()
        let rejecting = ConnectorDefinition.source(
            "in",
            source(["[1]", #"[3,"x",4]"#]),
            Self.values
        )
        _ = await bench.run(rejecting)
        let again = try bench.replay(source: rejecting)
        #expect(again.replayed == 0)
        #expect(again.kept.count == 1)
        #expect(try bench.values("numbers") == [#"{"n":0,"a":1}"#])
        var mended = rejecting
        mended.values["transforms.c.spec"] = "a:string"
        #expect(try bench.replay(source: mended).replayed == 1)
        #expect(try bench.replay(source: mended).replayed == 0)
        #expect(
            try bench.values("numbers") == [
                #"{"n":0,"a":1}"#, #"{"n":1,"a":"3"}"#, #"{"n":1,"a":"x"}"#, #"{"n":1,"a":"4"}"#,
            ]
        )
    }

    @Test("of a source: a part that cannot be written withdraws the others")
    func unwritable() async throws {
        let bench = try EngineBench()
        let script = SourceScript { (run) async throws(ConnectorError) in
            guard run.positions.isEmpty else { return }
            let batch = run.outlet.makeBatch(topic: "numbers", schema: .opaque)
            batch.append(["n": .int(0), "a": .json("[1,2]"), "d": .double(.infinity)])
            batch.append(["n": .int(1), "a": .json("[3,4]"), "d": .double(1)])
            try await run.outlet.send(batch, position: SourcePosition(partition: "p", offset: "1"))
        }
        let values = RejectionTests.tolerant.merging(Self.explode) { $1 }
        let summary = await bench.run(.source("in", script, values))
        // A value that cannot be written cannot be a dead letter either, so the task stops.
        #expect(summary.exitCode == 1)
        #expect(try bench.values("numbers").isEmpty)
    }

    @Test(
        "of a sink: a part that is refused takes the others with it",
        arguments: [
            (["[1]", "[2,99,3]", "[4,5]"], ["1", "4", "5"], 1),
            (["[99,1]", "[2,99,3,99]", "[4]", "[5,6,7,99]"], ["4"], 3), (["[99]"], [], 1),
            (["[1,2,3,4,5,6,7]"], ["1", "2", "3", "4", "5", "6", "7"], 0),
        ] as [([String], [String], Int)]
    )
    func sink(arrays: [String], expected: [String], rejected: Int) async throws {
        let bench = try EngineBench()
        try await bench.fill("numbers", arrays.map { #"{"a":\#($0)}"# })
        let script = SinkScript(refuses: { $0.contains("99") })
        let values = RejectionTests.tolerant.merging(Self.explode) { $1 }
        let summary = await bench.run(.sink("out", script, values))
        #expect(summary.exitCode == 0)
        #expect(script.rows == expected.map { #"{"a":\#($0)}"# })
        let dead = try bench.records("dead").map(\.value)
        #expect(dead == arrays.filter { $0.contains("99") }.map { #"{"a":\#($0)}"# })
        #expect(summary.connector("out")?.rejected == Int64(rejected))
    }

    @Test("of a sink: a rejected part withdraws the others before anything is written")
    func sinkTransform() async throws {
        let bench = try EngineBench()
        try await bench.fill("numbers", [#"{"a":[1,"x"]}"#, #"{"a":["y",2,"z"]}"#, #"{"a":[3]}"#])
        let script = SinkScript()
        let summary = await bench.run(.sink("out", script, Self.values))
        #expect(summary.exitCode == 0)
        #expect(script.rows == [#"{"a":3}"#])
        #expect(
            try bench.records("dead").map(\.value) == [#"{"a":[1,"x"]}"#, #"{"a":["y",2,"z"]}"#]
        )
        #expect(summary.connector("out")?.rejected == 2)
    }
}
