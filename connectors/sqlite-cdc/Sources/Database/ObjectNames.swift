/// The names of what the connector adds to a database.
internal struct ObjectNames: Hashable, Sendable {
    /// What all of them begin with: `__millrace_cdc_`.
    let prefix: String

    init(capture: String) { prefix = "__\(capture)_cdc_" }

    /// One row: the format, which capture it is and whose.
    var state: String { prefix + "state" }
    /// Which tables are captured, and were.
    var tables: String { prefix + "tables" }
    /// Their columns.
    var columns: String { prefix + "columns" }
    /// The changes.
    var log: String { prefix + "log" }
    /// Rows that the statement at work may replace.
    var replaced: String { prefix + "replaced" }

    /// Its tables, those first that others do not need.
    var all: [String] { [log, replaced, columns, tables, state] }

    /// The name of a layout's trigger.
    func trigger(_ layout: Int64, _ event: String) -> String { "\(prefix)\(layout)_\(event)" }

    /// The layout whose trigger this is; `nil` when it is not one of ours.
    func layout(ofTrigger name: String) -> Int64? {
        guard name.hasPrefix(prefix) else { return nil }
        return Int64(name.dropFirst(prefix.count).prefix { $0 != "_" })
    }

    /// Whether a table is SQLite's, or one that a connector of ours keeps in the database.
    static func isOwn(_ table: String) -> Bool {
        if table.hasPrefix("sqlite_") || table.hasPrefix("__millrace_") { return true }
        guard table.hasPrefix("__") else { return false }
        return ["state", "tables", "columns", "log", "replaced"].contains {
            table.hasSuffix("_cdc_\($0)")
        }
    }

    /// A name as SQL has it.
    static func quote(_ name: String) -> String {
        "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false).joined(
                separator: "\"\""
            )
            + "\""
    }
}
