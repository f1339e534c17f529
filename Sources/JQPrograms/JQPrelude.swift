/// Definitions that stand before a program, on its first line.
///
/// They take the place of what a program inside a worker cannot have: other inputs, modules, the
/// end of the process, text on standard error that would hold data of records.
internal enum JQPrelude {
    private static let definitions = """
        def halt: error("`halt` has no meaning here"); \
        def halt_error: halt; def halt_error(code): halt; \
        def input: error("there are no further inputs"); def inputs: input; \
        def stderr: .; def debug: .; def debug(message): .; \
        def modulemeta: error("there are no modules"); def get_search_list: []; \
        def input_filename: null; def input_line_number: 0; 
        """

    /// libjq makes a text of any length at a stroke when a text is multiplied, and dies of some.
    ///
    /// The right side varies slowest, as for the operator itself.
    private static let multiplication = """
        def _millrace_times($left; $right): $left * $right; \
        def _multiply(left; right): right as $right | left as $left | \
        if ($left | type) == "string" and ($right | type) == "number" \
        and ($left | utf8bytelength) * $right > 16777216 \
        then error("a text of more than 16 MiB") else _millrace_times($left; $right) end; 
        """

    /// The name that stands for the record: its topic, key, headers and so on.
    static let recordName = "$record"

    /// Whether a program looks at more of a record than its value.
    static func usesRecord(_ text: String) -> Bool { text.contains(recordName) }

    static func of(_ text: String) -> String {
        definitions + (text.contains("*") ? multiplication : "")
            + (usesRecord(text) ? ".record as \(recordName) | .value | " : "")
    }

    static func with(_ text: String) -> String { of(text) + text }
}
