import ConnectorSDK
import Foundation
import SyslogMessages
import TestServices
import Testing
import TextParsing

/// Compares with parsers from PyPI on generated lines; `scripts/setup test` installs them.
@Suite(
    "Lines and the parsers of others",
    .enabled(if: FileManager.default.isExecutableFile(atPath: Products.python))
)
struct ReferenceTests {
    /// What Python's parser says of each line; it understands all of them.
    private func reference(
        _ format: String,
        _ lines: [String]
    ) async throws -> [(line: String, expected: [String: Any])] {
        let directory = try TemporaryDirectory()
        let path = directory.file("lines")
        try (lines.joined(separator: "\n") + "\n").write(
            toFile: path,
            atomically: true,
            encoding: .utf8
        )
        let script = Products.root + "/Tests/TextParsingTests/reference.py"
        let result = try await Command.run([Products.python, script, format, path], in: "/tmp")
        try #require(result.exitCode == 0, "\(result.errors)")
        let found = result.output.split(separator: "\n")
        try #require(found.count == lines.count)
        return try zip(lines, found).map { line, text in
            let data = Data(text.utf8)
            let value = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
            return (line, try #require(value as? [String: Any], "\(line)"))
        }
    }

    private func text(_ value: Any?) -> Value {
        switch value {
        case let text as String: .string(text)
        case let number as NSNumber: .int(number.int64Value)
        default: .null
        }
    }

    @Test("combined lines mean what apachelogs says they do")
    func combined() async throws {
        var random = LineGenerator(seed: 1)
        let found = try await reference("combined", (0..<2_000).map { _ in random.combined() })
        let fixture = LineParserFixture(AccessLogParser(.combined))
        for (line, expected) in found {
            let own = fixture.parse(line)
            for name in ["host", "identity", "user", "status", "size", "referrer", "agent"] {
                #expect(own[name] == text(expected[name]), "\(name): \(line)")
            }
            guard case .timestamp(let micros) = own["timestamp"] else {
                Issue.record("no time: \(line)")
                continue
            }
            #expect(.int(micros) == text(expected["timestamp"]), "\(line)")
            var request = own["request"] ?? .null
            if case .string(let method) = own["method"], case .string(let path) = own["path"],
                case .string(let version) = own["protocol"]
            {
                request = .string("\(method) \(path) \(version)")
            }
            #expect(request == text(expected["request"]), "\(line)")
        }
    }

    private func priority(_ own: LineParserFixture.Outcome) -> Int? {
        guard case .string(let facility) = own["facility"],
            case .string(let severity) = own["severity"],
            let high = SyslogNames.facilities.firstIndex(of: facility),
            let low = SyslogNames.severities.firstIndex(of: severity)
        else { return nil }
        return high * 8 + low
    }

    @Test("messages of RFC 5424 mean what syslog-rfc5424-parser says they do")
    func rfc5424() async throws {
        var random = LineGenerator(seed: 2)
        let found = try await reference("rfc5424", (0..<1_000).map { _ in random.rfc5424() })
        let fixture = LineParserFixture(SyslogLineParser(zone: .utc))
        for (line, expected) in found {
            let own = fixture.parse(line)
            #expect(priority(own) == (expected["priority"] as? Int), "\(line)")
            for name in ["hostname", "appname", "procid", "msgid", "message"] {
                var value = own[name] ?? .null
                if value == .string("") { value = .null }
                #expect(value == text(expected[name]), "\(name): \(line)")
            }
            var time = Value.null
            if case .timestamp(let micros) = own["timestamp"] { time = .int(micros) }
            #expect(time == text(expected["timestamp"]), "\(line)")
            var data: NSDictionary?
            if case .json(let json) = own["structured_data"] {
                data = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? NSDictionary
            }
            #expect(data == expected["data"] as? NSDictionary, "\(line)")
        }
    }

    @Test("messages of RFC 3164 mean what syslogmp says they do")
    func rfc3164() async throws {
        var random = LineGenerator(seed: 3)
        let found = try await reference("rfc3164", (0..<500).map { _ in random.rfc3164() })
        let fixture = LineParserFixture(SyslogLineParser(zone: .utc))
        for (line, expected) in found {
            let own = fixture.parse(line)
            #expect(priority(own) == (expected["priority"] as? Int), "\(line)")
            #expect(own["hostname"] == text(expected["hostname"]), "\(line)")
            guard case .timestamp(let micros) = own["timestamp"],
                case .string(let rest) = own["message"]
            else {
                Issue.record("no time or message: \(line)")
                continue
            }
            // The tag is a part of the message there.
            var message = rest
            if case .string(let tag) = own["appname"] {
                var process = ""
                if case .string(let id) = own["procid"] { process = "[\(id)]" }
                message = "\(tag)\(process): \(rest)"
            }
            #expect(.string(message) == text(expected["message"]), "\(line)")
            let date = TimeText.text(milliseconds: micros / 1_000)
            let time = expected["time"] as? String ?? ""
            #expect(date.contains(time.replacingOccurrences(of: " ", with: "T")), "\(line)")
        }
    }
}
