import ConnectorSDK
import JSONRecords
import TestServices
import Testing
// Without it `split` is the one that all transforms have, and results of two schemas do not fit.
import Transforms

/// Programs and inputs, run by the `jq` command and by the transform.
@Suite("Jq and the jq command")
struct JqAgreementTests {
    static let inputs = [
        #"{"id":1,"customer":"Åsa Lindqvist","amount":249.9,"paid":true,"note":null,"#
            + #""tags":["eu","new"],"lines":[{"sku":"a","price":12.5,"n":2},{"sku":"b","#
            + #""price":0.01,"n":10}],"at":"2026-11-03T08:12:45Z","address":{"city":"Malmö","#
            + #""zip":"211 18"}}"#,
        #"{"id":2,"customer":"","amount":-0.5,"paid":false,"#
            + #""note":"line\nbreak \"quoted\" \u0000 \u2028 😀","tags":[],"lines":[],"#
            + #""at":"2024-02-29T23:59:59Z","address":{}}"#,
        #"{"id":9007199254740992,"customer":"x,y;\"z\"","amount":1e300,"paid":null,"#
            + #""tags":["a",["b",{"c":1}]],"lines":[{"sku":"c","price":1e-7,"n":1}],"#
            + #""at":"1970-01-01T00:00:00Z","address":{"city":"São Paulo","zip":null}}"#,
        #"{"id":0,"amount":0.1,"customer":"ŁÓDŹ <b>&'</b>","paid":true,"tags":["z","y","x"],"#
            + #""lines":[{"n":3}],"at":"2026-12-31T12:00:00Z","address":null}"#,
        "{}",
    ]

    static let programs = [
        ".", "{id, customer}", ".id", ".tags", ".tags[]", ".lines[]", ".lines[] | {sku, n}",
        ". + {total: ([.lines[]? | .price * .n] | add)}", "del(.lines, .tags)", "to_entries",
        "with_entries(.value |= tostring)", "select(.paid)", "select(.amount > 0 and .paid)",
        "{(.customer // \"nobody\"): .id}", ".address.city", ".address?.city?", ".tags | length",
        "[.tags[]? | tostring] | join(\"-\")", "(.customer // \"\") | ascii_downcase",
        "(.customer // \"\") | split(\" \")", "(.customer // \"\") | test(\"^[A-Z]\")",
        "(.customer // \"\") | [match(\"[a-z]+\"; \"g\").string]",
        "(.customer // \"\") | sub(\"(?<first>[a-z])\"; \"<\\(.first)>\")",
        "(.customer // \"\") | capture(\"(?<a>\\\\w+) (?<b>\\\\w+)\")",
        "(.at // \"2000-01-01T00:00:00Z\") | fromdate", "(.at // empty) | fromdate | todate",
        "(.at // empty) | strptime(\"%Y-%m-%dT%H:%M:%SZ\") | mktime",
        "(.amount // 0) | floor, sqrt?, tostring", "[.amount, .id] | map(. // 0) | add",
        ".lines | map(.price // 0) | max", "[.lines[]?.n] | sort | reverse",
        "(.tags // []) | unique",
        "(.lines // []) | group_by(.sku) | map({sku: .[0].sku, n: (map(.n) | add)})",
        "(.lines // []) | map(select(.n > 1)) | length", "paths", "[leaf_paths | join(\".\")?]",
        "tojson | fromjson", "tojson", "@json", "[.id, .customer] | @csv",
        "[.id, .customer] | @tsv",
        "(.customer // \"\") | @html, @uri, @base64, @sh", "\"id \\(.id): \\(.customer)\"",
        "if .paid then \"paid\" elif .paid == false then \"open\" else \"?\" end",
        "reduce (.lines // [])[] as $l (0; . + ($l.n // 0))",
        "foreach (.tags // [])[] as $t (0; . + 1; {i: ., t: ($t | tostring)})",
        "[limit(2; .lines[]?)]", "first(.lines[]?)", "[range(0; (.tags // []) | length)]",
        "def total: map(.n // 0) | add; (.lines // []) | total",
        ". as {id: $i, tags: [$t]} | [$i, $t]",
        "try error(\"x\") catch .", ".id as $i | [$i, $i * 2, $i / 4, $i % 3]", "[.[]] | length",
        "keys", "keys_unsorted", "map_values(type)", "any(.tags[]?; . == \"eu\")",
        "[splits(\"a\")?]",
        "(.note // \"\") | explode | implode", "(.note // \"\") | length, utf8bytelength",
        "env | type", "[.. | numbers]", "getpath([\"address\", \"city\"])?",
        "setpath([\"a\", \"b\"]; 1)",
        "walk(if type == \"number\" then . + 1 else . end)",
        "limit(3; repeat(1))", "[.tags, .lines] | flatten? // empty",
        "{a: 1.0, b: 100000000000000000000, c: 1e-5, d: 3.0e2, e: -0}",
        "[infinite, nan, -infinite]",
        "(.customer // \"\") * 2", ".a.b.c = 5", ".tags[1:]?", ".tags[-1]?", "(.tags // [])[0] = 9",
        ".address |= (. // {}) + {country: \"SE\"}", "[(1, 2) * (3, 4)]", ".id *= 2", "debug | .id",
        "error(\"always\")", ".customer + 1", ".id | keys", "{a: (1, 2), b: (3, 4)}", "empty",
        "[paths(type == \"number\")]", "indices(1)?",
        "(.customer // \"\") | indices(\"a\")",
        "ltrimstr(\"a\")",
        "(.customer // \"\") | ltrimstr(\"Å\"), rtrimstr(\"t\"), startswith(\"Å\")",
        "tostream", "fromstream(tostream)", "[.tags[]?] | transpose?", "combinations?",
        "now | type",
        "@text", "$__loc__", "label $f | .lines[]? | if .n == 10 then break $f else .n end",
        "[.lines[]? | .price] | @text", "min_by(.a)?", "(.lines // []) | sort_by(.n) | .[0]",
        "contains({paid: true})?", "inside({})?", "ascii_upcase?", "(.id // 0) | tojson | tonumber",
        "# only a comment\n.id # and another", ".id, # one\n.paid",
        "{a: 0.1, b: 0.001, c: 0.0001, d: 1e15, e: 999999999999999, f: 1e17, g: 123456.789012}",
        "{a: (0.1 + 0.2), b: (1 / 3), c: -2.50, d: 1e-300, e: 4.35, f: (4.35 * 100), g: -0.0}",
        "{a: 99999999.9999999, b: 0.000001, c: 1000000.000001, d: -999999999999.5, e: 5e-324}",
        "{\"\": 1, a: \"\", b: [], c: {}}", "{b: 1, a: 2} + {b: 3}",
        "if .paid then {x: 1, y: 2} else {y: 3, z: 4} end",
        "{x: 1}, {y: 2}, {x: 3, y: 4}, {y: 5, x: 6}",
        "[range(70)] | map({key: \"f\\(.)\", value: .}) | from_entries",
        "[.id, 7, -7] | map(. % -1)",
        "[(1.5, \"ab\", null, {a: 1}) as $a | (2, \"c\", {b: 2}) as $b | try ($a * $b) catch 0]",
        "path(.amount * 1)?, [.amount | path(. * 1)]", "(.amount, .id) *= 3",
        "[(.customer // \"\") | (index(\"a\"), rindex(\"a\"), indices(\"n\"))]",
        "[1, 2, 1] | indices(1)",
        "1425599621.678 | todate, todateiso8601, strftime(\"%A %j\"), strflocaltime(\"%Y %Z\")",
        "[5, -5, 1e19] | map(. % 3, . % -3)", ".note", "{note, tags, address}",
    ]

    /// For each input the array of all results, or `"failed"`.
    static func command(_ program: String) async throws -> [String] {
        let directory = try TemporaryDirectory()
        let result = try await Command.run(
            ["jq", "-c", "try [(\(program)\n)] catch \"failed\""],
            in: directory.path,
            input: inputs.joined(separator: "\n")
        )
        try #require(result.exitCode == 0, "\(result.errors)")
        return result.output.split(separator: "\n").map(String.init)
    }

    static func ours(_ program: String) throws -> [String] {
        let transform = try JqTests.transform(program, ["numbers": "double"])
        let parser = JSONRecordParser()
        let writer = JSONRecordWriter()
        return try inputs.map { input in
            let batch = RecordBatch()
            batch.reset(topic: "t")
            parser.begin(batch)
            try #require(parser.append(batch.arena.copy(input), to: batch) == .parsed)
            batch.rawIsJSON = true
            var results: [String] = []
            for part in try transform.split(batch) {
                for row in part.indices {
                    let output = OutputBuffer(capacity: 1 << 10)
                    if part.schema.isOpaque, !part.metadata(row).pointee.isTombstone {
                        output.append(part[row, 0].slice)
                    } else {
                        try writer.writeValue(part, row: row, into: output)
                    }
                    results.append(String(decoding: output.bytes, as: UTF8.self))
                }
            }
            let isRejected = !batch.takeRejections().isEmpty
            return isRejected ? "\"failed\"" : "[" + results.joined(separator: ",") + "]"
        }
    }

    @Test("give the same results", arguments: programs)
    func agree(_ program: String) async throws {
        let expected = try await Self.command(program)
        let actual = try Self.ours(program)
        try #require(expected.count == Self.inputs.count)
        for (index, input) in Self.inputs.enumerated() {
            #expect(actual[index] == expected[index], "\(program) of \(input)")
        }
    }
}
