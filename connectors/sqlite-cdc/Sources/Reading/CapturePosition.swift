internal import ConnectorSDK
internal import JSONRecords
internal import TableMapping

/// How far a capture has come: in the log, and in the tables that are being read.
///
/// As text such as `{"capture":"9f…","from":120,"change":125,"at":1790000000000,"group":130,
/// "seen":4,"todo":"3 4","table":2,"key":"i77"}`.
internal struct CapturePosition: Equatable, Sendable {
    /// The part's name among the connector's positions.
    static let partition = "log"

    /// Which capture it belongs to, see ``Registry/State``.
    var capture: String
    /// All changes through this one were sent, and those of its transaction with it.
    var from: Int64
    /// The last change that was sent; beyond ``from`` in the middle of a group.
    var change: Int64
    /// When ``change`` was made, as the log says: in another copy of the database the change of
    /// that number is another one.
    var time: Int64 = 0
    /// The last change of the group that is being sent.
    var group: Int64
    /// Layouts up to this one are known: their tables were read, or stand in ``todo``.
    var seen: Int64 = 0
    /// Tables that are still to be read, by the number of their first layout.
    var todo: [Int64] = []
    /// The table that is being read.
    var table: Int64?
    /// The last row of it that was sent.
    var key: ScanKey?
    /// Whether changes are told also of rows that were not read yet, because some were before.
    var isRescan = false

    init(capture: String, from: Int64, time: Int64) {
        self.capture = capture
        self.from = from
        self.time = time
        change = from
        group = from
    }

    /// Whether the changes before are only a part of their group.
    var isWithinGroup: Bool { change < group }

    /// Whether tables are still to be read.
    var isReadingTables: Bool { table != nil || !todo.isEmpty }

    // MARK: - As text

    /// What stands for a capture that was removed from its database.
    static let removed = SourcePosition(partition: partition, offset: #"{"removed":true}"#)
    /// The same, after everything was read that was to be read.
    static let done = SourcePosition(
        partition: partition,
        offset: #"{"removed":true,"done":true}"#
    )

    var position: SourcePosition {
        var text =
            #"{"capture":"\#(capture)","from":\#(from),"change":\#(change),"at":\#(time)"#
        text += #","group":\#(group),"seen":\#(seen)"#
        if !todo.isEmpty { text += #","todo":"\#(todo.map(String.init).joined(separator: " "))""# }
        if let table { text += #","table":\#(table)"# }
        if let key { text += #","key":"\#(key.text)""# }
        if isRescan { text += #","rescan":true"# }
        return SourcePosition(partition: Self.partition, offset: text + "}")
    }

    /// Reads a position.
    ///
    /// - Returns: `nil` for none, and for that of a capture that was removed.
    /// - Throws: for a text that is no position. (D9)
    static func read(_ text: String?) throws(ConnectorError) -> CapturePosition? {
        guard let text else { return nil }
        let batch = RecordBatch()
        let chunk = Chunk(copying: text.utf8)
        batch.retain(chunk)
        let parser = JSONRecordParser()
        parser.begin(batch)
        guard parser.append(UnsafeRawBufferPointer(chunk.bytes), to: batch) == .parsed else {
            throw unreadable
        }
        if batch.value(0, "removed") == .bool(true) { return nil }
        func number(_ name: String) -> Int64? {
            guard case .int(let number) = batch.value(0, name) else { return nil }
            return number
        }
        guard case .string(let capture) = batch.value(0, "capture"), let from = number("from"),
            let change = number("change"), let time = number("at"), let group = number("group"),
            let seen = number("seen"), from <= change, change <= group
        else { throw unreadable }
        var position = CapturePosition(capture: capture, from: from, time: time)
        position.change = change
        position.group = group
        position.seen = seen
        if case .string(let todo) = batch.value(0, "todo") {
            position.todo = todo.split(separator: " ").compactMap { Int64($0) }
        }
        position.table = number("table")
        if case .string(let key) = batch.value(0, "key") {
            guard let read = ScanKey(text: key) else { throw unreadable }
            position.key = read
        }
        position.isRescan = batch.value(0, "rescan") == .bool(true)
        return position
    }

    private static var unreadable: ConnectorError {
        ConnectorError(
            .init("sqlite_cdc.position"),
            .failTask,
            "The stored position is not one of this connector.",
            hint: "Reset the connector's offsets to read the tables from the beginning."
        )
    }
}

/// Where in a table a row stands: its row id, or its key.
internal struct ScanKey: Equatable, Sendable {
    let values: [OrderValue]

    init(_ values: [OrderValue]) { self.values = values }

    /// The row id, where that is what rows are read by.
    var rowID: Int64? {
        guard values.count == 1, case .integer(let number) = values[0] else { return nil }
        return number
    }

    static func == (left: ScanKey, right: ScanKey) -> Bool { left.text == right.text }

    /// `i77` a whole number, `r` a real as the bits it has, `t` a text and `b` bytes as
    /// hexadecimal digits, with spaces between.
    var text: String {
        values.map { value in
            switch value {
            case .integer(let number): "i\(number)"
            case .real(let number): "r\(String(number.bitPattern, radix: 16))"
            case .text(let bytes): "t\(Self.hexadecimal(bytes.raw))"
            case .blob(let bytes): "b\(Self.hexadecimal(bytes.raw))"
            }
        }.joined(separator: " ")
    }

    init?(text: String) {
        var values: [OrderValue] = []
        for part in text.split(separator: " ") {
            guard let value = Self.value(part) else { return nil }
            values.append(value)
        }
        guard !values.isEmpty else { return nil }
        self.values = values
    }

    private static func value(_ part: Substring) -> OrderValue? {
        let rest = part.dropFirst()
        switch part.first {
        case "i": return Int64(rest).map { .integer($0) }
        case "r": return UInt64(rest, radix: 16).map { .real(Double(bitPattern: $0)) }
        case "t": return bytes(rest).map { .text(OrderValue.Bytes($0)) }
        case "b": return bytes(rest).map { .blob(OrderValue.Bytes($0)) }
        default: return nil
        }
    }

    private static func hexadecimal(_ bytes: UnsafeRawBufferPointer) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(_ digits: Substring) -> [UInt8]? {
        let digits = Array(digits.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard
                let byte = UInt8(
                    String(decoding: digits[index...index + 1], as: UTF8.self),
                    radix: 16
                )
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
