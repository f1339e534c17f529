import ConnectorSDK
import ConnectorTesting
import Logging
import Testing

@testable import GenerateConnector

@Suite("Generate source")
struct GenerateSourceTests {
    static let everything = [
        "topic": "t", "fields.id": "sequence 10 by 5", "fields.n": "int -3..3",
        "fields.x": "double 0..1", "fields.price": "decimal 0.50..99.99", "fields.ok": "bool 0.2",
        "fields.key": "uuid", "fields.who": "name", "fields.colour": "choice red | green|blue",
        "fields.at": "timestamp 2026-02-03T04:05:06Z by 250ms", "fields.note": "text 5..40",
    ]

    static func make(
        _ values: [String: String],
        untilEnd: Bool = false,
        tasks: Int = 1
    ) throws -> GenerateSource {
        try GenerateSource(
            configuration: Configuration(values),
            context: ConnectorContext(
                name: "made",
                taskCount: tasks,
                untilEnd: untilEnd,
                stateDirectory: "/nowhere",
                formats: FormatCatalog([]),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
    }

    static func run(
        _ values: [String: String],
        from positions: [String: String] = [:],
        _ script: (RecordingOutlet) -> Void = { _ in }
    ) async throws -> RecordingOutlet {
        let source = try make(values)
        let outlet = RecordingOutlet(for: source)
        script(outlet)
        try await source.run(from: positions, into: outlet)
        return outlet
    }

    @Test("does what every source does", arguments: SourceRequirement.allCases)
    func conformance(_ requirement: SourceRequirement) async throws {
        let values = Self.everything.merging(["count": "10000"]) { $1 }
        try await SourceScenario(recordCount: 10_000) { try Self.make(values) }
            .verify(requirement)
    }

    @Test("a place behind every number there is is refused (D9)")
    func farAway() async throws {
        let place = ["{\"seed\":1}": "{\"record\":9223372036854775807}"]
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await Self.run(Self.everything, from: place) { $0.stopAfterSends = 1 }
        }
        #expect(error?.code.rawValue == "generate.position_invalid")
    }

    @Test(
        "templates that no number can hold are refused (D9)",
        arguments: ["timestamp by 200000000d", "double -1e308..1e308", "sequence 1 by 1e400"]
    )
    func tooLarge(_ template: String) {
        let error = #expect(throws: ConnectorError.self) {
            _ = try Self.make(["topic": "t", "fields.x": template])
        }
        #expect(error?.configurationKey == "fields.x")
    }

    @Test("a seed gives the same records, wherever a run was cut, and another seed others")
    func deterministic() async throws {
        var values = Self.everything.merging(["count": "9000", "seed": "42"]) { $1 }
        let whole = try await Self.run(values)
        let first = try await Self.run(values) { $0.stopAfterSends = 1 }
        #expect(first.records.count < 9_000)
        let rest = try await Self.run(values, from: first.positions)
        #expect(first.records + rest.records == whole.records)
        values["seed"] = "43"
        let other = try await Self.run(values, from: whole.positions)
        #expect(other.records.count == 9_000)
        #expect(other.records != whole.records)
        // More of the same seed go on behind what there is.
        values["seed"] = "42"
        values["count"] = "9010"
        #expect(try await Self.run(values, from: whole.positions).records.count == 10)
    }

    @Test("a paced run makes the same records as one without a limit")
    func pacedIsTheSame() async throws {
        var values = Self.everything.merging(["count": "300"]) { $1 }
        let free = try await Self.run(values)
        values["rate"] = "100000"
        let paced = try await Self.run(values) { $0.stopAfterIdling = .max }
        #expect(paced.records == free.records)
    }

    @Test("every template keeps to what it says")
    func templates() async throws {
        let outlet = try await Self.run(Self.everything.merging(["count": "2000"]) { $1 })
        var texts: Set<Int> = []
        var trues = 0
        for (number, record) in outlet.records.enumerated() {
            let fields = Dictionary(uniqueKeysWithValues: record.fields.map { ($0.name, $0.value) })
            #expect(fields["id"] == .int(10 + 5 * Int64(number)))
            guard case .int(let n) = fields["n"], case .double(let x) = fields["x"],
                case .string(let key) = fields["key"], case .string(let note) = fields["note"],
                case .string(let colour) = fields["colour"]
            else {
                Issue.record("wrong types: \(fields)")
                return
            }
            #expect((-3...3).contains(n))
            #expect((0..<1).contains(x))
            #expect(key.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-.*/) != nil)
            #expect(key.wholeMatch(of: /.*-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
            #expect((5...40).contains(note.count))
            #expect(["red", "green", "blue"].contains(colour))
            texts.insert(note.count)
            if fields["ok"] == .bool(true) { trues += 1 }
        }
        // Of a range all is used, and a fifth is a fifth.
        #expect(texts == Set(5...40))
        #expect((300...500).contains(trues))
    }

    @Test("columns come in the order that is asked for, the others by name")
    func order() async throws {
        let values = [
            "topic": "t", "count": "1", "columns": "z,b", "fields.a": "uuid",
            "fields.b": "sequence", "fields.z": "now", "fields.c": "bool",
        ]
        let record = try #require(try await Self.run(values).records.first)
        #expect(record.fields.map(\.name) == ["z", "b", "a", "c"])
    }

    @Test(
        "what is no template is refused by its key",
        arguments: [
            "", "int", "int 5..1", "int a..b", "double 0..nan", "decimal 1..2x", "bool 2", "choice",
            "uuid 4", "sequence x", "timestamp yesterday", "text 0..5", "text 1..99999999", "names",
            "sequence 1 of 2", "decimal 0.1234567890123456789..1",
        ]
    )
    func badTemplate(_ text: String) {
        let error = #expect(throws: ConnectorError.self) {
            try Self.make(["topic": "t", "fields.f": text])
        }
        #expect(error?.configurationKey == "fields.f")
        #expect(error?.hint?.contains("choice a|b|c") == true)
    }

    @Test("columns that are no fields, and several tasks, are refused")
    func badConfiguration() {
        let fields = ["topic": "t", "fields.amount": "int 1..2"]
        let error = #expect(throws: ConnectorError.self) {
            try Self.make(fields.merging(["columns": "amuont"]) { $1 })
        }
        #expect(error?.hint == "Did you mean `amount`?")
        #expect(throws: ConnectorError.self) { try Self.make(fields, tasks: 2) }
        #expect(throws: ConnectorError.self) { try Self.make(["topic": "t"]) }
    }

    @Test("without an end nothing is made in a run until the end")
    func untilEnd() async throws {
        let source = try Self.make(["topic": "t", "fields.a": "uuid"], untilEnd: true)
        let outlet = RecordingOutlet(for: source)
        try await source.run(from: [:], into: outlet)
        #expect(outlet.records.isEmpty)
    }
}

@Suite("Pace")
struct PaceTests {
    @Test("as many records are due as the rate says, however often it is asked")
    func rate() {
        let start = ContinuousClock.now
        var pace = Pace(rate: 50, at: start)
        var total = 0
        for step in 0...400 {
            let due = pace.due(at: start + .milliseconds(step * 5), limit: 4_096)
            pace.made(due)
            total += due
        }
        // Two seconds, and the first at once.
        #expect(total == 101)
    }

    @Test("a rate below one a wait gives one at a time, at its time")
    func slow() {
        let start = ContinuousClock.now
        var pace = Pace(rate: 1, at: start)
        #expect(pace.due(at: start, limit: 10) == 1)
        pace.made(1)
        #expect(pace.due(at: start + .milliseconds(900), limit: 10) == 0)
        #expect(pace.wait(at: start + .milliseconds(400)) == .milliseconds(600))
        #expect(pace.due(at: start + .seconds(1), limit: 10) == 1)
    }

    @Test("what was missed for long is not made good in a rush")
    func debt() {
        let start = ContinuousClock.now
        var pace = Pace(rate: 10, at: start)
        #expect(pace.due(at: start + .seconds(3_600), limit: 4) == 1)
    }
}
