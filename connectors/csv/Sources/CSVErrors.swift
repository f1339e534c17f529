import ConnectorSDK

extension ConnectorError.Code {
    /// The header row cannot name the columns.
    static let csvHeader = Self("csv.header")
    /// A row has more or fewer cells than there are columns.
    static let csvRagged = Self("csv.cell_count")
    /// Quotes do not enclose whole cells.
    static let csvQuotes = Self("csv.quotes")
    /// A record is longer than `max.record.bytes`.
    static let csvTooLong = Self("csv.record_too_long")
    /// A cell does not fit its declared type.
    static let csvType = Self("csv.type")
    /// A record is not UTF-8.
    static let csvEncoding = Self("csv.encoding")
    /// A position was not made by this format.
    static let csvPosition = Self("csv.position")
    /// A record cannot be written as a row.
    static let csvInexpressible = Self("csv.inexpressible")
}

extension ConnectorError {
    static func csvHeader(_ message: String) -> Self {
        Self(
            .csvHeader,
            .failTask,
            message,
            hint: "Give every column a name with `columns`; they replace those of the file."
        )
    }

    static func csvHeaderEncoding(line: Int64) -> Self {
        Self(
            .csvEncoding,
            .failTask,
            "The header row at line \(line) is not UTF-8.",
            hint: "Name the encoding of the file with `charset`."
        )
    }

    static func csvRagged(_ place: CSVPlace, found: Int, expected: Int) -> Self {
        Self(
            .csvRagged,
            .rejectRecord,
            "The record at \(place) does not have \(expected) cells but \(found)."
        )
    }

    static func csvTextAfterQuote(_ place: CSVPlace, cell: Int, name: String?) -> Self {
        let column = name.map { " (`\($0)`)" } ?? ""
        return Self(
            .csvQuotes,
            .rejectRecord,
            """
            In the record at \(place) text follows the closing quote of cell \(cell + 1)\(column).
            """,
            hint: "A quote inside a quoted cell is written twice."
        )
    }

    static func csvUnterminated(_ place: CSVPlace) -> Self {
        Self(
            .csvQuotes,
            .rejectRecord,
            "The input ends inside the quotes opened at line \(place.line), in the record at byte"
                + " \(place.byte)."
        )
    }

    static func csvTooLong(_ place: CSVPlace, limit: Int) -> Self {
        Self(
            .csvTooLong,
            .rejectRecord,
            "The record at \(place) is longer than \(Units.describe(bytes: limit)).",
            at: "max.record.bytes",
            hint: "Perhaps a quote is never closed."
        )
    }

    static func csvType(_ place: CSVPlace, column: String, type: CSVColumnType) -> Self {
        Self(
            .csvType,
            .rejectRecord,
            "In the record at \(place) the field `\(column)` is not \(type.example).",
            at: "types.\(column)"
        )
    }

    static func csvEncoding(_ place: CSVPlace) -> Self {
        Self(
            .csvEncoding,
            .rejectRecord,
            "The record at \(place) is not UTF-8.",
            hint: "Name the encoding of the file with `charset`."
        )
    }
}

/// Where a record begins.
struct CSVPlace: CustomStringConvertible {
    var line: Int64
    var byte: Int64

    var description: String { "line \(line), byte \(byte)" }
}
