import ConnectorSDK
import Glibc

/// Checks what stands between `${` and `}`, without resolving anything.
internal enum ReferenceSyntax {
    internal struct Problem {
        internal var message: String
        internal var suggestion: String?
        internal var severity = Finding.Severity.error
    }

    /// Resolved when a connector starts.
    private static let providers = ["env", "file", "directory"]
    /// Filled in per record.
    private static let placeholders = [
        "topic", "partition", "timestamp", "table", "field", "stream",
    ]

    internal static func problems(in text: String) -> [Problem] {
        var problems: [Problem] = []
        var rest = text[...]
        while let open = rest.firstRange(of: "${") {
            guard let close = rest[open.upperBound...].firstIndex(of: "}") else {
                return problems + [Problem(message: "`${` has no closing `}`")]
            }
            if let problem = problem(with: rest[open.upperBound..<close]) {
                problems.append(problem)
            }
            rest = rest[rest.index(after: close)...]
        }
        return problems
    }

    private static func problem(with inside: Substring) -> Problem? {
        let parts = inside.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        let word = String(parts[0])
        guard providers.contains(word) || placeholders.contains(word) else {
            let names = providers.map { "${\($0):…}" } + placeholders.map { "${\($0)}" }
            return Problem(
                message: "`${\(word)}` is no reference; there are \(names.joined(separator: ", "))",
                suggestion: Spelling.nearest(to: word, in: providers + placeholders)
            )
        }
        switch word {
        case "env":
            guard parts.count > 1, !parts[1].isEmpty else {
                return Problem(message: "`${env:NAME}` needs the name of an environment variable")
            }
            let name = String(parts[1])
            guard parts.count == 2, getenv(name) == nil else { return nil }
            return Problem(
                message: "the environment variable `\(name)` is not set here, and the reference "
                    + "has no default; write `${env:\(name):default}` to give one",
                severity: .warning
            )
        case "file", "directory":
            guard parts.count == 3, !parts[1].isEmpty, !parts[2].isEmpty else {
                return Problem(message: "`${\(word):path:key}` needs a path and a key")
            }
        case "timestamp", "field":
            guard parts.count > 1, !parts[1].isEmpty else {
                let form = word == "field" ? "${field:name}" : "${timestamp:yyyy-MM-dd}"
                return Problem(message: "`${\(word)}` needs more, such as `\(form)`")
            }
        default: break
        }
        return nil
    }
}
