internal import ConnectorSDK
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

    /// Looks at how the stream begins, where the settings leave it open.
    private func decide(_ input: ByteInput) throws(ConnectorError) -> Mode? {
        var position = start
        if position.byte == 0 { try skipByteOrderMark(input) }
        guard let first = try skipSpace(input, counting: &position.line) else { return nil }
        position.byte = input.offset
        if path == nil, style == .lines { return .lines(LinesReader(intake, position: position)) }
        if path != nil || style == .array || first == UInt8(ascii: "[") {
            return .documents(makeDocuments(position, .document))
        }
        let layout = LayoutDetection(
            input: input,
            maximumRecordBytes: intake.maximumRecordBytes
        )
        return try layout.isLines(first: first)
            ? .lines(LinesReader(intake, position: position))
            : .documents(makeDocuments(position, .document))
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
