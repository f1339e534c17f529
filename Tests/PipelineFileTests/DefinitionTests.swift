import PipelineEngine
import PipelineFile
import Testing
import Topics

@Suite("Pipeline definitions")
struct DefinitionTests {
    @Test("topics take partitions and Kafka's topic settings")
    func topics() throws {
        let text = """
            pipeline: p
            topics:
              orders: {partitions: 4, retention.ms: 7d, cleanup.policy: compact}
              plain:
            sources:
              s: {connector: csv, topic: orders}
            """
        let file = PipelineFile(text: text, path: "p.yaml")
        #expect(file.findings.map(\.description) == [])
        let topics = file.definition.topics
        #expect(topics.map(\.name) == ["orders", "plain"])
        #expect(topics.map(\.partitions) == [4, 1])
        #expect(topics[0].settings.cleanupPolicy == .compact)
        #expect(topics[0].settings.retentionMilliseconds == 604_800_000)
    }

    @Test("every key and value keeps its place")
    func places() throws {
        let text = """
            pipeline: p
            sources:
              s:
                connector: csv
                errors:
                  tolerance:   all
                transforms:
                  - {type: Cast, spec: {a: int}}
            """
        let map = PipelineFile(text: text, path: "p.yaml").sourceMap
        #expect(map["sources.s"]?.key == Mark(line: 3, column: 3))
        #expect(map["sources.s.connector.class"]?.value == Mark(line: 4, column: 16))
        #expect(map["sources.s.errors.tolerance"]?.key == Mark(line: 6, column: 7))
        #expect(map["sources.s.errors.tolerance"]?.value == Mark(line: 6, column: 20))
        #expect(map["sources.s.transforms.t1.spec.a"]?.key == Mark(line: 8, column: 29))
        #expect(map.nearest(to: "sources.s.errors.other")?.key == Mark(line: 3, column: 3))
    }

    @Test("tests keep records as topics hold them")
    func tests() throws {
        let text = """
            pipeline: p
            sources:
              s: {connector: csv, topic: t}
            tests:
              - name: keeps digits
                connector: s
                input:
                  - value: {id: 1, amount: 1.10, code: '007', zip: 007, ok: true, no: ~, list: [1, a]}
                  - {key: k1, value: 'raw text', headers: {trace: 12}}
                  - {key: {id: 2}, value: ~}
                output: []
                rejected: 3
            """
        let file = PipelineFile(text: text, path: "p.yaml")
        #expect(file.findings.map(\.description) == [])
        let test = try #require(file.definition.tests.first)
        #expect(test.name == "keeps digits")
        #expect(test.rejected == 3)
        #expect(test.expected.isEmpty)
        #expect(
            test.input == [
                .init(
                    value: #"{"id":1,"amount":1.10,"code":"007","zip":"007","ok":true,"no":null,"#
                        + #""list":[1,"a"]}"#
                ),
                .init(key: "k1", value: "raw text", headers: [.init(key: "trace", value: "12")]),
                .init(key: #"{"id":2}"#, value: nil),
            ]
        )
    }

    @Test(
        "a definition that cannot be meant is a finding with its place",
        arguments: [
            (
                "sources:\n  s: {connector: csv}\n",
                "p.yaml:1:1: error: pipeline: is required: the pipeline's name, such as "
                    + "`pipeline: orders`"
            ),
            (
                "pipeline:\nsources:\n  s: {connector: csv}\n",
                "p.yaml:1:10: error: pipeline: must be the pipeline's name"
            ),
            ("pipeline: p\n", "p.yaml:1:1: error: sources: the file has neither sources nor sinks"),
            (
                "pipeline: p\nsource:\n  s: {connector: csv}\n",
                "p.yaml:2:1: error: source: is not a known key; the keys here are pipeline, "
                    + "broker, topics, sources, sinks, tests (did you mean \"sources\"?)"
            ),
            (
                "pipeline: p\nsources:\n  s: {topic: t, conector: csv}\n",
                "p.yaml:3:17: error: sources.s.conector: is not a known key "
                    + "(did you mean \"connector\"?)"
            ),
            (
                "pipeline: p\nsinks:\n  s:\n    type: csv\n",
                "p.yaml:4:5: error: sinks.s.type: is not a known key "
                    + "(did you mean \"connector\"?)"
            ),
            (
                "pipeline: p\nsources: [csv]\n",
                "p.yaml:2:10: error: sources: must be a map of names, but a list was found"
            ),
            (
                "pipeline: p\nsources:\n  s: csv\n",
                "p.yaml:3:6: error: sources.s: must be a map with `connector` and its keys, but "
                    + "a single value was found"
            ),
            (
                "pipeline: p\nsources:\n  s:\n    topic: t\n",
                "p.yaml:3:3: error: sources.s.connector: is required: what kind of source this "
                    + "is; `millrace plugins list` shows them"
            ),
            (
                "pipeline: p\nsources:\n  s: {connector: csv, topic: }\n",
                "p.yaml:3:30: error: sources.s.topic: has no value; remove the key, or write '' "
                    + "for empty text"
            ),
            (
                "pipeline: p\nsources:\n  s: {connector: csv, include: ['a,b.csv']}\n",
                "p.yaml:3:33: error: sources.s.include: an item of a list must not contain a comma"
            ),
            (
                "pipeline: p\nsources:\n  s: {connector: csv, include: [{a: 1}]}\n",
                "p.yaml:3:33: error: sources.s.include: a list here holds single values, but a "
                    + "map was found"
            ),
            (
                "pipeline: p\nsources:\n  s: {connector: csv, a.b: 1, a: {b: 2}}\n",
                "p.yaml:3:35: error: sources.s.a.b: is given twice; the first is at 3:23"
            ),
            (
                "pipeline: p\nsources:\n  s: {connector: csv}\nsinks:\n  s: {connector: csv}\n",
                "p.yaml:5:3: error: sinks.s: there is a source of the same name; names of "
                    + "connectors must differ"
            ),
            (
                "pipeline: p\nsources:\n  a/b: {connector: csv}\n",
                "p.yaml:3:3: error: sources.a/b: the name may hold only letters, digits, `.`, "
                    + "`_`, `-` and spaces"
            ),
            (
                "pipeline: p\ntopics:\n  o: {partitons: 4}\nsources:\n  s: {connector: csv}\n",
                "p.yaml:3:7: error: topics.o.partitons: is not a known key "
                    + "(did you mean \"partitions\"?)"
            ),
            (
                "pipeline: p\ntopics:\n  o: {partitions: 0}\nsources:\n  s: {connector: csv}\n",
                "p.yaml:3:19: error: topics.o.partitions: must be a whole number, 1 ... 4000"
            ),
            (
                "pipeline: p\ntopics:\n  o o:\nsources:\n  s: {connector: csv}\n",
                "p.yaml:3:3: error: topics.o o: the topic's name may hold only letters, digits, "
                    + "`.`, `_` and `-`"
            ),
            (
                "pipeline: p\nsources:\n  s:\n    connector: csv\n    transforms:\n"
                    + "      - {type: Cast}\n      - Filter\n",
                "p.yaml:7:9: error: sources.s.transforms: each item must be a map with `type`, "
                    + "as the others are"
            ),
            (
                "pipeline: p\nsources:\n  s: {connector: csv}\ntests:\n  - connector: t\n"
                    + "    input: []\n    output: []\n",
                "p.yaml:5:16: error: tests[1].connector: there is no source or sink `t` in this "
                    + "file (did you mean \"s\"?)"
            ),
            (
                "pipeline: p\nsources:\n  s: {connector: csv}\ntests:\n  - connector: s\n"
                    + "    input: [{id: 1}]\n    output: []\n",
                "p.yaml:6:13: error: tests[1].input[1]: a record needs `value`, such as "
                    + "`value: {id: 1}`"
            ),
        ]
    )
    func badDefinitions(text: String, finding: String) {
        let file = PipelineFile(text: text, path: "p.yaml")
        #expect(file.findings.map(\.description) == [finding])
    }
}
