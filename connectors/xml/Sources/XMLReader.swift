import CXMLShim
import ConnectorSDK

/// Reads the elements that `record.path` names as records.
///
/// The parser is given the input in small pieces, and only as its events are used up, so a batch
/// ends where it should. The input's window keeps the record being read, as it arrived.
final class XMLReader: RecordReader {
    /// The bytes given to the parser at a time: its events then stay in the processor's cache.
    private static let piece = 16 << 10
    /// The bytes of a record too long to hold that its rejection keeps.
    private static let keptPrefix = 64 << 10

    let startsAtByte = false
    private(set) var position: ReaderPosition

    private let settings: XMLSettings
    private let parser: XMLParserHandle
    private var path: XMLOpenPath
    private var builder: XMLRecordBuilder
    /// The records that were read before and are passed over.
    private var skips: Int64
    /// Takes those, so that columns come in the order in which they came then.
    private let skipped = RecordBatch()
    private var place = Place.outside
    /// The bytes at the start of the window that the parser has.
    private var fed = 0
    private var isComplete = false
    private var failure: ConnectorError?
    /// Why the document as a whole is not what the configuration says.
    private var refusal: ConnectorError?

    private enum Place {
        case outside
        /// Inside the record that begins there.
        case inside(start: Int64?, line: Int64)
        /// Inside a record that is not kept, so many elements deep; `rejection` says why.
        case passing(depth: Int, rejection: RejectedRecord)
    }

    init(_ settings: XMLSettings, at position: ReaderPosition) throws(ConnectorError) {
        self.settings = settings
        self.position = ReaderPosition()
        skips = position.record
        parser = try XMLParserHandle(settings)
        path = XMLOpenPath(settings.recordPath)
        builder = XMLRecordBuilder(settings)
    }

    func read(_ input: ByteInput, into batch: RecordBatch) throws(ConnectorError) -> Bool {
        if let refusal { throw refusal }
        let schema = builder.schema
        if batch.schema !== schema {
            guard batch.count == 0 else { return true }
            batch.replaceValues(with: schema)
        }
        defer { builder.endBatch(batch) }
        let before = (rows: batch.count, rejections: batch.rejections.count)
        var room = RecordBatch.byteLimit
        while true {
            let isFull = try takeEvents(input, into: batch, room: &room)
            keepRecord(input)
            if isFull { return true }
            let isEmpty =
                batch.count == before.rows && batch.rejections.count == before.rejections
            if let failure {
                // What precedes the error is delivered first.
                if isEmpty { throw failure }
                return true
            }
            if isComplete { return !isEmpty }
            try feed(input)
        }
    }
}

// MARK: - Input

extension XMLReader {
    /// Gives the parser its next piece.
    private func feed(_ input: ByteInput) throws(ConnectorError) {
        while fed == input.window.count {
            if try input.fill() { continue }
            isComplete = true
            // Input without a byte is no document, and no error either.
            guard position.byte > 0 || input.offset > 0 || fed > 0 else { return }
            if !parser.feed(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) {
                failure = .xml(settings, parser)
            }
            return
        }
        let count = min(Self.piece, input.window.count - fed)
        let piece = UnsafeRawBufferPointer(rebasing: input.window[fed..<fed + count])
        fed += count
        if !parser.feed(piece, isLast: false) { failure = .xml(settings, parser) }
    }

    /// Lets go of the input up to the record being read.
    private func keepRecord(_ input: ByteInput) {
        var keep = input.offset &+ Int64(fed)
        if let offset = parser.offset {
            keep = min(keep, offset)
            if case .inside(let start, _) = place, let start { keep = min(keep, start) }
            if let pending = firstPendingStart { keep = min(keep, pending) }
        }
        let count = min(max(0, Int(clamping: keep &- input.offset)), fed)
        input.consume(count)
        fed -= count
        guard case .inside(let start, let line) = place else { return }
        let length = (parser.offset ?? 0) &- (start ?? 0)
        guard length > Int64(settings.maxRecordBytes) || isTooLong else { return }
        let depth = builder.depth + 1
        place = .passing(depth: depth, rejection: tooLong(input, start: start, line: line))
        builder.drop()
    }

    private var firstPendingStart: Int64? {
        parser.events.list.first { Int($0.kind) == MR_XML_START }.map { Int64(clamping: $0.offset) }
    }

    private var isTooLong: Bool { builder.isCut || builder.size > settings.maxRecordBytes }

    private func tooLong(_ input: ByteInput, start: Int64?, line: Int64) -> RejectedRecord {
        var prefix: [UInt8] = []
        if let start, start >= input.offset {
            let rest = input.window.dropFirst(Int(clamping: start &- input.offset))
            prefix = Array(rest.prefix(min(Self.keptPrefix, settings.maxRecordBytes)))
        }
        return RejectedRecord(
            error: .xmlTooLong(line: line, byte: start, limit: settings.maxRecordBytes),
            topic: "",
            value: prefix,
            offset: start ?? -1,
            line: line
        )
    }
}

// MARK: - Events

extension XMLReader {
    /// Takes the events there are; `true` when the batch is full.
    private func takeEvents(
        _ input: ByteInput,
        into batch: RecordBatch,
        room: inout Int
    ) throws(ConnectorError) -> Bool {
        let (events, text) = parser.events
        let base = text ?? UnsafeRawPointer(input.chunk.base)
        // An element is told from its next two events, and the last event may still change.
        let isLast = isComplete || failure != nil
        let limit = isLast ? events.count : events.count - 2
        var index = 0
        defer { parser.forget(index) }
        while index < limit {
            switch place {
            case .outside:
                try takeOutside(events[index])
                index += 1
            case .inside(let start, let line):
                let target = skips > 0 ? skipped : batch
                guard builder.take(events, base, from: &index, to: limit, in: target) else {
                    continue
                }
                room -= finish(events[index - 1], start: start, line: line, input, batch)
                if builder.shouldForgetColumns {
                    builder.forgetColumns()
                    guard batch.count == 0 else { return true }
                    batch.replaceValues(with: builder.schema)
                }
            case .passing(let depth, let rejection):
                pass(events[index], depth: depth, rejection, batch)
                index += 1
            }
            if case .outside = place, batch.isFull || room <= 0 { return true }
        }
        return false
    }

    private func takeOutside(_ event: mr_xml_event) throws(ConnectorError) {
        if Int(event.kind) == MR_XML_END { return path.close() }
        guard Int(event.kind) == MR_XML_START, let name = event.name else { return }
        let isRecord = path.open(name)
        if path.depth == 1, !path.isOnWay, let expected = settings.recordPath.steps[0] {
            let error = ConnectorError.xmlRoot(String(cString: name), expected)
            refusal = error
            throw error
        }
        guard isRecord else { return }
        let start = parser.offset == nil ? nil : Int64(clamping: event.offset)
        builder.begin(at: path.names)
        place = .inside(start: start, line: Int64(event.length))
    }

    private func pass(
        _ event: mr_xml_event,
        depth: Int,
        _ rejection: RejectedRecord,
        _ batch: RecordBatch
    ) {
        let change = Int(event.kind) == MR_XML_START ? 1 : Int(event.kind) == MR_XML_END ? -1 : 0
        guard depth + change == 0 else {
            place = .passing(depth: depth + change, rejection: rejection)
            return
        }
        advance(past: event)
        reject(rejection, in: batch)
    }

    private func reject(_ rejection: RejectedRecord, in batch: RecordBatch) {
        guard skips == 0 else { return countSkip() }
        var rejection = rejection
        rejection.topic = batch.topic
        batch.reject(rejection)
    }

    /// Ends a record that was read before.
    private func countSkip() {
        skips -= 1
        guard skips == 0 || skipped.isFull || skipped.arena.count > RecordBatch.byteLimit else {
            return
        }
        builder.endBatch(skipped)
        skipped.reset(topic: "", schema: builder.schema)
    }

    /// Moves the position behind the end of a record.
    private func advance(past event: mr_xml_event) {
        place = .outside
        path.close()
        position.record &+= 1
        position.line = Int64(event.length)
        position.byte = Int64(clamping: event.offset)
    }

    /// Ends a record; returns the bytes it takes in the batch.
    private func finish(
        _ event: mr_xml_event,
        start: Int64?,
        line: Int64,
        _ input: ByteInput,
        _ batch: RecordBatch
    ) -> Int {
        advance(past: event)
        let length = Int(clamping: position.byte &- (start ?? position.byte))
        if length > settings.maxRecordBytes || isTooLong {
            builder.drop()
            reject(tooLong(input, start: start, line: line), in: batch)
            return 0
        }
        guard skips == 0 else {
            _ = builder.finish(into: skipped)
            countSkip()
            return 0
        }
        let row = builder.finish(into: batch)
        let metadata = batch.metadata(row)
        metadata.pointee.line = line
        if let start {
            metadata.pointee.offset = start
            let at = Int(clamping: start &- input.offset)
            if at >= 0, at + length <= input.window.count {
                batch.retain(input.chunk)
                metadata.pointee.raw = UnsafeRawBufferPointer(
                    rebasing: input.window[at..<at + length]
                )
            }
        }
        return max(length, builder.size)
    }
}

/// The open elements outside records, and whether `record.path` leads to them.
struct XMLOpenPath {
    private let pattern: XMLPath
    private(set) var names: [UnsafePointer<CChar>] = []
    /// The number of outermost elements that the pattern's first steps match.
    private var matched = 0
    /// For each step the name last compared with it, and whether it was right.
    private var answers: [(name: UnsafePointer<CChar>?, isRight: Bool)]

    init(_ pattern: XMLPath) {
        self.pattern = pattern
        answers = pattern.steps.map { _ in (nil, false) }
    }

    var depth: Int { names.count }

    /// Whether a record can be in or at the innermost element.
    var isOnWay: Bool { !pattern.isAnchored || matched == names.count }

    /// Opens an element; returns whether it is a record.
    mutating func open(_ name: UnsafePointer<CChar>) -> Bool {
        names.append(name)
        guard pattern.isAnchored else {
            return names.count >= pattern.steps.count
                && pattern.steps.indices.allSatisfy {
                    matches(names[names.count - pattern.steps.count + $0], step: $0)
                }
        }
        guard matched == names.count - 1, matched < pattern.steps.count,
            matches(name, step: matched)
        else { return false }
        matched += 1
        return matched == pattern.steps.count
    }

    /// Closes the innermost element.
    mutating func close() {
        names.removeLast()
        matched = min(matched, names.count)
    }

    private mutating func matches(_ name: UnsafePointer<CChar>, step: Int) -> Bool {
        guard let wanted = pattern.steps[step] else { return true }
        if answers[step].name == name { return answers[step].isRight }
        let isRight = String(cString: name) == wanted
        answers[step] = (name, isRight)
        return isRight
    }
}
