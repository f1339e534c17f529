internal import ConnectorSDK
internal import Glibc
internal import JSONRecords

/// Tells by how a stream begins whether each line is a record, or documents go over lines.
///
/// Nothing is consumed. A first line that holds a whole value tells lines. One that is left open
/// begins a document, unless the lines behind it could not stand in one.
internal struct LayoutDetection {
    /// How far to look behind a first line that is left open.
    private static let reach = 1 << 20

    let input: ByteInput
    let maximumRecordBytes: Int

    /// Whether the stream, whose next byte is `first`, is records on lines.
    func isLines(first: UInt8) throws(ConnectorError) -> Bool {
        let line = try line(from: 0, limit: maximumRecordBytes)
        var extent = JSONExtent(first: first)
        let text = text(line.range)
        if let end = extent.advance(text) { return !Self.beginsValue(text[end...]) }
        // Inside a string a line break is an error either way, so the line alone is bad.
        if extent.isScalar || extent.isInString || !line.isComplete { return true }
        return try isBrokenLine(before: line.range.upperBound + 1, extent)
    }

    /// Whether a first line that is left open is a broken record, by the lines that follow.
    ///
    /// Inside of a document, an object that has a line for itself is followed by a comma or a
    /// bracket: never by another object, and never by the end of the stream.
    private func isBrokenLine(
        before start: Int,
        _ opened: JSONExtent
    ) throws(ConnectorError) -> Bool {
        var extent = opened
        var start = start
        var isAlone = true
        var followsObject = false
        while start < Self.reach {
            let line = try line(from: start, limit: Self.reach)
            let text = text(line.range)
            if let first = text.first(where: { !JSONReader.isSpace($0) }) {
                if followsObject, first == UInt8(ascii: "{") { return true }
                if extent.advance(text) != nil || extent.isInString { return false }
                isAlone = false
                followsObject = Self.isObject(text)
            }
            guard line.isComplete else {
                return line.isLast && (isAlone || followsObject)
            }
            start = line.range.upperBound + 1
        }
        return false
    }

    /// Whether a line holds one object and nothing else.
    private static func isObject(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let start = line.firstIndex(where: { !JSONReader.isSpace($0) }),
            line[start] == UInt8(ascii: "{")
        else { return false }
        var extent = JSONExtent(first: line[start])
        let text = UnsafeRawBufferPointer(rebasing: line[start...])
        guard let end = extent.advance(text) else { return false }
        return text[end...].allSatisfy(JSONReader.isSpace)
    }

    /// Whether what follows a value on its line is another value.
    private static func beginsValue(_ rest: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard let first = rest.first(where: { !JSONReader.isSpace($0) }) else { return false }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "-"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "t"), UInt8(ascii: "f"),
            UInt8(ascii: "n"):
            return true
        default: return false
        }
    }

    /// A line of the window.
    private struct Line {
        /// Its place in the window, without its line break.
        var range: Range<Int>
        /// Whether its line break was seen.
        var isComplete: Bool
        /// Whether the stream ends with it.
        var isLast = false
    }

    /// The line that begins at `start` of the window, as far as the first `limit` bytes reach.
    private func line(from start: Int, limit: Int) throws(ConnectorError) -> Line {
        var seen = start
        while true {
            let window = input.window
            if let base = window.baseAddress, seen < window.count,
                let found = memchr(base + seen, 0x0A, window.count - seen)
            {
                return Line(range: start..<(UnsafeRawPointer(found) - base), isComplete: true)
            }
            seen = max(start, window.count)
            if window.count > limit { return Line(range: start..<seen, isComplete: false) }
            if try !input.fill() {
                return Line(
                    range: start..<max(start, input.window.count),
                    isComplete: false,
                    isLast: true
                )
            }
        }
    }

    private func text(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: input.window[range])
    }
}
