import ConnectorSDK
import JSONRecords

/// Turns the slices that ``CSVScanner`` finds into values of the columns' types.
struct CSVCells {
    private let dialect: CSVDialect
    private let columns: CSVColumns
    private let nullValues: [[UInt8]]
    /// Whether every unquoted cell goes straight to inference.
    private let isPlain: Bool

    init(_ columns: CSVColumns, _ settings: CSVSettings) {
        self.columns = columns
        dialect = settings.dialect
        nullValues = settings.nullValues
        isPlain =
            columns.allInferred && settings.nullValues.isEmpty && !settings.dialect.trims
    }

    /// Replaces the scanned cells of a row by values.
    ///
    /// - Returns: the first column whose declared type its cell does not fit, or `nil`.
    @inline(__always)
    func convert(_ cells: UnsafeMutablePointer<Cell>, in batch: RecordBatch) -> Int? {
        guard isPlain else { return convertTyped(cells, in: batch) }
        for column in 0..<columns.count {
            let cell = cells[column]
            cells[column] =
                cell.flags == 0 ? CSVInference.infer(cell) : text(cell, in: batch)
        }
        return nil
    }

    private func convertTyped(
        _ cells: UnsafeMutablePointer<Cell>,
        in batch: RecordBatch
    ) -> Int? {
        for column in 0..<columns.count {
            let isQuoted = cells[column].flags & CSVScanner.quoted != 0
            let type = columns.types[column]
            var cell = text(cells[column], in: batch)
            if dialect.trims, !isQuoted { cell = .slice(.string, dialect.trimmed(cell.slice)) }
            // In a typed column quotes say nothing; elsewhere they make text.
            let isText = isQuoted && (type == .infer || type == .string)
            if !isText, isNull(cell) {
                cells[column] = .null
            } else if isText || type == .string {
                cells[column] = cell
            } else if type == .infer {
                cells[column] = CSVInference.infer(cell)
            } else if let value = Self.value(cell, type, in: batch) {
                cells[column] = value
            } else {
                return column
            }
        }
        return nil
    }

    private func isNull(_ cell: Cell) -> Bool {
        if cell.length == 0 { return true }
        return nullValues.contains { $0.count == cell.length && cell.slice.elementsEqual($0) }
    }

    @inline(__always)
    private func text(_ cell: Cell, in batch: RecordBatch) -> Cell {
        Self.text(cell, dialect, in: batch)
    }

    /// The cell as text: where it is, or without its doubled quotes and escapes in the arena.
    @inline(__always)
    static func text(_ cell: Cell, _ dialect: CSVDialect, in batch: RecordBatch) -> Cell {
        if cell.flags & CSVScanner.escaped == 0 {
            var text = cell
            text.flags = 0
            return text
        }
        return unescaped(cell, dialect, in: batch)
    }

    private static func unescaped(
        _ cell: Cell,
        _ dialect: CSVDialect,
        in batch: RecordBatch
    ) -> Cell {
        let source = cell.slice
        let isQuoted = cell.flags & CSVScanner.quoted != 0
        let target = batch.arena.allocate(source.count)
        var written = 0
        var at = 0
        while at < source.count {
            var byte = source[at]
            at += 1
            if UInt16(byte) == dialect.escape, at < source.count,
                dialect.isEscapable(source[at])
            {
                byte = source[at]
                at += 1
            } else if isQuoted, UInt16(byte) == dialect.quote, at < source.count,
                UInt16(source[at]) == dialect.quote
            {
                at += 1
            }
            target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
            written += 1
        }
        batch.arena.giveBack(source.count - written)
        return .slice(.string, UnsafeRawBufferPointer(start: target, count: written))
    }

    private static func value(
        _ cell: Cell,
        _ type: CSVColumnType,
        in batch: RecordBatch
    ) -> Cell? {
        let text = cell.slice
        switch type {
        case .infer, .string: return cell
        case .int: return NumberText.integer(text).map { .int($0) }
        case .decimal: return decimal(text, in: batch)
        case .double: return NumberText.double(text).map { .double($0) }
        case .boolean: return boolean(text).map { .bool($0) }
        case .date: return TimeText.cell(text, as: .date)
        case .time: return TimeText.cell(text, as: .time)
        case .timestamp: return TimeText.cell(text, as: .timestamp)
        case .localTimestamp: return TimeText.cell(text, as: .localTimestamp)
        case .json: return CSVNestedText.isValid(text) ? .slice(.json, text) : nil
        }
    }

    private static func decimal(_ text: UnsafeRawBufferPointer, in batch: RecordBatch) -> Cell? {
        guard let decimal = CSVDecimal(text) else { return nil }
        if let cell = decimal.cell { return cell }
        let room = text.count + 1
        let target = batch.arena.allocate(room)
        let count = decimal.write(to: target)
        batch.arena.giveBack(room - count)
        return .slice(.number, UnsafeRawBufferPointer(start: target, count: count))
    }

    private static func boolean(_ text: UnsafeRawBufferPointer) -> Bool? {
        func isOne(of words: StaticString...) -> Bool {
            words.contains { word in
                word.utf8CodeUnitCount == text.count
                    && zip(text, UnsafeBufferPointer(start: word.utf8Start, count: text.count))
                        .allSatisfy { $0 | 0x20 == $1 | 0x20 }
            }
        }
        if isOne(of: "true", "t", "yes", "y", "1") { return true }
        if isOne(of: "false", "f", "no", "n", "0") { return false }
        return nil
    }
}
