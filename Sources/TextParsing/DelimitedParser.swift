public import ConnectorSDK

/// Takes lines of separated values apart, each by itself, as RFC 4180 has them.
///
/// The columns have names from elsewhere, and every line has as many cells. An empty cell without
/// quotes is null. A quote within a cell that does not begin with one is a character like others.
public final class DelimitedParser: LineParser {
    public let fields: LineFields
    private let delimiter: UInt8
    private let quote: UInt8

    /// Makes a parser of lines with these columns.
    public init(columns: [String], delimiter: UInt8 = 0x2C, quote: UInt8 = 0x22) {
        fields = LineFields(columns.map { Field($0) })
        self.delimiter = delimiter
        self.quote = quote
    }

    /// The number of cells in a line.
    public static func columnCount(
        of line: UnsafeRawBufferPointer,
        delimiter: UInt8 = 0x2C,
        quote: UInt8 = 0x22
    ) -> Int {
        var count = 1
        var isQuoted = false
        for byte in line {
            if byte == quote { isQuoted.toggle() }
            if byte == delimiter, !isQuoted { count += 1 }
        }
        return count
    }

    public func parse(_ line: UnsafeRawBufferPointer, in batch: RecordBatch) -> LineProblem? {
        guard var cursor = LineCursor(line) else { return LineProblem("the line is empty", at: 0) }
        let count = fields.count
        for column in 0..<count {
            if column > 0, !cursor.take(delimiter) {
                return LineProblem("it has \(column) of \(count) columns", at: cursor.offset)
            }
            guard cursor.take(quote) else {
                let from = cursor.at
                cursor.at = cursor.find(delimiter, from: from)
                let text = LineCursor.bytes(from, cursor.at)
                fields.cells[column] = text.isEmpty ? .null : .slice(.string, text)
                continue
            }
            let offset = cursor.offset - 1
            guard let text = quoted(&cursor, batch) else {
                return LineProblem("no quote ends the cell of column \(column + 1)", at: offset)
            }
            fields.cells[column] = .slice(.string, text)
            guard cursor.isAtEnd || cursor.byte == delimiter else {
                return LineProblem("a delimiter must follow the quote", at: cursor.offset)
            }
        }
        return cursor.isAtEnd
            ? nil : LineProblem("it has more than \(count) columns", at: cursor.offset)
    }

    /// The text up to the closing quote, in which a quote is written twice.
    private func quoted(
        _ cursor: inout LineCursor,
        _ batch: RecordBatch
    ) -> UnsafeRawBufferPointer? {
        let from = cursor.at
        var place = from
        var pairs = 0
        while true {
            place = cursor.find(quote, from: place)
            guard place < cursor.end else { return nil }
            guard place + 1 < cursor.end, place[1] == quote else { break }
            pairs += 1
            place += 2
        }
        cursor.at = place + 1
        guard pairs > 0 else { return LineCursor.bytes(from, place) }
        let room = batch.arena.allocate(place - from - pairs)
        var target = room.assumingMemoryBound(to: UInt8.self)
        var source = from
        while source < place {
            target.pointee = source.pointee
            source += source.pointee == quote ? 2 : 1
            target += 1
        }
        return UnsafeRawBufferPointer(start: room, count: place - from - pairs)
    }
}
