public import ConnectorSDK

/// Takes apart lines that Apache's and nginx's access logs have: `common` and `combined`.
///
/// `host identity user [time] "request" status size`, in `combined` also `"referrer" "agent"`, and
/// behind them, as nginx's own packages configure it, `"forwarded for"`. A `-` is null. Escapes
/// such as `\"` and `\x22` stay as the server wrote them.
public final class AccessLogParser: LineParser {
    /// What stands in a line.
    public enum Style: Sendable {
        /// Up to the size.
        case common
        /// Referrer and agent, too.
        case combined
    }

    private enum Column {
        static let host = 0, identity = 1, user = 2, timestamp = 3, method = 4, path = 5
        static let version = 6, status = 7, size = 8, request = 9, referrer = 10, agent = 11
        static let forwarded = 12
    }

    public let fields: LineFields
    private let style: Style
    private var clock = AccessLogTime()

    /// Makes a parser.
    public init(_ style: Style) {
        self.style = style
        var names = [
            Field("host", .string), Field("identity", .string), Field("user", .string),
            Field("timestamp", .timestamp), Field("method", .string), Field("path", .string),
            Field("protocol", .string), Field("status", .int32), Field("size", .int64),
            Field("request", .string),
        ]
        if style == .combined {
            names += [
                Field("referrer", .string), Field("agent", .string),
                Field("forwarded_for", .string),
            ]
        }
        fields = LineFields(names)
    }

    public func parse(_ line: UnsafeRawBufferPointer, in batch: RecordBatch) -> LineProblem? {
        guard var cursor = LineCursor(line) else { return LineProblem("the line is empty", at: 0) }
        let cells = fields.cells
        if let problem = origin(&cursor, cells) { return problem }
        if let problem = request(&cursor, cells) { return problem }
        if let problem = outcome(&cursor, cells) { return problem }
        guard style == .combined else { return end(cursor, "the size") }
        cells[Column.forwarded] = .missing
        for (column, name) in [
            (Column.referrer, "referrer" as StaticString), (Column.agent, "agent"),
        ] {
            guard cursor.take(0x20), cursor.take(0x22) else {
                return LineProblem(
                    "a blank and the \(name) in quotes must follow",
                    at: cursor.offset
                )
            }
            let start = cursor.offset
            guard let text = cursor.quoted() else {
                return LineProblem("no quote ends the \(name)", at: start)
            }
            cells[column] = Self.text(text)
        }
        guard !cursor.isAtEnd else { return nil }
        let start = cursor.offset
        guard cursor.take(0x20), cursor.take(0x22), let text = cursor.quoted() else {
            return LineProblem("nothing or a text in quotes must follow the agent", at: start)
        }
        cells[Column.forwarded] = Self.text(text)
        return end(cursor, "the text behind the agent")
    }

    /// `host identity user [time]`.
    @inline(__always)
    private func origin(
        _ cursor: inout LineCursor,
        _ cells: UnsafeMutablePointer<Cell>
    ) -> LineProblem? {
        let host = cursor.word()
        guard !host.isEmpty else { return LineProblem("it must begin with a host", at: 0) }
        cells[Column.host] = .slice(.string, host)
        let identity = cursor.word()
        guard !identity.isEmpty else {
            return LineProblem("an identity or `-` must follow the host", at: cursor.offset)
        }
        cells[Column.identity] = Self.text(identity)
        // A user's name may have blanks in it.
        let from = cursor.at
        var bracket = cursor.find(0x5B, from: from)
        while bracket < cursor.end, bracket == from || bracket[-1] != 0x20 {
            bracket = cursor.find(0x5B, from: bracket + 1)
        }
        guard bracket < cursor.end, bracket - from >= 2 else {
            return LineProblem("a user or `-` and `[time]` must follow", at: cursor.offset)
        }
        cells[Column.user] = Self.text(LineCursor.bytes(from, bracket - 1))
        cursor.at = bracket + 1
        guard let time = clock.read(cursor.at, to: cursor.end) else {
            return LineProblem(
                "the time must be such as 10/Oct/2000:13:55:36 -0700",
                at: cursor.offset
            )
        }
        cells[Column.timestamp] = time
        cursor.at += AccessLogTime.length
        guard cursor.take(0x5D) else {
            return LineProblem("`]` must end the time", at: cursor.offset)
        }
        return nil
    }

    /// `"GET /path HTTP/1.1"`; what is not such is kept whole.
    @inline(__always)
    private func request(
        _ cursor: inout LineCursor,
        _ cells: UnsafeMutablePointer<Cell>
    ) -> LineProblem? {
        guard cursor.take(0x20), cursor.take(0x22) else {
            return LineProblem("a blank and the request in quotes must follow", at: cursor.offset)
        }
        let offset = cursor.offset
        guard let text = cursor.quoted(), let start = text.baseAddress else {
            return LineProblem("no quote ends the request", at: offset)
        }
        cells[Column.request] = .missing
        let from = start.assumingMemoryBound(to: UInt8.self)
        let end = from + text.count
        var method = from
        while method < end, method.pointee &- 0x41 < 26 { method += 1 }
        var version = end
        while version > method, version[-1] != 0x20 { version -= 1 }
        if method > from, method < end, method.pointee == 0x20, version > method + 2,
            Self.isVersion(version, to: end)
        {
            cells[Column.method] = .slice(.string, LineCursor.bytes(from, method))
            cells[Column.path] = .slice(.string, LineCursor.bytes(method + 1, version - 1))
            cells[Column.version] = .slice(.string, LineCursor.bytes(version, end))
            return nil
        }
        cells[Column.method] = .null
        cells[Column.path] = .null
        cells[Column.version] = .null
        cells[Column.request] = Self.text(text)
        return nil
    }

    @inline(__always)
    private static func isVersion(
        _ start: UnsafePointer<UInt8>,
        to end: UnsafePointer<UInt8>
    ) -> Bool {
        guard end - start > 5 else { return false }
        let word = UnsafeRawPointer(start).loadUnaligned(as: UInt32.self)
        return word == UInt32(littleEndian: 0x5054_5448) && start[4] == UInt8(ascii: "/")
    }

    /// ` 200 2326`.
    @inline(__always)
    private func outcome(
        _ cursor: inout LineCursor,
        _ cells: UnsafeMutablePointer<Cell>
    ) -> LineProblem? {
        guard cursor.take(0x20), let status = Self.number(&cursor, digits: 3...3) else {
            return LineProblem(
                "a blank and a status of three digits must follow",
                at: cursor.offset
            )
        }
        cells[Column.status] = status
        guard cursor.take(0x20), let size = Self.number(&cursor, digits: 1...18) else {
            return LineProblem("a blank and a size or `-` must follow", at: cursor.offset)
        }
        cells[Column.size] = size
        return nil
    }

    /// Digits, or `-` for null.
    @inline(__always)
    private static func number(_ cursor: inout LineCursor, digits: ClosedRange<Int>) -> Cell? {
        if cursor.take(0x2D) { return .null }
        let from = cursor.at
        var value: Int64 = 0
        while cursor.at < cursor.end, case let digit = cursor.at.pointee &- 0x30, digit <= 9 {
            value = value &* 10 &+ Int64(digit)
            cursor.at += 1
        }
        guard digits.contains(cursor.at - from) else {
            cursor.at = from
            return nil
        }
        return .int(value)
    }

    @inline(__always)
    private static func text(_ bytes: UnsafeRawBufferPointer) -> Cell {
        bytes.count == 1 && bytes[0] == 0x2D ? .null : .slice(.string, bytes)
    }

    private func end(_ cursor: LineCursor, _ what: StaticString) -> LineProblem? {
        var cursor = cursor
        while cursor.take(0x20) {}
        return cursor.isAtEnd
            ? nil : LineProblem("nothing may follow \(what)", at: cursor.offset)
    }
}
