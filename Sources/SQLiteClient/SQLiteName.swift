/// Names of tables and columns as SQLite sees them.
public enum SQLiteName {
    /// A name as SQLite compares it: letters of ASCII have no case.
    public static func fold(_ name: String) -> String {
        String(
            decoding: name.utf8.map { (65...90).contains($0) ? $0 | 32 : $0 },
            as: UTF8.self
        )
    }
}
