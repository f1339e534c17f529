public import ConnectorSDK

/// Takes lines of keys and values apart: logfmt, and others with delimiters of their own.
///
/// `level=info msg="has blanks" done` has the fields `level`, `msg` and `done`, which is true.
/// Values are texts; in quotes `\"`, `\\`, `\n`, `\r`, `\t` and `\u00e9` mean what they do in JSON.
/// Of keys that are repeated the last counts.
public final class KeyValueParser: LineParser {
    public let fields: LineFields
    private var index: NameIndex
    private let pairs: LineDelimiter
    private let values: LineDelimiter

    /// Makes a parser; without arguments, of logfmt.
    ///
    /// - Parameters:
    ///   - pairDelimiter: what stands between a value and the next key. A blank stands for any
    ///     number of blanks and tabs; around others, blanks do not count.
    ///   - valueDelimiter: what stands between a key and its value.
    public init(pairDelimiter: String = " ", valueDelimiter: String = "=") {
        fields = LineFields()
        index = NameIndex(fields)
        pairs = LineDelimiter(pairDelimiter)
        values = LineDelimiter(valueDelimiter)
    }

    public func begin(_ batch: RecordBatch) { index.beginBatch() }

    public func parse(_ line: UnsafeRawBufferPointer, in batch: RecordBatch) -> LineProblem? {
        index.beginLine()
        guard var cursor = LineCursor(line) else { return LineProblem("the line is empty", at: 0) }
        while true {
            pairs.skip(&cursor)
            if cursor.isAtEnd { return nil }
            if let problem = pair(&cursor, batch) { return problem }
        }
    }

    @inline(__always)
    private func pair(_ cursor: inout LineCursor, _ batch: RecordBatch) -> LineProblem? {
        let offset = cursor.offset
        let name: UnsafeRawBufferPointer
        if cursor.take(UInt8(ascii: "\"")) {
            guard let text = cursor.quoted(), let plain = EscapedValue.read(text, in: batch) else {
                return LineProblem("no quote ends the key, or an escape in it is none", at: offset)
            }
            name = plain
        } else {
            let from = cursor.at
            cursor.at = values.find(in: cursor, before: pairs)
            name = pairs.trim(LineCursor.bytes(from, cursor.at))
        }
        guard !name.isEmpty else { return LineProblem("a key is missing", at: offset) }
        guard let field = index.next(name) else { return fields.excess(at: offset) }
        guard values.take(&cursor) else {
            guard cursor.isAtEnd || pairs.isHere(cursor) else {
                return LineProblem("a delimiter must follow the key in quotes", at: cursor.offset)
            }
            fields.cells[field] = .bool(true)
            return nil
        }
        if !pairs.isBlank { while cursor.take(0x20) {} }
        let start = cursor.offset
        guard cursor.take(UInt8(ascii: "\"")) else {
            let from = cursor.at
            cursor.at = pairs.find(in: cursor)
            fields.cells[field] = .slice(.string, pairs.trim(LineCursor.bytes(from, cursor.at)))
            return nil
        }
        guard let text = cursor.quoted() else {
            return LineProblem("no quote ends the value", at: start)
        }
        guard let plain = EscapedValue.read(text, in: batch) else {
            return LineProblem("an escape in the value is none", at: start)
        }
        if !pairs.isBlank { while cursor.take(0x20) {} }
        guard cursor.isAtEnd || pairs.isHere(cursor) else {
            return LineProblem("a delimiter must follow the value in quotes", at: cursor.offset)
        }
        fields.cells[field] = .slice(.string, plain)
        return nil
    }
}

/// What stands between pairs, or between a key and its value.
internal struct LineDelimiter {
    private let bytes: [UInt8]
    private let first: UInt8
    /// Whether it is a blank, which stands for any number of blanks and tabs.
    let isBlank: Bool

    init(_ text: String) {
        bytes = Array(text.utf8)
        first = bytes.first ?? 0x20
        isBlank = text == " "
    }

    /// Whether the cursor is at the delimiter.
    @inline(__always)
    func isHere(_ cursor: LineCursor) -> Bool { stands(at: cursor.at, cursor.end) }

    /// Passes the delimiter, if it is there.
    @inline(__always)
    func take(_ cursor: inout LineCursor) -> Bool {
        guard stands(at: cursor.at, cursor.end) else { return false }
        cursor.at += isBlank ? 1 : bytes.count
        return true
    }

    /// Passes delimiters and blanks.
    @inline(__always)
    func skip(_ cursor: inout LineCursor) {
        while cursor.at < cursor.end {
            if cursor.at.pointee == 0x20 || cursor.at.pointee == 0x09 {
                cursor.at += 1
            } else if isBlank || !take(&cursor) {
                return
            }
        }
    }

    /// The next place of the delimiter, or the end.
    @inline(__always)
    func find(in cursor: LineCursor) -> UnsafePointer<UInt8> {
        var place = cursor.at
        while true {
            place =
                isBlank
                ? cursor.find(0x20, or: 0x09, from: place) : cursor.find(first, from: place)
            if place == cursor.end || stands(at: place, cursor.end) { return place }
            place += 1
        }
    }

    /// The next place of this delimiter or of another one, or the end.
    @inline(__always)
    func find(in cursor: LineCursor, before other: LineDelimiter) -> UnsafePointer<UInt8> {
        var place = cursor.at
        while place < cursor.end {
            if stands(at: place, cursor.end) || other.stands(at: place, cursor.end) { return place }
            place += 1
        }
        return cursor.end
    }

    /// The text without blanks around it, unless they are what delimits.
    @inline(__always)
    func trim(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        if isBlank { return text }
        var text = text
        while text.last == 0x20 || text.last == 0x09 { text = .init(rebasing: text.dropLast()) }
        while text.first == 0x20 || text.first == 0x09 { text = .init(rebasing: text.dropFirst()) }
        return text
    }

    @inline(__always)
    private func stands(at place: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        guard place < end else { return false }
        if isBlank { return place.pointee == 0x20 || place.pointee == 0x09 }
        guard place.pointee == first else { return false }
        if bytes.count == 1 { return true }
        guard end - place >= bytes.count else { return false }
        for index in 1..<bytes.count where place[index] != bytes[index] { return false }
        return true
    }
}
