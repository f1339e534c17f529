/// Pieces of SQL text.
internal enum SQLText {
    /// A name in double quotes, whatever it holds.
    internal static func quote(_ name: String) -> String {
        var text = "\""
        for character in name.unicodeScalars {
            if character == "\"" { text += "\"" }
            text.unicodeScalars.append(character)
        }
        return text + "\""
    }

    /// Names in double quotes, separated by commas.
    internal static func quote(_ names: [String]) -> String {
        names.map(quote).joined(separator: ", ")
    }

    /// A name as SQLite compares it: letters of ASCII have no case.
    internal static func fold(_ name: String) -> String {
        String(
            decoding: name.utf8.map { (65...90).contains($0) ? $0 | 32 : $0 },
            as: UTF8.self
        )
    }

    /// Whether SQLite can hold the name: its texts end at the first NUL.
    internal static func isName(_ name: String) -> Bool { !name.utf8.contains(0) }
}
