internal import ConnectorSDK
internal import Glibc
internal import JSONRecords

/// Reads a stream of JSON, line by line or document by document, whichever it turns out to be.
internal final class JSONReader: RecordReader {
    private enum Mode {
        case undecided
        case lines(LinesReader)
        case documents(DocumentsReader)
    }

    private let path: JSONPointer?
    private let style: JSONFormat.Style
    private let intake: RecordIntake
    private let start: ReaderPosition
    private var mode = Mode.undecided

    init(
        path: JSONPointer?,
        style: JSONFormat.Style,
        maximumRecordBytes: Int,
        position: ReaderPosition
    ) throws(ConnectorError) {
        self.path = path
        self.style = style
        intake = RecordIntake(maximumRecordBytes: maximumRecordBytes)
        start = position
        if position.state == Self.linesState {
            mode = .lines(LinesReader(intake, position: position))
        } else if let state = position.state {
            guard let place = DocumentsReader.Place(state: state) else {
                throw ConnectorError(
                    .jsonSyntax,
                    .failTask,
                    "The stored position of this stream is of another format.",
                    hint: "Reset the connector's positions."
                )
            }
            mode = .documents(makeDocuments(position, place))
        }
    }

    private static let linesState = "lines"

    var startsAtByte: Bool { true }

    var position: ReaderPosition {
        switch mode {
        case .undecided: return start
        case .lines(let reader):
            var position = reader.position
            position.state = Self.linesState
            return position
        case .documents(let reader): return reader.position
        }
    }

    func read(_ input: ByteInput, into batch: RecordBatch) throws(ConnectorError) -> Bool {
        if case .undecided = mode {
            guard let decided = try decide(input) else { return false }
            mode = decided
        }
        switch mode {
        case .undecided: return false
        case .lines(let reader): return try reader.read(input, into: batch)
        case .documents(let reader): return try reader.read(input, into: batch)
        }
    }

    private func makeDocuments(
        _ position: ReaderPosition,
        _ place: DocumentsReader.Place
    ) -> DocumentsReader {
        DocumentsReader(intake, path: path, position: position, place: place)
    }

    // MARK: - Telling lines from documents

    /// Looks at the first value: lines when it ends with its line, documents when it goes on.
    private func decide(_ input: ByteInput) throws(ConnectorError) -> Mode? {
        var position = start
        if position.byte == 0 { try skipByteOrderMark(input) }
        guard let first = try skipSpace(input, counting: &position.line) else { return nil }
        position.byte = input.offset
        if path == nil, style == .lines { return .lines(LinesReader(intake, position: position)) }
        if path != nil || style == .array || first == UInt8(ascii: "[") {
            return .documents(makeDocuments(position, .document))
        }
        let line = try firstLine(input)
        var extent = JSONExtent(first: first)
        let end = extent.advance(line.text)
        let goesOn: Bool
        if let end {
            goesOn = Self.beginsValue(line.text[end...])
        } else {
            // Inside a string a line break is an error either way, so the line alone is bad.
            goesOn = !extent.isScalar && !extent.isInString && line.isComplete
        }
        return goesOn
            ? .documents(makeDocuments(position, .document))
            : .lines(LinesReader(intake, position: position))
    }

    /// Whether what follows a value on its line is another value.
    private static func beginsValue(_ rest: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard let first = rest.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else {
            return false
        }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "-"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "t"), UInt8(ascii: "f"),
            UInt8(ascii: "n"):
            return true
        default: return false
        }
    }

    /// The window's first line, as far as a record may reach.
    private func firstLine(
        _ input: ByteInput
    ) throws(ConnectorError) -> (text: UnsafeRawBufferPointer, isComplete: Bool) {
        while true {
            let window = input.window
            if let base = window.baseAddress, let found = memchr(base, 0x0A, window.count) {
                let end = UnsafeRawPointer(found) - base
                return (UnsafeRawBufferPointer(rebasing: window[..<end]), true)
            }
            if window.count > intake.maximumRecordBytes { return (window, false) }
            if try !input.fill() { return (input.window, false) }
        }
    }

    private func skipByteOrderMark(_ input: ByteInput) throws(ConnectorError) {
        while input.window.count < 3 {
            guard try input.fill() else { return }
        }
        let window = input.window
        if window[0] == 0xEF, window[1] == 0xBB, window[2] == 0xBF { input.consume(3) }
    }

    /// Consumes white space, and returns the byte behind it; `nil` at the end of the stream.
    private func skipSpace(
        _ input: ByteInput,
        counting line: inout Int64
    ) throws(ConnectorError) -> UInt8? {
        while true {
            let window = input.window
            var at = 0
            while at < window.count, Self.isSpace(window[at]) {
                if window[at] == 0x0A { line += 1 }
                at += 1
            }
            let next = at < window.count ? window[at] : nil
            input.consume(at)
            if let next { return next }
            guard try input.fill() else { return nil }
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}
