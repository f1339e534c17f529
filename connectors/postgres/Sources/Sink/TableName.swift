internal import ConnectorSDK
internal import PostgresClient
internal import TableMapping

/// A table's name, with its schema where one is named; without, the search path finds it.
internal struct TableName: Hashable, Sendable {
    internal let schema: String?
    internal let name: String

    /// PostgreSQL cuts longer names, in silence.
    internal static let nameLimit = 63
    /// Stands for the dot between schema and table while names are made of records; no topic can
    /// contain it.
    private static let separator: Character = "\u{1F}"
    private static let formatKey = "table.name.format"

    /// Reads a name as a person writes it: the first dot separates.
    internal init(written text: String) { self.init(text, separator: ".") }

    /// Reads a name that ``marked(_:)`` has shaped.
    internal init(rendered text: String, splitsAtDot: Bool) {
        self.init(text, separator: splitsAtDot ? "." : Self.separator)
    }

    private init(_ text: String, separator: Character) {
        guard let place = text.firstIndex(of: separator) else {
            (schema, name) = (nil, text)
            return
        }
        schema = String(text[..<place])
        name = String(text[text.index(after: place)...])
    }

    /// The name quoted, for statements.
    internal var quoted: String {
        schema.map { SQLText.quote($0) + "." + SQLText.quote(name) } ?? SQLText.quote(name)
    }

    /// The name for messages.
    internal var text: String { schema.map { "\($0).\(name)" } ?? name }

    /// Why PostgreSQL cannot have the name, to be read after "The name"; `nil` when it can.
    internal var problem: String? {
        let dialect = TableDialect(nameLimit: Self.nameLimit)
        return schema.flatMap(dialect.problem(ofName:)) ?? dialect.problem(ofName: name)
    }

    /// The configuration with the dot that separates schema and table made unmistakable: the first
    /// that stands in `table.name.format` itself, not in what its places stand for.
    ///
    /// - Returns: the configuration, and whether there is none, so that the one in a captured table's
    ///   name separates its schema.
    internal static func marked(
        _ configuration: Configuration
    ) -> (configuration: Configuration, splitsAtDot: Bool) {
        guard let format = configuration.values[formatKey] else { return (configuration, false) }
        var result = ""
        var isPlace = false
        var isMarked = false
        for character in format {
            if character == "{", result.hasSuffix("$") { isPlace = true }
            if character == "}" { isPlace = false }
            if character == ".", !isPlace, !isMarked {
                result.append(separator)
                isMarked = true
            } else {
                result.append(character)
            }
        }
        let values = configuration.values.merging([formatKey: result]) { $1 }
        return (
            Configuration(values, baseDirectory: configuration.baseDirectory),
            !isMarked && format.contains("${table}")
        )
    }
}
