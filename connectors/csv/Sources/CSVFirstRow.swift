import ConnectorSDK

/// The first row of a file, whose number of cells is not known beforehand.
struct CSVFirstRow {
    /// The texts; `nil` for one that is not UTF-8.
    var cells: [String?]
    /// The bytes with the line end.
    var length: Int
    var lineEnds: Int

    /// Reads the row at the start of `window`; `nil` when its end is not in sight.
    init?(
        _ window: UnsafeRawBufferPointer,
        _ dialect: CSVDialect,
        isLast: Bool
    ) throws(ConnectorError) {
        guard let base = window.baseAddress else { return nil }
        let start = base.assumingMemoryBound(to: UInt8.self)
        var scanner = CSVScanner(dialect, at: start)
        var room = 256
        while true {
            let slices = UnsafeMutablePointer<Cell>.allocate(capacity: room)
            defer { slices.deallocate() }
            let isWhole = scanner.scan(
                start,
                to: start + window.count,
                isLast: isLast,
                into: slices,
                limit: room
            )
            guard isWhole else { return nil }
            guard scanner.problem == .none else {
                throw .csvHeader("The quotes of the first row do not enclose whole cells.")
            }
            guard scanner.cellCount <= room else {
                room = scanner.cellCount
                continue
            }
            length = scanner.next - start
            lineEnds = scanner.lineEnds
            cells = (0..<scanner.cellCount).map { Self.text(slices[$0], dialect) }
            return
        }
    }

    private static func text(_ cell: Cell, _ dialect: CSVDialect) -> String? {
        let scratch = RecordBatch()
        var text = CSVCells.text(cell, dialect, in: scratch).slice
        if dialect.trims, cell.flags & CSVScanner.quoted == 0 { text = dialect.trimmed(text) }
        return UTF8Check.isValid(text) ? String(decoding: text, as: UTF8.self) : nil
    }
}
