/// Pieces of SQL that are made, not written.
public enum SQLText {
    /// Quotes a name.
    public static func identifier(_ name: String) -> String {
        "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false).joined(
                separator: "\"\""
            ) + "\""
    }

    /// Quotes a name with its schema.
    public static func identifier(schema: String, _ name: String) -> String {
        identifier(schema) + "." + identifier(name)
    }

    /// Quotes a text value; sessions have `standard_conforming_strings` on.
    public static func literal(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
            + "'"
    }
}
