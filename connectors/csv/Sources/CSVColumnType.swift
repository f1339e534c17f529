import ConnectorSDK

/// What the cells of a column are read as.
///
/// The raw values are the words of `types`.
enum CSVColumnType: String, CaseIterable, Sendable {
    case infer
    case string
    case int
    case decimal
    case double
    case boolean
    case date
    case time
    case timestamp
    case localTimestamp = "local_timestamp"
    case json

    /// The type that the schema declares.
    var fieldType: FieldType {
        switch self {
        case .infer: .any
        case .string: .string
        case .int: .int64
        case .decimal: .decimal(precision: nil, scale: nil)
        case .double: .double
        case .boolean: .bool
        case .date: .date
        case .time: .time
        case .timestamp: .timestamp
        case .localTimestamp: .localTimestamp
        case .json: .json
        }
    }

    /// What a cell of this type looks like, for messages.
    var example: String {
        switch self {
        case .infer, .string: "any text"
        case .int: "an integer of 64 bits"
        case .decimal: "a decimal such as -12.50"
        case .double: "a number such as 1.5e3"
        case .boolean: "true, false, yes, no, 1 or 0"
        case .date: "a date such as 2026-11-21"
        case .time: "a time such as 13:20:00.5"
        case .timestamp: "a date and time with a zone, such as 2026-11-21T13:20:00Z"
        case .localTimestamp: "a date and time without a zone, such as 2026-11-21 13:20:00"
        case .json: "a JSON object or array"
        }
    }
}

/// The columns of one file: their names and how their cells are read.
struct CSVColumns {
    let schema: Schema
    let types: [CSVColumnType]
    /// Whether every column is inferred, the usual case.
    let allInferred: Bool

    var count: Int { types.count }

    /// Puts names and declared types together.
    ///
    /// - Throws: when a type is declared for a column that the file does not have.
    init(_ names: [String], _ settings: CSVSettings) throws(ConnectorError) {
        for name in settings.types.keys.sorted() where !names.contains(name) {
            let similar = Spelling.nearest(to: name, in: names)
            throw .invalid(
                "types.\(name)",
                "The file has no column of that name.",
                hint: similar.map { "Did you mean `types.\($0)`?" }
            )
        }
        types = names.map { settings.types[$0] ?? settings.defaultType }
        schema = Schema(zip(names, types).map { Field($0, $1.fieldType) })
        allInferred = types.allSatisfy { $0 == .infer }
    }

    /// The error of a cell that does not fit its declared type.
    func misfit(_ column: Int, at place: CSVPlace) -> ConnectorError {
        .csvType(place, column: schema.fields[column].name, type: types[column])
    }
}
