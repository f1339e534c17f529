internal import ConnectorSDK
internal import Glibc
internal import JSONRecords
internal import SQLiteClient
internal import TextParsing

/// The file that a table is read from, and when it is read again.
internal final class LookupSource {
    static let pathKey = ConfigKey<String>.required(
        "path",
        help: """
            The file: CSV with a header row, or a SQLite database, which is told by its content. A \
            relative path is relative to the pipeline file.
            """
    )
    static let tableKey = ConfigKey<String?>.optional(
        "table",
        help: "The table or view, of a SQLite database."
    )
    static let columnKey = ConfigKey<String>.required(
        "key.column",
        help: "The column of the table that has the values of `field`."
    )
    static let intervalKey = ConfigKey<Duration>.duration(
        "refresh.interval",
        default: .seconds(10),
        in: .milliseconds(100) ... .seconds(86_400),
        help: """
            How often to look whether the file has changed; if so, it is read again. A file that \
            cannot be read then stops the task only if there is no table from before.
            """
    )
    static let memoryKey = ConfigKey<Int>.size(
        "max.memory",
        default: 64 << 20,
        in: (1 << 10)...(1 << 40),
        help: "The memory that the table may take; a larger one stops the task."
    )

    private let path: String
    private let table: String?
    private let key: String
    private let values: [String]
    private let interval: Duration
    private let limit: Int
    private var lookedAt: ContinuousClock.Instant?
    private var stamp: [Int64] = []

    init(_ configuration: Configuration, values: [String]) throws(ConnectorError) {
        path = configuration.path(try configuration.get(Self.pathKey))
        table = try configuration.get(Self.tableKey)
        key = try configuration.get(Self.columnKey)
        interval = try configuration.get(Self.intervalKey)
        limit = try configuration.get(Self.memoryKey)
        self.values = values
        guard Set(values).count == values.count else {
            throw .invalid("values", "A column is named twice.")
        }
    }

    /// The table as it is now, or was when it was looked at last.
    func table(
        replacing known: LookupTable?,
        at now: ContinuousClock.Instant
    ) throws(ConnectorError) -> LookupTable {
        if let known, let lookedAt, now - lookedAt < interval { return known }
        lookedAt = now
        let current = Self.stamp(path) + Self.stamp(path + "-wal")
        if let known, current == stamp { return known }
        do throws(ConnectorError) {
            let read = try read()
            stamp = current
            return read
        } catch {
            // Somebody may be writing it; it is looked at again.
            if let known, error.code == .fileSystem || error.code == .lookupBusy { return known }
            throw error
        }
    }

    /// What changes when a file does.
    private static func stamp(_ path: String) -> [Int64] {
        var status = stat()
        guard stat(path, &status) == 0 else { return [] }
        return [
            Int64(status.st_size), Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec),
            Int64(bitPattern: UInt64(status.st_ino)),
        ]
    }

    private func read() throws(ConnectorError) -> LookupTable {
        guard let file = fopen(path, "r") else { throw unreadable(errno) }
        defer { fclose(file) }
        var head = [UInt8](repeating: 0, count: 16)
        let count = fread(&head, 1, head.count, file)
        let isDatabase = head[..<count].elementsEqual(Array("SQLite format 3\0".utf8))
        if isDatabase { return try readDatabase() }
        guard table == nil else {
            throw .invalid("table", "The file is no SQLite database, so it has no tables.")
        }
        rewind(file)
        var bytes: [UInt8] = []
        while true {
            let start = bytes.count
            bytes += [UInt8](repeating: 0, count: 1 << 18)
            let more = fread(&bytes[start], 1, 1 << 18, file)
            bytes.removeLast((1 << 18) - more)
            if more == 0 { break }
            guard bytes.count <= limit else { throw tooLarge }
        }
        guard ferror(file) == 0 else { throw unreadable(errno) }
        return try readCSV(Chunk(copying: bytes))
    }

    private func unreadable(_ code: Int32) -> ConnectorError {
        ConnectorError(
            .fileSystem,
            .retry(after: nil),
            "The table \(path) cannot be read: \(String(cString: strerror(code))).",
            kind: .environment,
            at: "path"
        )
    }

    private var tooLarge: ConnectorError {
        ConnectorError(
            .lookup,
            .failTask,
            "The table \(path) takes more memory than max.memory allows.",
            at: "max.memory",
            hint: "Raise it, or name fewer columns in `values`."
        )
    }

    private func noColumn(_ name: String, _ key: String, _ all: [String]) -> ConnectorError {
        .invalid(
            key,
            "The table \(path) has no column \(name).",
            hint: Spelling.nearest(to: name, in: all).map { "Did you mean \($0)?" }
        )
    }

    /// The positions of the key and of the columns that are wanted.
    private func resolve(_ all: [String]) throws(ConnectorError) -> (key: Int, values: [Int]) {
        guard let keyColumn = all.firstIndex(of: key) else {
            throw noColumn(key, "key.column", all)
        }
        guard !values.isEmpty else { return (keyColumn, all.indices.filter { $0 != keyColumn }) }
        var columns: [Int] = []
        for name in values {
            guard let column = all.firstIndex(of: name) else {
                throw noColumn(name, "values", all)
            }
            columns.append(column)
        }
        return (keyColumn, columns)
    }
}

// MARK: - CSV

extension LookupSource {
    private func readCSV(_ chunk: Chunk) throws(ConnectorError) -> LookupTable {
        let text = UnsafeRawBufferPointer(chunk.bytes)
        if let offset = JSONRecordParser.firstInvalidUTF8(text), !text.isEmpty {
            throw broken(line: 1, "byte \(offset + 1) of the file is not UTF-8")
        }
        let scratch = RecordBatch()
        scratch.reset(topic: "")
        scratch.retain(chunk)
        var lines = CSVLines(text)
        guard let header = lines.next() else { throw broken(line: 1, "there is no header row") }
        let width = DelimitedParser.columnCount(of: header)
        let names = DelimitedParser(columns: (0..<width).map { "\($0)" })
        if let problem = names.parse(header, in: scratch) {
            throw broken(line: 1, problem.reason)
        }
        let columns = (0..<width).map {
            String(decoding: names.fields.cells[$0].slice, as: UTF8.self)
        }
        guard Set(columns).count == columns.count else {
            throw broken(line: 1, "a column's name stands twice in the header")
        }
        let (keyColumn, wanted) = try resolve(columns)
        let parser = DelimitedParser(columns: columns)
        let table = LookupTable(columns: wanted.map { columns[$0] }, limit: limit)
        while let line = lines.next() {
            if line.isEmpty { continue }
            if let problem = parser.parse(line, in: scratch) {
                throw broken(line: lines.number, problem.reason)
            }
            let cells = parser.fields.cells
            guard table.add(cells[keyColumn].slice, wanted.map { cells[$0] }) else {
                throw tooLarge
            }
        }
        return table
    }

    private func broken(line: Int, _ reason: String) -> ConnectorError {
        ConnectorError(
            .lookup,
            .failTask,
            "The table \(path) is broken in line \(line): \(reason).",
            at: "path"
        )
    }
}

/// The rows of a CSV file; a line end between quotes belongs to the row.
private struct CSVLines {
    private let text: UnsafeRawBufferPointer
    private var at: Int
    /// The number of the row's first line, from 1.
    private(set) var number = 0
    private var nextNumber = 1

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
        at = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    mutating func next() -> UnsafeRawBufferPointer? {
        guard at < text.count else { return nil }
        number = nextNumber
        let start = at
        var isQuoted = false
        while at < text.count, text[at] != 0x0A || isQuoted {
            if text[at] == 0x22 { isQuoted.toggle() }
            if text[at] == 0x0A { nextNumber += 1 }
            at += 1
        }
        var end = at
        if end > start, text[end - 1] == 0x0D { end -= 1 }
        at += 1
        nextNumber += 1
        return UnsafeRawBufferPointer(rebasing: text[start..<end])
    }
}

// MARK: - SQLite

extension LookupSource {
    private func readDatabase() throws(ConnectorError) -> LookupTable {
        guard let name = table else {
            throw .invalid("table", "The file is a SQLite database, so the table must be named.")
        }
        let read: Result<LookupTable, ConnectorError>
        do throws(SQLiteFailure) {
            let database = try SQLiteHandle(path: path, mode: .readOnly)
            let quoted = name.split(separator: "\"", omittingEmptySubsequences: false)
                .joined(separator: "\"\"")
            read = try self.read(try database.prepare("SELECT * FROM \"\(quoted)\""))
        } catch {
            throw ConnectorError(
                .lookupBusy,
                .retry(after: nil),
                "The table \(name) of \(path) cannot be read.",
                at: "table",
                underlying: error
            )
        }
        return try read.get()
    }

    private func read(
        _ statement: SQLiteStatement
    ) throws(SQLiteFailure) -> Result<LookupTable, ConnectorError> {
        let columns = (0..<statement.columnCount).map { statement.columnName($0) }
        let keyColumn: Int, wanted: [Int]
        do throws(ConnectorError) {
            (keyColumn, wanted) = try resolve(columns)
        } catch {
            return .failure(error)
        }
        let table = LookupTable(columns: wanted.map { columns[$0] }, limit: limit)
        while try statement.step() {
            // SQLite shows a number as the text that JSON has for it.
            if statement.isNull(keyColumn) { continue }
            let values = wanted.map { Self.cell(statement, $0) }
            guard table.add(statement.text(keyColumn), values) else { return .failure(tooLarge) }
        }
        return .success(table)
    }

    private static func cell(_ statement: SQLiteStatement, _ column: Int) -> Cell {
        switch statement.storageClass(column) {
        case .integer: return .int(statement.int64(column))
        case .real: return .double(statement.double(column))
        case .blob: return .slice(.bytes, statement.blob(column))
        case .null: return .null
        case .text:
            let text = statement.text(column)
            // SQLite takes any bytes for text.
            let isText = (try? UTF8Span(validating: text.bindMemory(to: UInt8.self).span)) != nil
            return .slice(isText ? .string : .bytes, text)
        }
    }
}

extension ConnectorError.Code {
    /// A table cannot be read at the moment.
    fileprivate static let lookupBusy = Self("transform.lookup_unreadable")
}
