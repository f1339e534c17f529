import ConnectorSDK
import Testing

@testable import Transforms

/// What transforms say of fields before there is a record, held against what they do with one.
@Suite("Fields known before a run")
struct OutlineTests {
    /// One transform on records of the fields `id`, `name`, `at` and `home`, an object with `city`.
    struct Case: Sendable, CustomTestStringConvertible {
        var type: String
        var values: [String: String]
        /// The keys that name a field that is not there.
        var misses: [String] = []
        /// The fields afterwards; `nil` where only records tell, empty where there are none.
        var after: [String]?

        init(
            _ type: String,
            _ values: [String: String],
            misses: [String] = [],
            after: [String]? = nil
        ) {
            (self.type, self.values, self.misses, self.after) = (type, values, misses, after)
        }

        var testDescription: String { "\(type) \(values)" }
    }

    private static let known: [Field] = [
        Field("id", .int64), Field("name", .string), Field("at", .timestamp),
        Field("home", .object([Field("city", .string)])),
    ]
    private static let names = ["id", "name", "at", "home"]
    private static let nested = ["field.syntax.version": "V2"]

    private static func deep(_ values: [String: String]) -> [String: String] {
        values.merging(nested) { own, _ in own }
    }

    static let cases: [Case] = [
        Case("Cast", ["spec.id": "string"], after: names),
        Case(
            "Cast",
            ["spec.idd": "string", "spec.x": "int32"],
            misses: ["spec.idd", "spec.x"],
            after: names
        ),
        Case("Cast", deep(["spec.home.city": "string"]), after: names),
        Case("Cast", deep(["spec.home.town": "int32"]), misses: ["spec.home.town"], after: names),
        Case("DropHeaders", ["headers": "a"], after: names),
        Case("InsertHeader", ["header": "a", "value.literal": "b"], after: names),
        Case("RegexRouter", ["regex": "a", "replacement": "b"], after: names),
        Case("TimestampRouter", [:], after: names),
        Case("Throttle", ["records.per.second": "1000000"], after: names),
        Case("SetSchemaMetadata", ["schema.name": "a"], after: names),
        Case("ExtractField", ["field": "name"], after: []),
        Case("ExtractField", ["field": "home"], after: ["city"]),
        Case("ExtractField", deep(["field": "home.city"]), after: []),
        Case("ExtractField", ["field": "homes"], misses: ["field"]),
        Case("Filter", ["condition": ".id > 1 or .name == .at"], after: names),
        Case(
            "Filter",
            ["condition": ".idd > 1 and .name == .att"],
            misses: ["condition", "condition"],
            after: names
        ),
        Case("Filter", ["condition": ".idd | length > 1"], after: names),
        Case("Flatten", [:], after: ["id", "name", "at", "home.city"]),
        Case("Flatten", ["delimiter": "_"], after: ["id", "name", "at", "home_city"]),
        Case(
            "HeaderFrom",
            ["fields": "name,id", "headers": "a,b", "operation": "copy"],
            after: names
        ),
        Case(
            "HeaderFrom",
            ["fields": "name", "headers": "a", "operation": "move"],
            after: ["id", "at", "home"]
        ),
        Case(
            "HeaderFrom",
            ["fields": "nam", "headers": "a", "operation": "move"],
            misses: ["fields"],
            after: names
        ),
        Case("HoistField", ["field": "all"], after: ["all"]),
        Case(
            "InsertField",
            ["topic.field": "t", "static.field": "name", "static.value": "x"],
            after: names + ["t"]
        ),
        Case(
            "InsertField",
            deep(["topic.field": "new.t", "offset.field": "home.o"]),
            after: names + ["new"]
        ),
        Case("Jq", ["program": "{a: 1}"]),
        Case("MaskField", ["fields": "name"], after: names),
        Case("MaskField", ["fields": "name,nmae"], misses: ["fields"], after: names),
        Case("ReplaceField", ["exclude": "name,at"], after: ["id", "home"]),
        Case("ReplaceField", ["exclude": "pasword"], misses: ["exclude"], after: names),
        Case(
            "ReplaceField",
            ["include": "id,name", "renames.id": "number"],
            after: ["number", "name"]
        ),
        Case("ReplaceField", ["include": "id,nam"], misses: ["include"]),
        Case("ReplaceField", ["renames.idd": "x"], misses: ["renames.idd"]),
        Case("ReplaceField", deep(["renames.home.city": "town"]), after: names),
        Case("TimestampConverter", ["field": "at", "target.type": "unix"], after: names),
        Case(
            "TimestampConverter",
            ["field": "att", "target.type": "unix"],
            misses: ["field"],
            after: names
        ),
        Case("ValueToKey", ["fields": "id"], after: names),
        Case("ValueToKey", ["fields": "id,ID"], misses: ["fields"], after: names),
        Case(
            "Explode",
            ["field": "name", "index.field": "i", "on.error": "keep"],
            after: names + ["i"]
        ),
        Case("Explode", ["field": "names"], misses: ["field"], after: names),
        Case("Split", ["field": "name"], after: names),
        Case("Split", ["field": "nane"], misses: ["field"], after: names),
        Case("Hash", ["fields": "name,id"], after: names),
        Case("Hash", ["fields": "nane"], misses: ["fields"], after: names),
        Case("Sample", ["field": "id", "rate": "1"], after: names),
        Case("Sample", ["field": "idd", "rate": "1"], misses: ["field"], after: names),
        Case("TimestampFrom", ["field": "at"], after: names),
        Case("TimestampFrom", ["field": "att"], misses: ["field"], after: names),
        Case("Dedupe", ["fields": "id,name"], after: names),
        Case("Dedupe", ["fields": "id,nam"], misses: ["fields"], after: names),
        Case(
            "Aggregate",
            ["group.by": "name", "aggregates.n": "sum(id)", "timestamp.field": "at"],
            after: ["window_start", "window_end", "name", "n"]
        ),
        Case(
            "Aggregate",
            ["group.by": "nam", "aggregates.n": "sum(idd)", "timestamp.field": "time"],
            misses: ["group.by", "aggregates.n", "timestamp.field"],
            after: ["window_start", "window_end", "nam", "n"]
        ),
        Case("Parse", ["format": "logfmt", "field": "name"]),
        Case(
            "Parse",
            ["format": "regex", "pattern": "(?<a>.*)(?<id>x*)", "field": "name"],
            after: ["id", "at", "home", "a"]
        ),
        Case(
            "Parse",
            [
                "format": "regex", "pattern": "(?<a>.*)(?<b>x*)", "field": "name", "target": "o",
                "keep.original": "true",
            ],
            after: names + ["o"]
        ),
        Case(
            "Parse",
            [
                "format": "csv", "columns": "a", "field": "nam", "types.b": "int",
                "timestamp.field": "t",
            ],
            misses: ["types.b", "timestamp.field", "field"]
        ),
        Case("unwrap", [:]), Case("outbox", [:]),
    ]

    private static func make(_ type: String, _ values: [String: String]) throws -> any Transform {
        let type = try #require(builtInTransforms.first { $0.name == type })
        return try type.init(configuration: Configuration(values))
    }

    @Test("a transform says which fields it can never find", arguments: cases)
    func misses(item: Case) throws {
        var outline = RecordOutline(value: .only(Self.known))
        try Self.make(item.type, item.values).trace(&outline)
        #expect(outline.takeMisses().map(\.key) == item.misses)
        var unknown = RecordOutline()
        try Self.make(item.type, item.values).trace(&unknown)
        // Names of a line's own fields are known wherever the line is.
        if item.type != "Parse" { #expect(unknown.misses.isEmpty) }
    }

    @Test("a transform says which fields there are behind it", arguments: cases)
    func fieldsAfter(item: Case) throws {
        var outline = RecordOutline(value: .only(Self.known))
        let transform = try Self.make(item.type, item.values)
        transform.trace(&outline)
        guard let after = item.after else {
            if item.misses.isEmpty { #expect(outline.value.all == nil) }
            return
        }
        if after.isEmpty {
            #expect(outline.value.wholeType != nil)
        } else {
            #expect(Set(outline.value.all?.map(\.name) ?? []) == Set(after))
        }
        // What is said must be true of a record.
        guard item.misses.isEmpty else { return }
        let batch = RecordBatch()
        batch.reset(topic: "t", schema: Schema(Self.known))
        batch.append([
            "id": .int(7), "name": .string("x"), "at": .timestamp(0),
            "home": .json(#"{"city":"Oslo"}"#),
        ])
        batch.metadata(0).pointee.timestamp = 0
        for part in try transform.split(batch) where !part.schema.isWhole {
            #expect(Set(part.schema.names).isSubset(of: after))
            #expect(part.takeRejections().isEmpty)
            for field in part.schema.fields {
                guard let said = outline.value.field(field.name)?.type else { continue }
                // Objects that are said to have certain fields have no others.
                if case .object = said { #expect(field.type == said || field.type == .json) }
            }
        }
    }

    @Test("every built-in transform is here")
    func all() {
        let missing = Set(builtInTransforms.map { $0.name }).subtracting(Self.cases.map(\.type))
        #expect(missing == ["Lookup"])
    }

    @Test("Lookup adds the fields it is told of, and makes others unknown")
    func lookup() throws {
        let values = ["field": "name", "path": "nowhere.csv", "key.column": "c"]
        var outline = RecordOutline(value: .only(Self.known))
        try Self.make("Lookup", values.merging(["values": "a,b", "prefix": "p_"]) { $1 })
            .trace(&outline)
        #expect(outline.value.all?.map(\.name) == Self.names + ["p_a", "p_b"])
        try Self.make("Lookup", values.merging(["field": "p_c"]) { $1 }).trace(&outline)
        #expect(outline.takeMisses().map(\.key) == ["field"])
        #expect(outline.value == .unknown)
    }

    @Test("keys are followed as values are")
    func keys() throws {
        var outline = RecordOutline(value: .only(Self.known))
        try Self.make("ValueToKey", ["fields": "id,name"]).trace(&outline)
        #expect(outline.key.all?.map(\.name) == ["id", "name"])
        let configuration = Configuration(["field": "ID"])
        try ExtractField(configuration: configuration, part: .key).trace(&outline)
        #expect(outline.takeMisses().first?.suggestion == "id")
        try Self.make("ValueToKey", ["fields": "id"]).trace(&outline)
        try ExtractField(configuration: Configuration(["field": "id"]), part: .key).trace(&outline)
        #expect(outline.key.wholeType == .int64)
        var grouped = RecordOutline(key: .only([Field("user")]))
        try Self.make("Aggregate", ["group.by.key": "true", "aggregates.n": "count"])
            .trace(&grouped)
        #expect(grouped.takeMisses().map(\.key) == ["group.by.key"])
    }

    @Test("lines have no fields until they are taken apart")
    func lines() throws {
        var outline = RecordOutline(value: .none())
        try Self.make("Filter", ["condition": ".status >= 500"]).trace(&outline)
        #expect(outline.takeMisses().map(\.key) == ["condition"])
        try Self.make("Parse", ["format": "combined", "on.error": "keep"]).trace(&outline)
        try Self.make("Filter", ["condition": ".status >= 500 or .message"]).trace(&outline)
        #expect(outline.takeMisses().isEmpty)
        try Self.make("Filter", ["condition": ".staus >= 500"]).trace(&outline)
        #expect(outline.takeMisses().first?.suggestion == "status")
    }
}
