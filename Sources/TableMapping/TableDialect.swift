/// What a database's names of tables and columns are like.
public struct TableDialect: Sendable {
    /// The longest name in bytes of UTF-8; a database that would cut a longer one must not see it.
    public var nameLimit: Int
    /// Makes names alike that the database takes for one, such as `Id` and `ID`.
    public var fold: @Sendable (String) -> String

    /// Makes a dialect; without `fold` names are one only if they are spelt alike.
    public init(nameLimit: Int, fold: @escaping @Sendable (String) -> String = { $0 }) {
        self.nameLimit = nameLimit
        self.fold = fold
    }

    /// Why the database cannot have a name, to be read after "The name"; `nil` when it can.
    public func problem(ofName name: String) -> String? {
        if name.isEmpty { return "is empty" }
        if name.utf8.contains(0) { return "contains a NUL character" }
        return name.utf8.count > nameLimit ? "is longer than \(nameLimit) bytes" : nil
    }
}

/// Pieces of SQL text that every database reads alike.
public enum SQLText {
    /// A name in double quotes, whatever it holds.
    public static func quote(_ name: String) -> String {
        var text = "\""
        for character in name.unicodeScalars {
            if character == "\"" { text += "\"" }
            text.unicodeScalars.append(character)
        }
        return text + "\""
    }

    /// Names in double quotes, separated by commas.
    public static func quote(_ names: [String]) -> String {
        names.map(quote).joined(separator: ", ")
    }
}
