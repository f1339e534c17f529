internal import ConnectorSDK
internal import JSONRecords

/// Reads records out of JSON documents that follow one another, with any white space between.
///
/// One record at a time is in memory (D7). After a syntax error nothing more can be
/// read, as nobody knows where the next record begins.
internal final class DocumentsReader {
    /// Where the reader is.
    ///
    /// Every place can be written down and returned to.
    enum Place: Equatable {
        /// Before a document.
        case document
        /// Before the one record that the path leads to, inside `depth` open containers.
        case target(depth: Int)
        /// In an array of records, behind its bracket.
        case firstElement(depth: Int)
        /// In an array of records, behind a record.
        case afterElement(depth: Int)
        /// In an array of records, behind a comma.
        case nextElement(depth: Int)
        /// Behind the records of a document, inside `depth` open containers.
        case leaving(depth: Int)
    }

    private let intake: RecordIntake
    private let path: JSONPointer?
    private let stream: DocumentStream
    private var place: Place
    private var record: Int64
    private var line: Int64
    private var byte: Int64

    init(_ intake: RecordIntake, path: JSONPointer?, position: ReaderPosition, place: Place) {
        self.intake = intake
        self.path = path
        self.place = place
        record = position.record
        line = position.line
        byte = position.byte
        stream = DocumentStream(line: position.line)
    }

    var position: ReaderPosition {
        ReaderPosition(byte: byte, line: line, record: record, state: place.state)
    }

    func read(_ input: ByteInput, into batch: RecordBatch) throws(ConnectorError) -> Bool {
        intake.begin(batch)
        stream.input = input
        defer {
            intake.end(batch)
            stream.input = nil
        }
        while true {
            let goesOn = try step(into: batch)
            byte = input.offset
            line = stream.line
            if goesOn == .atEnd { return batch.count > 0 || !batch.rejections.isEmpty }
            if goesOn == .batchIsCut || intake.isFull(batch) { return true }
            if isBetweenRecords, batch.count > 0 || !batch.rejections.isEmpty, stream.mustWait {
                return true
            }
        }
    }

    private var isBetweenRecords: Bool {
        switch place {
        case .document, .afterElement: true
        default: false
        }
    }

    private enum Step {
        case taken, batchIsCut, atEnd
    }

    /// Goes one step on: over one record, or over what is between records.
    private func step(into batch: RecordBatch) throws(ConnectorError) -> Step {
        switch place {
        case .document:
            guard let first = try stream.peek() else { return .atEnd }
            try enter(first, batch)
            return .taken
        case .target(let depth):
            return try takeRecord(at: depth, then: .leaving(depth: depth), batch)
        case .firstElement(let depth):
            let first = try stream.require()
            if first == UInt8(ascii: "]") { return try shut(depth) }
            return try takeRecord(at: depth + 1, then: .afterElement(depth: depth), batch)
        case .nextElement(let depth):
            return try takeRecord(at: depth + 1, then: .afterElement(depth: depth), batch)
        case .afterElement(let depth):
            let next = try stream.require()
            if next == UInt8(ascii: "]") { return try shut(depth) }
            guard next == UInt8(ascii: ",") else { throw stream.unexpected() }
            stream.consume(1)
            _ = try stream.require()
            place = .nextElement(depth: depth)
            return .taken
        case .leaving(let depth):
            try stream.skipToEnd(depth: depth)
            place = .document
            return .taken
        }
    }

    /// Shuts the array of records.
    private func shut(_ depth: Int) throws(ConnectorError) -> Step {
        stream.consume(1)
        place = .leaving(depth: depth)
        return .taken
    }

    /// Enters a document whose first byte is `first`, as far as the records.
    private func enter(_ first: UInt8, _ batch: RecordBatch) throws(ConnectorError) {
        guard let path else {
            if first == UInt8(ascii: "[") {
                stream.consume(1)
                place = .firstElement(depth: 0)
            } else {
                place = .target(depth: 0)
            }
            return
        }
        let start = RecordIntake.Place(byte: stream.offset, line: stream.line)
        let sample = stream.sample()
        let descent = try stream.descend(path)
        place = .leaving(depth: descent.depth)
        guard descent.isFound else {
            record += 1
            let error = ConnectorError(
                .pathNotFound,
                .rejectRecord,
                "The document at line \(start.line), byte \(start.byte) has nothing there.",
                at: JSONFormat.recordPath.declaration.name
            )
            return sample.withUnsafeBytes {
                intake.reject($0, error, at: start, isCut: true, in: batch)
            }
        }
        switch try stream.require() {
        case UInt8(ascii: "["):
            stream.consume(1)
            place = .firstElement(depth: descent.depth)
        case UInt8(ascii: "n"): try stream.skipNull()
        default: place = .target(depth: descent.depth)
        }
    }

    /// Takes the value that begins here as a record.
    private func takeRecord(
        at depth: Int,
        then next: Place,
        _ batch: RecordBatch
    ) throws(ConnectorError) -> Step {
        _ = try stream.require()
        let start = RecordIntake.Place(byte: stream.offset, line: stream.line)
        let limit = intake.maximumRecordBytes
        guard let text = try stream.value(limit: limit) else {
            intake.rejectTooLong(stream.window, at: start, in: batch)
            record += 1
            place = next
            try stream.skipTooLong()
            return .taken
        }
        batch.retain(stream.chunk)
        let outcome = intake.take(
            text,
            at: start,
            isValidUTF8: false,
            mayBreakLines: true,
            into: batch
        )
        switch outcome {
        case .conflict: return .batchIsCut
        case .broken(let error): throw stream.broken(error, in: start)
        case .taken:
            stream.consume(text)
            record += 1
            place = next
            return .taken
        }
    }
}

extension DocumentsReader.Place {
    /// The place as a text, such as `after/2`.
    var state: String {
        switch self {
        case .document: "document"
        case .target(let depth): "target/\(depth)"
        case .firstElement(let depth): "first/\(depth)"
        case .afterElement(let depth): "after/\(depth)"
        case .nextElement(let depth): "next/\(depth)"
        case .leaving(let depth): "leaving/\(depth)"
        }
    }

    /// Reads a place back; `nil` when the text is none.
    init?(state: String) {
        let parts = state.split(separator: "/")
        if state == "document" {
            self = .document
            return
        }
        guard parts.count == 2, let depth = Int(parts[1]), 0...JSONLimits.depth ~= depth else {
            return nil
        }
        switch parts[0] {
        case "target": self = .target(depth: depth)
        case "first": self = .firstElement(depth: depth)
        case "after": self = .afterElement(depth: depth)
        case "next": self = .nextElement(depth: depth)
        case "leaving": self = .leaving(depth: depth)
        default: return nil
        }
    }
}
