/// Why a text is not YAML that a pipeline file may hold, and where.
internal struct YAMLProblem: Error, Sendable {
    internal var mark: Mark?
    internal var message: String

    internal init(_ mark: Mark?, _ message: String) {
        self.mark = mark
        self.message = message
    }
}

extension YAMLProblem {
    /// Explains what the YAML library found in words that say what to write instead.
    internal static func explaining(_ problem: String, at mark: Mark, in text: String) -> Self {
        let line = Self.line(mark.line, of: text)
        if line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t") {
            let tab = line.prefix { $0 != "\t" }.count
            return Self(
                Mark(line: mark.line, column: tab + 1),
                "a tab is used to indent; YAML allows spaces only"
            )
        }
        return Self(
            mark,
            "this is not YAML: \(problem)\(advice(on: problem, at: mark, line: line))"
        )
    }

    private static func advice(on problem: String, at mark: Mark, line: Substring) -> String {
        let rest = line.dropFirst(mark.column - 1)
        if problem.contains("mapping values are not allowed") {
            return "; put quotes around a value that contains `: `, and check the indentation"
        }
        if problem.contains("alphabetic or numeric character")
            || problem.contains("undefined alias")
        {
            return "; put quotes around a value that begins with `*` or `&`"
        }
        if problem.contains("cannot start any token"), let first = rest.first {
            return "; put quotes around a value that begins with `\(first)`"
        }
        if problem.contains("expected ',' or") {
            return "; inside { } and [ ], put quotes around values that contain { } [ ] or a comma"
        }
        if problem.contains("unexpected end of stream") || problem.contains("quoted scalar") {
            return "; a quote or bracket is not closed"
        }
        if problem.contains("did not find expected key") {
            return "; check the indentation: the keys of one map begin in one column"
        }
        return ""
    }

    /// The line with a number from 1, or nothing.
    internal static func line(_ number: Int, of text: String) -> Substring {
        let lines = text.split(separator: "\n", maxSplits: number, omittingEmptySubsequences: false)
        return lines.indices.contains(number - 1) ? lines[number - 1] : ""
    }
}
