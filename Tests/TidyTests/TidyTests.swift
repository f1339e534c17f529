import Foundation
import TestServices
import Testing

/// Rules that no linter knows, kept by a test so that they hold.
@Suite("Tidy")
struct TidyTests {
    struct Rule: Sendable {
        var token: String
        var isAllowed: @Sendable (String) -> Bool
        var instead: String
    }

    // The tokens are written in two pieces, so that this file does not break its own rules.
    static let rules: [Rule] = [
        Rule(
            token: "Task.det" + "ached",
            isAllowed: { _ in false },
            instead: "a child task of an owner"
        ),
        Rule(
            token: "try" + "!",
            isAllowed: { $0.contains("Tests/") },
            instead: "a typed error"
        ),
        Rule(
            token: "OpaquePoi" + "nter",
            isAllowed: { $0.hasSuffix("Handle.swift") },
            instead: "the handle that owns the C object"
        ),
        // It reads beyond the end of a directory's entries, and the whole run ends by a signal.
        Rule(
            token: "= Proc" + "ess()",
            isAllowed: { _ in false },
            instead: "TestServices.Program or Command"
        ),
        Rule(
            token: "import Found" + "ation",
            isAllowed: { path in
                path.contains("Tests/") || path.hasPrefix("Sources/millrace/")
                    || path.hasPrefix("Sources/PipelineFile/")
            },
            instead: "Glibc: Foundation is slow to start and slow on the record path"
        ),
    ]

    @Test("a file fits on a few screens", arguments: SourceFiles.swift)
    func fileLength(_ path: String) throws {
        let isTest = SourceFiles.tests.contains(path)
        #expect(try SourceFiles.lines(path).count <= (isTest ? 500 : 400))
    }

    // Without one, the library asks the runtime for the type's name, which looks through every
    // conformance in the process: nine milliseconds, nearly half of the start, went there.
    @Test("a command says its own name", arguments: SourceFiles.product)
    func commandNames(_ path: String) throws {
        let lines = try SourceFiles.lines(path)
        for (index, line) in lines.enumerated() where line.hasSuffix(" CommandConfiguration(") {
            #expect(lines[index + 1].contains("commandName: "), "\(path):\(index + 2)")
        }
        #expect(!lines.contains { $0.contains(" CommandConfiguration(abstract") }, "\(path)")
    }

    @Test("a function fits on a screen", arguments: SourceFiles.product)
    func functionLength(_ path: String) throws {
        let lines = try SourceFiles.lines(path)
        for (index, line) in lines.enumerated() where Self.startsFunction(line) {
            let indent = line.prefix { $0 == " " }.count
            let closing = String(repeating: " ", count: indent) + "}"
            // A requirement of a protocol has no body: nothing opens before the next blank line.
            let signature = lines[index...].prefix { !$0.isEmpty }
            guard let opening = signature.firstIndex(where: { $0.hasSuffix("{") }) else { continue }
            guard !lines[index...opening].contains(where: { $0.hasSuffix("}") }) else { continue }
            let end = lines[index...].firstIndex { $0 == closing } ?? index
            #expect(end - index <= 60, "\(path):\(index + 1) has \(end - index) lines")
        }
    }

    @Test("no banned token", arguments: SourceFiles.swift)
    func bannedTokens(_ path: String) throws {
        let text = try SourceFiles.text(path)
        for rule in Self.rules where !rule.isAllowed(path) {
            #expect(
                !text.contains(rule.token),
                "\(path): `\(rule.token)` is banned; use \(rule.instead)"
            )
        }
    }

    @Test("an unchecked promise says who keeps it", arguments: SourceFiles.swift)
    func safetyParagraphs(_ path: String) throws {
        let lines = try SourceFiles.lines(path)
        let promises = ["@unchecked Sen" + "dable", "nonisolated(uns" + "afe)"]
        for (index, line) in lines.enumerated()
        where promises.contains(where: { line.contains($0) }) {
            let nearby = lines[max(0, index - 8)...min(lines.count - 1, index + 8)]
            #expect(
                nearby.contains { $0.contains("// SAFETY:") },
                "\(path):\(index + 1) has no SAFETY paragraph"
            )
        }
    }

    @Test("every invariant is cited in code and in a test")
    func invariants() throws {
        let text = try SourceFiles.text("docs/invariants.md")
        let numbers = text.matches(of: #/(?m)^## (D\d+) /#).map { String($0.1) }
        #expect(numbers.count >= 10)
        let product = try SourceFiles.product.map(SourceFiles.text)
        let tests = try SourceFiles.tests.map(SourceFiles.text)
        for number in numbers {
            let pattern = try Regex("\\b\(number)\\b")
            #expect(product.contains { $0.contains(pattern) }, "no code cites \(number)")
            #expect(tests.contains { $0.contains(pattern) }, "no test cites \(number)")
        }
    }

    private static func startsFunction(_ line: Substring) -> Bool {
        let words = line.split(separator: " ")
        return words.contains("func") || words.contains { $0.hasPrefix("init(") }
    }
}
