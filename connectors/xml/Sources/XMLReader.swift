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
    /// The elements around the first record, the root first.
    private(set) var recordContext: String?
    // What each event or record touches, and nothing that is called meanwhile: exclusive access is
    // not checked.
    @exclusivity(unchecked) private(set) var position: ReaderPosition
    @exclusivity(unchecked) private var path: XMLOpenPath
    @exclusivity(unchecked) private var builder: XMLRecordBuilder
    @exclusivity(unchecked) private var place = Place.outside
    /// Where the record being read or passed over begins; no byte is known in other encodings.
    @exclusivity(unchecked) private var recordStart: (byte: Int64?, line: Int64) = (nil, 0)

    private let settings: XMLSettings
    private let parser: XMLParserHandle
    /// The records that were read before and are passed over.
    @exclusivity(unchecked) private var skips: Int64
    /// Takes those, so that columns come in the order in which they came then.
    private let skipped = RecordBatch()
    /// Whether those taken so far are to be forgotten.
    private var skipsEnd = false
    /// Why the record that is passed over is not kept.
    private var rejection: RejectedRecord?
    /// The bytes at the start of the window that the parser has.
    private var fed = 0
    private var isComplete = false
    private var failure: ConnectorError?
    /// Why the document as a whole is not what the configuration says.
    private var refusal: ConnectorError?

    private enum Place {
        case outside
        /// Inside a record.
        case inside
        /// Inside a record that is not kept, so many elements deep.
        case passing(depth: Int)
    }

    /// Why no more events are taken.
    private enum Pause {
        case noEvents
        case blockFull
        case batchFull
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
        if batch.count > 0, batch.schema !== builder.schema { return true }
        defer { builder.endBatch(batch) }
        let before = (rows: batch.count, rejections: batch.rejections.count)
        var room = RecordBatch.byteLimit
        while true {
            let pause = try takeEvents(input, into: batch, room: &room)
            keepRecord(input)
            if skipsEnd { beginSkips() }
            if pause == .batchFull { return true }
            // The cells of a record that has begun are in this batch's memory.
            if batch.isFull, !isInside { return true }
            if pause == .blockFull { continue }
            let isEmpty =
                batch.count == before.rows && batch.rejections.count == before.rejections
            if let failure {
                // What precedes the error is delivered first.
                if isEmpty { throw failure }
                return true
            }
            if isComplete { return !isEmpty }
            if !isEmpty, !isInside, fed == input.window.count, input.wouldWait { return true }
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

    /// Forgets the records that were passed over.
    private func beginSkips() {
        skipsEnd = false
        builder.endBatch(skipped)
        skipped.reset(topic: "", schema: builder.schema)
    }

    /// Lets go of the input up to the record being read.
    private func keepRecord(_ input: ByteInput) {
        var keep = input.offset &+ Int64(fed)
        if let offset = parser.offset {
            keep = min(keep, offset)
            if isInside, let start = recordStart.byte { keep = min(keep, start) }
            if let pending = firstPendingStart { keep = min(keep, pending) }
        }
        let count = min(max(0, Int(clamping: keep &- input.offset)), fed)
        input.consume(count)
        fed -= count
        guard isInside else { return }
        let length = (parser.offset ?? 0) &- (recordStart.byte ?? 0)
        guard length > Int64(settings.maxRecordBytes) || isTooLong else { return }
        rejection = tooLong(input)
        place = .passing(depth: builder.depth + 1)
        builder.drop()
    }

    private var isInside: Bool {
        if case .inside = place { true } else { false }
    }

    private var firstPendingStart: Int64? {
        parser.events.list.first { Int($0.kind) == MR_XML_START && $0.place >= 0 }.map(\.place)
    }

    private var isTooLong: Bool { builder.isCut || builder.size > settings.maxRecordBytes }

    private func tooLong(_ input: ByteInput) -> RejectedRecord {
        let (start, line) = recordStart
        var prefix: [UInt8] = []
        if let start, start >= input.offset {
            let rest = input.window.dropFirst(Int(clamping: start &- input.offset))
            prefix = Array(rest.prefix(min(Self.keptPrefix, settings.maxRecordBytes)))
        }
        var rejected = RejectedRecord(
            error: .xmlTooLong(line: line, byte: start, limit: settings.maxRecordBytes),
            topic: "",
            value: prefix,
            offset: start ?? -1,
            line: line
        )
        rejected.isCut = true
        return rejected
    }
}

// MARK: - Events

extension XMLReader {
    /// The rows set aside at a time: more records than a piece of input usually holds.
    private static let blockRows = 128

    /// Takes the events there are, as far as the batch has room.
    private func takeEvents(
        _ input: ByteInput,
        into batch: RecordBatch,
        room: inout Int
    ) throws(ConnectorError) -> Pause {
        // Of the last two events may still become one.
        let (events, text) = parser.events
        let isLast = isComplete || failure != nil
        // A text that has been cut makes its record too long, whatever follows.
        let isCut = events.last.map { $0.is_cut != 0 } ?? false
        let limit = isLast ? events.count : events.count - (isCut ? 1 : 2)
        guard limit > 0 else { return .noEvents }
        let target = skips > 0 ? skipped : batch
        if target.count == 0, target.schema !== builder.schema {
            target.replaceValues(with: builder.schema)
        }
        var index = 0
        var block = XMLBlock(target, limit: Self.blockRows)
        let source = XMLSource(input, hasOffsets: parser.offset != nil, text: text)
        defer {
            if block.used > 0 || isInside { target.retain(input.chunk) }
            block.end()
            parser.forget(index)
        }
        while index < limit {
            switch place {
            case .outside:
                if room <= 0 { return .batchFull }
                if block.isFull { return .blockFull }
                try takeOutside(events[index], source)
                index += 1
            case .inside:
                guard builder.take(events, source, from: &index, to: limit, in: target) else {
                    continue
                }
                let pause = finish(events[index - 1], source, input, &block, &room)
                if let pause { return pause }
            case .passing(let depth):
                if let pause = pass(events[index], depth, target) {
                    index += 1
                    return pause
                }
                index += 1
            }
        }
        return .noEvents
    }

    private func takeOutside(_ event: mr_xml_event, _ source: XMLSource) throws(ConnectorError) {
        let kind = Int(event.kind)
        if kind == MR_XML_END { return path.close() }
        guard kind == MR_XML_START || kind == MR_XML_LEAF, let name = event.name else { return }
        let isRecord = path.open(name)
        if path.depth == 1, !path.isOnWay, let expected = settings.recordPath.steps[0] {
            let error = ConnectorError.xmlRoot(String(cString: name), expected)
            refusal = error
            throw error
        }
        if kind == MR_XML_LEAF { return path.close() }
        guard isRecord else { return }
        recordStart = (source.hasOffsets ? event.place : nil, Int64(event.length))
        if recordContext == nil { recordContext = path.outerNames }
        builder.begin()
        if builder.hasArrayRule { builder.path = path.names }
        place = .inside
    }

    /// Takes an event of a record that is not kept.
    private func pass(_ event: mr_xml_event, _ depth: Int, _ target: RecordBatch) -> Pause? {
        let kind = Int(event.kind)
        let left = depth + (kind == MR_XML_START ? 1 : kind == MR_XML_END ? -1 : 0)
        place = .passing(depth: left)
        guard left == 0 else { return nil }
        advance(past: event)
        guard let rejection else { return nil }
        return reject(rejection, target)
    }

    /// Moves the position behind the end of a record.
    private func advance(past event: mr_xml_event) {
        place = .outside
        path.close()
        position.record &+= 1
        position.line = Int64(event.length)
        position.byte = event.place
    }

    private func reject(_ rejection: RejectedRecord, _ target: RecordBatch) -> Pause? {
        if skips > 0 { return countSkip() }
        var rejection = rejection
        rejection.topic = target.topic
        target.reject(rejection)
        return nil
    }

    /// Counts a record that was read before; says when another block must begin.
    private func countSkip() -> Pause? {
        skips -= 1
        guard skips == 0 || skipped.arena.count > RecordBatch.byteLimit else { return nil }
        skipsEnd = true
        return .blockFull
    }

    /// Ends a record, and says whether the batch ends with it.
    private func finish(
        _ event: mr_xml_event,
        _ source: XMLSource,
        _ input: ByteInput,
        _ block: inout XMLBlock,
        _ room: inout Int
    ) -> Pause? {
        advance(past: event)
        let length = Int(clamping: position.byte &- (recordStart.byte ?? position.byte))
        if length > settings.maxRecordBytes || isTooLong {
            builder.drop()
            return reject(tooLong(input), block.batch)
        }
        var metadata = RecordMetadata()
        metadata.line = recordStart.line
        if let start = recordStart.byte {
            metadata.offset = start
            metadata.raw = source.bytes(from: start, count: length)
        }
        builder.finish(metadata, into: &block)
        if skips > 0 {
            let pause = countSkip()
            guard builder.shouldForgetColumns else { return pause }
            skipsEnd = true
            builder.forgetColumns()
            return .blockFull
        }
        room -= max(length, builder.size)
        guard builder.shouldForgetColumns else { return nil }
        builder.forgetColumns()
        return .batchFull
    }
}
