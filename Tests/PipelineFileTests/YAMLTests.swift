import PipelineEngine
import PipelineFile
import Testing

@Suite("YAML of pipeline files")
struct YAMLTests {
    /// Reads a file of one source with `keys` in it, and returns its configuration.
    private func values(_ keys: String) throws -> [String: String] {
        let lines = keys.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        let text = "pipeline: p\nsources:\n  s:\n    connector: csv\n" + lines
        let file = PipelineFile(text: text, path: "p.yaml")
        #expect(file.findings.map(\.description) == [])
        return try #require(file.definition.connectors.first).values
    }

    @Test(
        "a value is the text that was written",
        arguments: [
            ("007", "007"), ("1.10", "1.10"), ("yes", "yes"), ("1e3", "1e3"), ("0x10", "0x10"),
            ("'it''s'", "it's"), (#""a\tb""#, "a\tb"), ("7d", "7d"), ("2026-01-02", "2026-01-02"),
            (".amount > 0", ".amount > 0"), ("''", ""), ("True", "True"), ("'null'", "null"),
            ("${env:HOME}/in", "${env:HOME}/in"), ("12_000", "12_000"), ("a # comment", "a"),
        ]
    )
    func scalars(written: String, text: String) throws {
        #expect(try values("key: \(written)") == ["key": text])
    }

    @Test("maps join by dots and lists by commas, in block and flow style")
    func flattening() throws {
        let keys = """
            errors: {tolerance: all, deadletterqueue: {topic.name: dead}}
            key.fields: [id, region]
            types:
              amount: decimal
              a.b: int
            topics:
            - one
            - two
            none: []
            tasks: 3
            """
        #expect(
            try values(keys) == [
                "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead",
                "key.fields": "id,region", "types.amount": "decimal", "types.a.b": "int",
                "topics": "one,two", "none": "", "tasks.max": "3",
            ]
        )
    }

    @Test("a list of transforms becomes names with nested keys")
    func transformList() throws {
        let keys = """
            transforms:
              - {type: Cast, spec: {amount: decimal}}
              - type: Filter
                condition: '.amount > 0'
            """
        #expect(
            try values(keys) == [
                "transforms": "t1,t2", "transforms.t1.type": "Cast",
                "transforms.t1.spec.amount": "decimal", "transforms.t2.type": "Filter",
                "transforms.t2.condition": ".amount > 0",
            ]
        )
    }

    @Test("transforms may carry names of their own, as a map or in Kafka Connect's form")
    func transformNames() throws {
        let expected = [
            "transforms": "paid,cast", "transforms.paid.type": "Filter",
            "transforms.cast.type": "Cast",
        ]
        let map = "transforms:\n  paid: {type: Filter}\n  cast: {type: Cast}"
        #expect(try values(map) == expected)
        let flat = "transforms: paid,cast\ntransforms.paid.type: Filter\ntransforms.cast.type: Cast"
        #expect(try values(flat) == expected)
        let list =
            "transforms: [paid, cast]\ntransforms.paid.type: Filter\n"
            + "transforms.cast: {type: Cast}"
        #expect(try values(list) == expected)
    }

    @Test("aliases and merge keys stand for what they name; a map's own keys win")
    func merging() throws {
        let text = """
            pipeline: p
            sources:
              a: &base
                connector: csv
                topic: t
                errors: &errors {tolerance: all}
              b:
                <<: *base
                topic: u
              c:
                connector: json
                errors: *errors
            """
        let file = PipelineFile(text: text, path: "p.yaml")
        #expect(file.findings.map(\.description) == [])
        let connectors = file.definition.connectors
        #expect(connectors.map(\.plugin) == ["csv", "csv", "json"])
        #expect(connectors[1].values == ["topic": "u", "errors.tolerance": "all"])
        #expect(connectors[2].values == ["errors.tolerance": "all"])
    }

    @Test(
        "bad YAML is a finding with its place and a way out",
        arguments: [
            ("", "p.yaml:1:1: error: the file is empty"),
            ("# nothing\n", "p.yaml:1:1: error: the file holds nothing but comments"),
            ("- a\n", "p.yaml:1:1: error: a pipeline file is a map, but a list was found"),
            (
                "pipeline: p\nsources:\n\ta: 1\n",
                "p.yaml:3:1: error: a tab is used to indent; YAML allows spaces only"
            ),
            (
                "pipeline: p\npipeline: q\n",
                "p.yaml:2:1: error: `pipeline` is given twice; the first is at 1:1"
            ),
            (
                "pipeline: p\nsources:\n  s:\n    topic: a\n    other: x\n    'topic': b\n",
                "p.yaml:6:5: error: `topic` is given twice; the first is at 4:5"
            ),
            (
                "pipeline: p\nsources:\n  s: {include: *.csv}\n",
                "p.yaml:3:17: error: this is not YAML: did not find expected alphabetic or "
                    + "numeric character; put quotes around a value that begins with `*` or `&`"
            ),
            (
                "pipeline: a: b\n",
                "p.yaml:1:12: error: this is not YAML: mapping values are not allowed in this "
                    + "context; put quotes around a value that contains `: `, and check the "
                    + "indentation"
            ),
            (
                "pipeline: @x\n",
                "p.yaml:1:11: error: this is not YAML: found character that cannot start any "
                    + "token; put quotes around a value that begins with `@`"
            ),
            (
                "pipeline: p\n---\npipeline: q\n",
                "p.yaml:2:1: error: a second document begins here; put each pipeline into a file "
                    + "of its own"
            ),
            (
                "pipeline: !env NAME\n",
                "p.yaml:1:11: error: the tag `!env` is not supported; references are written "
                    + "${env:NAME}"
            ),
            (
                "? [a, b]\n: 1\n",
                "p.yaml:1:1: error: a key must be a single word; `? ` keys are not supported"
            ),
            (
                "{[a]: 1}\n",
                "p.yaml:1:2: error: a key must be a single word, not a list or a map"
            ),
            (
                "pipeline: p\nsources:\n  <<: 5\n",
                "p.yaml:3:7: error: `<<` takes a map or a list of maps, such as `<<: *base`"
            ),
        ]
    )
    func badYAML(text: String, finding: String) {
        let file = PipelineFile(text: text, path: "p.yaml")
        #expect(file.findings.map(\.description) == [finding])
    }

    @Test("nested aliases that stand for billions of values are refused at once")  // D9
    func aliasBomb() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let file = PipelineFile(text: text, path: "p.yaml")
        let finding = try #require(file.findings.first)
        #expect(finding.message.contains("once aliases are expanded"))
    }

    @Test("values nested a thousand deep are refused, without a crash", arguments: [100, 100_000])
    func nesting(depth: Int) throws {
        let text =
            "a: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(PipelineFile(text: text, path: "p.yaml").findings.count == 1)
    }

    @Test("a file that cannot be read is a finding, not a crash")
    func unreadable() {
        let missing = PipelineFile(path: "/nonexistent/p.yaml")
        #expect(
            missing.findings.map(\.description)
                == ["/nonexistent/p.yaml: error: cannot be read: No such file or directory"]
        )
        #expect(
            PipelineFile(path: "/tmp").findings.map(\.description)
                == ["/tmp: error: is a directory; name the files in it"]
        )
    }
}
