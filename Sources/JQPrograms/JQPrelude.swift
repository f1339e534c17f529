/// Definitions that stand before a program, on its first line.
///
/// They take the place of what a program inside a worker cannot have: other inputs, modules, the
/// end of the process, text on standard error that would hold data of records. And they keep libjq from
/// what would take the process with it.
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
    /// The right side varies slowest, as for the operator itself. Every product goes through this,
    /// so two comparisons tell numbers, to which texts, arrays and objects are greater.
    private static let multiplication = """
        def _millrace_times(right): . * right; \
        def _millrace_grow($right): if type == "string" and ($right | type) == "number" \
        and utf8bytelength * $right > 16777216 \
        or type == "number" and ($right | type) == "string" \
        and . * ($right | utf8bytelength) > 16777216 \
        then error("a text of more than 16 MiB") else . * $right end; \
        def _multiply(left; right): right as $right | left as $left | $left | \
        if . >= "" then _millrace_grow($right) elif $right >= "" then _millrace_grow($right) \
        else _millrace_times($right) end; 
        """

    /// The remainder of the least integer and -1 is an integer division that stops the process.
    private static let remainder = """
        def _millrace_remainder(right): . % right; \
        def _mod(left; right): right as $right | left as $left | $left | \
        if $right <= -1 and $right > -2 then _millrace_remainder(1) \
        else _millrace_remainder($right) end; 
        """

    /// libjq 1.6 stops the process where a number is no time, as where it counts nanoseconds, and
    /// where a format is no text.
    private static let times = """
        def _millrace_strftime(format): strftime(format); \
        def strftime(format): format as $format | \
        if ($format | type) != "string" then error("a format is a string") \
        elif type == "number" then gmtime else . end | _millrace_strftime($format); \
        def _millrace_strflocaltime(format): strflocaltime(format); \
        def strflocaltime(format): format as $format | \
        if ($format | type) != "string" then error("a format is a string") \
        elif type == "number" then localtime else . end | _millrace_strflocaltime($format); \
        def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ"); def todate: todateiso8601; 
        """

    /// libjq 1.6 looks for an empty text for ever, within one step, and notes each place.
    private static let places = """
        def _millrace_indices($part): indices($part); \
        def indices($part): if $part == "" and type == "string" then [] \
        else _millrace_indices($part) end; \
        def index($part): indices($part) | .[0]; def rindex($part): indices($part) | .[-1:][0]; 
        """

    /// libjq 1.6 never ends the deletion of a place whose index is not a number, within one step.
    ///
    /// Only such an index is not equal to itself.
    private static let deletions = """
        def _millrace_sound: if any(.[]?; . != .) then error("an index is not a number") else . end; \
        def _millrace_all_sound: if any(.[]? | .[]?; . != .) \
        then error("an index is not a number") else . end; \
        def _millrace_places(f): getpath(path(f) | _millrace_sound); \
        def _millrace_delpaths(paths): delpaths(paths); \
        def delpaths(paths): _millrace_delpaths(paths | _millrace_all_sound); \
        def del(f): _millrace_delpaths([path(f) | _millrace_sound]); \
        def _millrace_modify(paths; update): _modify(paths; update); \
        def _modify(paths; update): _millrace_modify(_millrace_places(paths); update); 
        """

    /// What is put in front of programs in which a text stands.
    private static let guards = [
        ("*", multiplication), ("%", remainder), ("strf", times), ("todate", times),
        ("ind", places),
    ]

    /// The name that stands for the record: its topic, key, headers and so on.
    static let recordName = "$record"

    /// Whether a program looks at more of a record than its value.
    static func usesRecord(_ text: String) -> Bool { text.contains(recordName) }

    static func of(_ text: String) -> String {
        definitions + guards(for: text)
            + (usesRecord(text) ? ".record as \(recordName) | .value | " : "")
    }

    private static func guards(for text: String) -> String {
        guards.filter { text.contains($0.0) }.map(\.1).joined()
            + (deletesByIndex(text) ? deletions : "")
    }

    /// Whether a program may delete what an index tells that is not written in it: names and `[]` are
    /// places like any other, and those are compared for nothing.
    private static func deletesByIndex(_ text: String) -> Bool {
        guard text.contains("del") || text.contains("|=") else { return false }
        return text.replacing("[]", with: "").contains("[") || text.contains("path")
            || text.contains("nth")
    }

    static func with(_ text: String) -> String { of(text) + text }
}
