import ConnectorSDK

/// The configuration keys of the format.
enum CSVKeys {
    static let delimiter = ConfigKey.string(
        "delimiter",
        default: ",",
        importance: .high,
        help: """
            The character between cells: one ASCII character, or `tab`. When reading and writing.
            """,
        validator: { CSVDialect.problem(ofCharacter: $0) }
    )
    static let quote = ConfigKey.string(
        "quote",
        default: "\"",
        help: """
            The character around cells that hold delimiters, quotes or line ends; `none` when the \
            files know no quotes.
            """,
        validator: { $0 == "none" ? nil : CSVDialect.problem(ofCharacter: $0) }
    )
    static let escape = ConfigKey.optional(
        "escape",
        importance: .low,
        help: """
            A character such as `\\` that takes the meaning from a delimiter, quote, line end or \
            itself behind it. Before other characters it is text. A doubled quote in a quoted \
            cell stands for one quote in any case.
            """,
        validator: { CSVDialect.problem(ofCharacter: $0) }
    )
    static let header = ConfigKey.bool(
        "header",
        default: true,
        importance: .high,
        help: """
            Whether the first row holds the names of the columns. When writing: whether each file \
            begins with one.
            """
    )
    static let columns = ConfigKey.list(
        "columns",
        help: """
            The names of the columns, in order. Needed when there is no header row, otherwise \
            the columns are called `c1`, `c2`, …. With a header row they replace its names. When \
            writing: the columns to write; by default those of the first record.
            """
    )
    static let types = ConfigMapKey(
        "types",
        default: "infer",
        importance: .high,
        help: """
            What cells are read as. `infer` decides cell by cell and never loses a digit: an \
            integer of 64 bits, an exact decimal, `true` or `false`, otherwise text as written; \
            quoted cells are text. `string` reads text only. `types.NAME` declares one column: \
            `infer`, `string`, `int`, `decimal`, `double`, `boolean`, `date`, `time`, `timestamp` \
            (with a zone), `local_timestamp` (without) or `json`; a cell that does not fit its \
            declared type rejects the record.
            """
    )
    static let nullValues = ConfigKey.list(
        "null.values",
        help: """
            Texts that stand for null in an unquoted cell, such as `NULL` or `\\N`. An empty \
            unquoted cell is null in any case.
            """
    )
    static let trim = ConfigKey.bool(
        "trim",
        default: false,
        help: "Whether spaces and tabs around cells are dropped; those inside quotes stay."
    )
    static let skipLines = ConfigKey.int(
        "skip.lines",
        default: 0,
        in: 0...1_000_000,
        importance: .low,
        help: "The number of lines at the start of a file that are not part of the table."
    )
    static let comment = ConfigKey.optional(
        "comment",
        importance: .low,
        help: "A character, such as `#`, that makes a line that begins with it a comment.",
        validator: { CSVDialect.problem(ofCharacter: $0) }
    )
    static let maxRecordBytes = ConfigKey.size(
        "max.record.bytes",
        default: 16 << 20,
        in: 1_024...(1 << 30),
        importance: .low,
        help: """
            A longer record is rejected, so that memory stays bounded. It is often the work of a \
            quote that is never closed.
            """
    )
}

/// The configuration, read once.
struct CSVSettings: Sendable {
    var dialect: CSVDialect
    var hasHeader: Bool
    /// The names given in the configuration; empty when it gives none.
    var columns: [String]
    /// The type of columns that declare none.
    var defaultType: CSVColumnType
    /// The declared types by column name.
    var types: [String: CSVColumnType]
    var nullValues: [[UInt8]]
    var skipLines: Int
    var maxRecordBytes: Int

    init(_ configuration: Configuration) throws(ConnectorError) {
        dialect = try CSVDialect(configuration)
        hasHeader = try configuration.get(CSVKeys.header)
        columns = try configuration.get(CSVKeys.columns)
        nullValues = try configuration.get(CSVKeys.nullValues).map { Array($0.utf8) }
        skipLines = try configuration.get(CSVKeys.skipLines)
        maxRecordBytes = try configuration.get(CSVKeys.maxRecordBytes)
        defaultType = .infer
        types = [:]
        for (name, word) in configuration.get(CSVKeys.types).sorted(by: { $0.key < $1.key }) {
            let key = name.isEmpty ? "types" : "types.\(name)"
            guard let type = CSVColumnType(rawValue: word.lowercased()) else {
                let words = CSVColumnType.allCases.map(\.rawValue)
                throw .invalid(
                    key,
                    "There is no column type of that name.",
                    hint: "Types: \(words.joined(separator: ", "))."
                )
            }
            if name.isEmpty { defaultType = type } else { types[name] = type }
        }
        if !columns.isEmpty { try CSVHeader.check(columns, key: "columns") }
    }
}
