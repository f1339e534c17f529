import ConnectorSDK

/// Reads rows as records.
///
/// Cells without escapes are slices of the input, which batches retain.
final class CSVReader: RecordReader {
    /// The bytes of a record too long to hold that its rejection keeps.
    static let keptPrefix = 64 << 10

    let settings: CSVSettings
    let startsAtByte = true
    private(set) var position: ReaderPosition
    /// The names of the columns.
    var recordContext: String? { position.state }
    /// What is known once the header row has been read.
    private var table: Table?

    private struct Table {
        var columns: CSVColumns
        var cells: CSVCells
    }

    /// Why a pass over the window ended.
    private enum Pause {
        case batchFull
        /// The rows set aside are used up.
        case blockFull
        /// A record or the window ends at the window's end.
        case windowEmpty
        /// A comment begins there.
        case comment
        /// A record is too long.
        case tooLong
    }

    init(_ settings: CSVSettings, at position: ReaderPosition) throws(ConnectorError) {
        self.settings = settings
        self.position = position
        guard let state = position.state else { return }
        guard let names = CSVHeader.decode(state) else {
            throw ConnectorError(
                .csvPosition,
                .failTask,
                "The stored position does not hold the names of the columns.",
                hint: "Reset the connector's offsets to read the file from its start."
            )
        }
        try setColumns(names)
    }

    func read(_ input: ByteInput, into batch: RecordBatch) throws(ConnectorError) -> Bool {
        if table == nil {
            let start = position
            try readHeader(input)
            if table == nil { position = start }
        }
        guard let table else { return false }
        let schema = table.columns.schema
        if batch.schema !== schema {
            guard batch.count == 0 else { return true }
            batch.replaceValues(with: schema)
        }
        let before = (rows: batch.count, rejections: batch.rejections.count)
        let limit = position.byte &+ Int64(RecordBatch.byteLimit)
        reading: while true {
            switch readBlock(input, table, into: batch, until: limit) {
            case .blockFull: continue reading
            case .batchFull: break reading
            case .comment: try skipLine(input)
            case .tooLong: try skipRecord(input, batch)
            case .windowEmpty:
                let hasSome =
                    batch.count > before.rows || batch.rejections.count > before.rejections
                if hasSome, input.wouldWait { break reading }
                let wasAtEnd = input.isAtEnd
                guard try grow(input) || !wasAtEnd else { break reading }
            }
        }
        return batch.count > before.rows || batch.rejections.count > before.rejections
    }
}

// MARK: - Rows

extension CSVReader {
    /// The rows of a batch that are filled at a time.
    private static let blockRows = 512

    /// Reads records from the window into a block of rows.
    private func readBlock(
        _ input: ByteInput,
        _ table: Table,
        into batch: RecordBatch,
        until limit: Int64
    ) -> Pause {
        let window = input.window
        guard let base = window.baseAddress, !window.isEmpty else { return .windowEmpty }
        guard !batch.isFull, position.byte < limit else { return .batchFull }
        batch.retain(input.chunk)
        let first = batch.count
        let stride = batch.stride
        let room = min(Self.blockRows, RecordBatch.rowLimit - first)
        let rows = max(1, min(room, RecordBatch.cellLimit / stride - first))
        batch.appendRows(rows)
        var block = CSVBlock(
            batch: batch,
            first: first,
            rows: rows,
            columns: table.columns,
            position: position
        )
        let start = base.assumingMemoryBound(to: UInt8.self)
        let pause = fill(&block, from: start, to: start + window.count, input.isAtEnd, table, limit)
        batch.removeLast(rows - block.used)
        input.consume(Int(block.position.byte &- position.byte))
        position = block.position
        rejectInvalidText(from: first, in: batch)
        return pause
    }

    private func fill(
        _ block: inout CSVBlock,
        from start: UnsafePointer<UInt8>,
        to end: UnsafePointer<UInt8>,
        _ isLast: Bool,
        _ table: Table,
        _ limit: Int64
    ) -> Pause {
        let comment = settings.dialect.comment
        let longest = settings.maxRecordBytes
        let columnCount = table.columns.count
        var scanner = CSVScanner(settings.dialect, at: start)
        var place = start
        while place < end {
            if block.isFull { return .blockFull }
            if block.position.byte >= limit { return .batchFull }
            if UInt16(place.pointee) == comment { return .comment }
            let cells = block.cells
            let isWhole = scanner.scan(
                place,
                to: end,
                isLast: isLast,
                into: cells,
                limit: columnCount
            )
            // Of a record not yet whole, the last byte may be half of its line end.
            let length = isWhole ? scanner.contentEnd - place : end - place - 1
            if length > longest { return .tooLong }
            guard isWhole else { return .windowEmpty }
            let raw = UnsafeRawBufferPointer(start: place, count: length)
            if scanner.problem == .none, scanner.cellCount == columnCount {
                if let misfit = table.cells.convert(cells, in: block.batch) {
                    block.reject(raw, table.columns.misfit(misfit, at: block.place))
                } else {
                    block.accept(raw)
                }
            } else if length > 0 || columnCount == 1 {
                block.reject(raw, scanner, table.columns)
            }
            block.position.byte &+= Int64(scanner.next - place)
            block.position.line &+= Int64(scanner.lineEnds)
            place = scanner.next
        }
        return .windowEmpty
    }

    private var place: CSVPlace { CSVPlace(line: position.line, byte: position.byte) }

    /// Rejects the rows from `first` on that are not UTF-8.
    ///
    /// Looks at all of them at once, and at each only if that fails. No character spans two rows,
    /// since the line end between them is no part of one.
    private func rejectInvalidText(from first: Int, in batch: RecordBatch) {
        guard first < batch.count else { return }
        let start = batch[metadata: first].raw
        let last = batch[metadata: batch.count - 1].raw
        guard let from = start.baseAddress, let lastStart = last.baseAddress else { return }
        let all = UnsafeRawBufferPointer(start: from, count: lastStart + last.count - from)
        if UTF8Check.isValid(all) { return }
        var rejected: [(row: Int, error: ConnectorError)] = []
        for row in first..<batch.count where !UTF8Check.isValid(batch[metadata: row].raw) {
            let metadata = batch[metadata: row]
            let place = CSVPlace(line: metadata.line, byte: metadata.offset)
            rejected.append((row, .csvEncoding(place)))
        }
        batch.reject(rejected)
    }
}

// MARK: - Input

extension CSVReader {
    /// Makes the window longer; a long record's by as much as there is, so that reading it anew
    /// each time costs no more than twice its length.
    private func grow(_ input: ByteInput) throws(ConnectorError) -> Bool {
        let before = input.window.count
        let goal = before > 64 << 10 ? min(before * 2, settings.maxRecordBytes + 65) : 0
        repeat {
            guard try input.fill() else { break }
        } while input.window.count < goal
        return input.window.count > before
    }

    private func skipRecord(_ input: ByteInput, _ batch: RecordBatch) throws(ConnectorError) {
        let prefix = Array(input.window.prefix(min(Self.keptPrefix, settings.maxRecordBytes)))
        var rejected = RejectedRecord(
            error: .csvTooLong(place, limit: settings.maxRecordBytes),
            topic: batch.topic,
            value: prefix,
            offset: position.byte,
            line: position.line
        )
        rejected.origin = batch.origin
        rejected.isCut = true
        var skipper = CSVSkipper(settings.dialect)
        while true {
            let (count, isOver) = skipper.skip(input.window)
            input.consume(count)
            position.byte &+= Int64(count)
            guard !isOver, try input.fill() else { break }
        }
        position.line &+= skipper.lineEnds
        position.record &+= 1
        batch.reject(rejected)
    }

    /// Passes over the rest of a line and its end; `false` when there was nothing.
    @discardableResult
    private func skipLine(_ input: ByteInput) throws(ConnectorError) -> Bool {
        var found = false
        while true {
            let window = input.window
            found = found || !window.isEmpty
            guard let at = window.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) else {
                consume(input, window.count)
                guard try input.fill() else { return found }
                continue
            }
            if window[at] == 0x0D, at + 1 == window.count, try input.fill() { continue }
            let isPair =
                input.window[at] == 0x0D && at + 1 < input.window.count
                && input.window[at + 1] == 0x0A
            consume(input, at + (isPair ? 2 : 1))
            position.line &+= 1
            return true
        }
    }

    private func consume(_ input: ByteInput, _ count: Int) {
        input.consume(count)
        position.byte &+= Int64(count)
    }
}

// MARK: - Header

extension CSVReader {
    private func setColumns(_ names: [String]) throws(ConnectorError) {
        let columns = try CSVColumns(names, settings)
        table = Table(columns: columns, cells: CSVCells(columns, settings))
        position.state = CSVHeader.encode(names)
    }

    /// Reads what precedes the first record, and so makes the table unless the input ends first.
    private func readHeader(_ input: ByteInput) throws(ConnectorError) {
        if position.byte == 0 {
            try skipByteOrderMark(input)
            for _ in 0..<settings.skipLines where try !skipLine(input) { return }
        }
        if !settings.hasHeader, !settings.columns.isEmpty {
            return try setColumns(settings.columns)
        }
        guard let row = try firstRow(input) else { return }
        if settings.hasHeader {
            consume(input, row.length)
            let line = position.line
            position.line &+= Int64(row.lineEnds)
            try checkHeader(row.cells, line: line)
        } else {
            try setColumns((1...row.cells.count).map { "c\($0)" })
        }
    }

    private func checkHeader(_ cells: [String?], line: Int64) throws(ConnectorError) {
        let names = cells.compactMap(\.self)
        guard names.count == cells.count else { throw .csvHeaderEncoding(line: line) }
        guard !settings.columns.isEmpty else {
            try CSVHeader.check(names, line: line)
            return try setColumns(names)
        }
        guard names.count == settings.columns.count else {
            throw .invalid(
                "columns",
                """
                \(settings.columns.count) names are given, but the header row at line \(line) has \
                \(names.count).
                """
            )
        }
        try setColumns(settings.columns)
    }

    private func skipByteOrderMark(_ input: ByteInput) throws(ConnectorError) {
        while input.window.count < 3 { guard try input.fill() else { break } }
        if input.window.starts(with: [0xEF, 0xBB, 0xBF]) { consume(input, 3) }
    }

    /// The texts of the first row, which stays in the window; `nil` texts are not UTF-8.
    private func firstRow(
        _ input: ByteInput
    ) throws(ConnectorError) -> (cells: [String?], length: Int, lineEnds: Int)? {
        while true {
            while input.window.isEmpty { guard try input.fill() else { return nil } }
            let first = input.window[0]
            let isBlank = first == 0x0A || first == 0x0D
            if isBlank || UInt16(first) == settings.dialect.comment {
                try skipLine(input)
                continue
            }
            if let row = try CSVFirstRow(input.window, settings.dialect, isLast: input.isAtEnd) {
                return (row.cells, row.length, row.lineEnds)
            }
            guard input.window.count <= settings.maxRecordBytes else {
                throw .csvTooLong(place, limit: settings.maxRecordBytes)
            }
            _ = try grow(input)
        }
    }
}
