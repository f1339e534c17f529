import ConnectorSDK
import ConnectorTesting
import Testing

@testable import FileConnector

@Suite("File source")
struct FileSourceTests {
    let fixture: FileSourceFixture

    init() throws { fixture = try FileSourceFixture() }

    @Test("keeps the source contract", arguments: SourceRequirement.allCases)
    func conformance(_ requirement: SourceRequirement) async throws {
        let count = RecordBatch.rowLimit + 500
        for file in 0..<3 {
            let lines = (0..<count).map { "file \(file) line \($0)\n" }
            try fixture.write(lines.joined(), to: "in/\(file).txt", age: Double(100 - file))
        }
        let moves = requirement == .acknowledgesOnlyAfterDurable
        let scenario = SourceScenario(
            recordCount: count * 3,
            hasLetGo: { fixture.names("in").count < 3 },
            makeSource: {
                try fixture.source([
                    "include": "in/*.txt", "cleanup.policy": moves ? "move" : "none",
                    "finished.path": "done",
                ])
            }
        )
        try await scenario.verify(requirement)
    }

    @Test("reads the oldest file first, or goes by name")
    func order() async throws {
        try fixture.write("new\n", to: "a.txt", age: 10)
        try fixture.write("old\n", to: "b.txt", age: 30)
        try fixture.write("middle\n", to: "c.txt", age: 20)
        #expect(try await fixture.run().texts == ["old", "middle", "new"])
        #expect(try await fixture.run(["files.sort": "name"]).texts == ["new", "old", "middle"])
    }

    @Test("leaves out what exclude matches, by path or by name")
    func exclude() async throws {
        try fixture.write("a\n", to: "in/a.txt")
        try fixture.write("b\n", to: "in/b.txt")
        try fixture.write("c\n", to: "in/sub/c.txt")
        let outlet = try await fixture.run([
            "include": "in/**/*.txt", "exclude": "b.*,in/sub/**", "files.sort": "name",
        ])
        #expect(outlet.texts == ["a"])
    }

    @Test("reads files of several patterns, with alternatives, each once")
    func patterns() async throws {
        for name in ["a.log", "b.txt", "c.csv"] { try fixture.write("\(name)\n", to: name) }
        let outlet = try await fixture.run([
            "include": "*.{log,txt}, a.*,c.csv", "files.sort": "name",
        ])
        #expect(outlet.texts == ["a.log", "b.txt", "c.csv"])
    }

    @Test("a file younger than the minimum age is left for later")
    func minimumAge() async throws {
        try fixture.write("old\n", to: "old.txt", age: 120)
        try fixture.write("young\n", to: "young.txt", age: 0)
        let values = ["file.minimum.age.ms": "1m"]
        let first = try await fixture.run(values)
        #expect(first.texts == ["old"])
        try fixture.setAge(120, of: "young.txt")
        #expect(try await fixture.run(values, from: first.positions).texts == ["young"])
    }

    @Test("a renamed file is not a new file")
    func rename() async throws {
        try fixture.write("one\n", to: "a.txt")
        let first = try await fixture.run()
        try fixture.rename("a.txt", to: "b.txt")
        #expect(try await fixture.run(from: first.positions).texts == [])
    }

    @Test("new content under an old name is a new file")
    func replaced() async throws {
        try fixture.write("one\n", to: "a.txt")
        let first = try await fixture.run()
        try fixture.remove("a.txt")
        try fixture.write("two\n", to: "a.txt")
        #expect(try await fixture.run(from: first.positions).texts == ["two"])
        // In place, so that the inode stays.
        let second = try await fixture.run(from: first.positions)
        try fixture.write("three\n", to: "a.txt")
        #expect(try await fixture.run(from: second.positions).texts == ["three"])
    }

    @Test("a file that was short once is not taken for another that begins like it")
    func rewrittenBehindHeader() async throws {
        try fixture.write("header\n", to: "a.txt")
        var outlet = try await fixture.run()
        try fixture.append("old\n", to: "a.txt")
        outlet = try await fixture.run(from: outlet.positions)
        #expect(outlet.texts == ["old"])
        // Written over in place: the same inode, and the same first line.
        try fixture.overwrite("header\nnew\nmore\n", in: "a.txt")
        outlet = try await fixture.run(from: outlet.positions)
        #expect(outlet.texts == ["header", "new", "more"])
    }

    @Test("two files of equal content are two files")
    func equalContent() async throws {
        try fixture.write("same\n", to: "a.txt")
        try fixture.write("same\n", to: "b.txt")
        let outlet = try await fixture.run()
        #expect(outlet.texts == ["same", "same"])
        #expect(outlet.positions.count == 2)
    }

    @Test("a file that has grown is read on from where it ended")
    func grown() async throws {
        try fixture.write("one\n", to: "a.txt")
        let first = try await fixture.run()
        try fixture.append("two\n", to: "a.txt")
        let second = try await fixture.run(from: first.positions)
        #expect(second.texts == ["two"])
        #expect(second.records.map(\.line) == [2])
        #expect(second.positions.count == 1)
    }

    @Test("polling finds new files and stops when told to")
    func polling() async throws {
        let outlet = try await fixture.run(["poll.interval.ms": "1s"]) { outlet in
            outlet.stopAfterIdling = 3
            outlet.onIdle = { number in
                if number < 2 { try fixture.write("\(number)\n", to: "\(number).txt") }
                if number == 2 { try fixture.append("more\n", to: "0.txt") }
            }
        }
        #expect(outlet.texts == ["0", "1", "more"])
    }

    @Test("tasks share the files: each is read by one of them, also after a rename")
    func tasks() async throws {
        for file in 0..<20 { try fixture.write("\(file)\n", to: "\(file).txt") }
        var all: [String] = []
        var positions: [String: String] = [:]
        for task in 0..<3 {
            let source = try fixture.source(task: task, of: 3)
            let outlet = RecordingOutlet(for: source)
            try await source.run(from: [:], into: outlet)
            #expect(outlet.texts.count < 20)
            all += outlet.texts
            positions.merge(outlet.positions) { $1 }
        }
        #expect(all.sorted() == (0..<20).map(String.init).sorted())
        for file in 0..<20 { try fixture.rename("\(file).txt", to: "renamed-\(file).txt") }
        // Another number of tasks finds the positions of all.
        #expect(try await fixture.run(from: positions).texts == [])
    }

    @Test("a position survives whatever a path or a format's state holds")
    func positionRoundTrip() throws {
        for text in [
            "", "plain", "\"\\/\u{0}\u{1f}\u{7f}", "\n\r\t", "ü€😀", "{\"a\":1}", "\\u0041",
        ] {
            var position = FilePosition(path: text)
            position.reader = ReaderPosition(byte: .max, line: 3, record: 4, state: text)
            position.error = text
            position.isDone = true
            #expect(FilePosition(position.text) == position)
        }
    }

    @Test(
        "a stored position that is none is an error, not a crash",
        arguments: [
            "", "{", "{}", "[]", "{\"byte\":-1}", "{\"byte\":1e3}", "{\"byte\":\"x\"}",
            String(repeating: "[", count: 100_000), "{\"byte\":99999999999999999999}",
        ]
    )
    func badPosition(_ text: String) async throws {
        #expect(FilePosition(text) == nil)
        await #expect(throws: ConnectorError.self) {
            _ = try await fixture.run(from: ["{\"fingerprint\":\"0\"}": text])
        }
    }

    @Test("records get the headers asked for")
    func headers() async throws {
        let path = try fixture.write("one\ntwo\n", to: "a.txt")
        let all = FileHeader.allCases.map(\.rawValue).joined(separator: ",")
        let records = try await fixture.run(["file.headers": all]).records
        let second = try #require(records.last).headers
        #expect(second.map(\.key).sorted() == FileHeader.allCases.map(\.rawValue).sorted())
        let values = Dictionary(
            uniqueKeysWithValues: second.map {
                ($0.key, String(decoding: $0.value ?? [], as: UTF8.self))
            }
        )
        #expect(values["file.path"] == path)
        #expect(values["file.name"] == "a.txt")
        #expect(values["file.offset"] == "4")
        #expect(values["file.line"] == "2")
        #expect(values["file.length"] == "8")
        #expect(try #require(values["file.last.modified"]).hasSuffix("Z"))
        #expect(try await fixture.run().records.allSatisfy { $0.headers.isEmpty })
        let shared = try await fixture.run(["file.headers": "file.name"]).records
        #expect(
            shared.map(\.headers)
                == Array(
                    repeating: [.init("file.name", Array("a.txt".utf8))],
                    count: 2
                )
        )
    }

    @Test(
        "a configuration that cannot work names its key",
        arguments: [
            (["include": "[a.txt"], "include"), (["include": "{a,b"], "include"),
            (["exclude": "[z-a]"], "exclude"), (["cleanup.policy": "move"], "finished.path"),
            (["file.headers": "file.colour"], "file.headers"), (["format": "yaml"], "format"),
            (["charset": "ebcdic"], "charset"),
        ]
    )
    func badConfiguration(_ values: [String: String], _ key: String) throws {
        let error = #expect(throws: ConnectorError.self) { try fixture.source(values) }
        #expect(error?.configurationKey == key)
        #expect(error?.kind == .configuration)
    }

    @Test("a path that names no file is an error; a pattern that matches none is not")
    func missing() async throws {
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await fixture.run(["include": "nothing.csv"])
        }
        #expect(error?.kind == .environment)
        #expect(try await fixture.run(["include": "nothing/*.csv"]).sent.isEmpty)
    }
}
