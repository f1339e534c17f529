internal import ConnectorSDK
internal import Glibc
internal import JSONRecords

/// Reads one record from each line.
///
/// A line that is not JSON is rejected alone, and reading goes on behind it. Blank lines are no
/// records.
internal final class LinesReader {
    private let intake: RecordIntake
    /// The place behind the last line read.
    @exclusivity(unchecked) private(set) var position: ReaderPosition
    /// Up to where UTF-8 has been checked, and whether it was all right.
    private var checkedThrough: Int64 = 0
    @exclusivity(unchecked) private var isChecked = false

    init(_ intake: RecordIntake, position: ReaderPosition) {
        self.intake = intake
        self.position = position
    }

    func read(_ input: ByteInput, into batch: RecordBatch) throws(ConnectorError) -> Bool {
        intake.begin(batch)
        defer { intake.end(batch) }
        while true {
            let isCut = readWindow(input, into: batch)
            if isCut || intake.isFull(batch) { return true }
            if input.window.count > intake.maximumRecordBytes {
                try skipLine(input, batch)
            } else if batch.count > 0 || !batch.rejections.isEmpty, input.wouldWait {
                return true
            } else if try !input.fill() {
                let isCut = readLastLine(input, into: batch)
                return isCut || batch.count > 0 || !batch.rejections.isEmpty
            }
        }
    }

    /// Reads the complete lines of the window.
    ///
    /// - Returns: `true` when the next line needs another batch.
    private func readWindow(_ input: ByteInput, into batch: RecordBatch) -> Bool {
        let window = input.window
        guard let base = window.baseAddress, !window.isEmpty else { return false }
        checkUTF8(window, at: input.offset)
        batch.retain(input.chunk)
        let offset = input.offset
        var at = 0
        var isCut = false
        while !intake.isFull(batch) {
            guard let found = memchr(base + at, 0x0A, window.count &- at) else { break }
            let end = UnsafeRawPointer(found) - base
            guard take(base, at..<end, offset: offset, into: batch) else {
                isCut = true
                break
            }
            at = end &+ 1
            position.line &+= 1
        }
        input.consume(at)
        position.byte = input.offset
        return isCut
    }

    /// Reads what follows the last line break, at the end of the stream.
    ///
    /// - Returns: `true` when it needs another batch.
    private func readLastLine(_ input: ByteInput, into batch: RecordBatch) -> Bool {
        let window = input.window
        guard let base = window.baseAddress, !window.isEmpty else { return false }
        batch.retain(input.chunk)
        isChecked = false
        guard take(base, 0..<window.count, offset: input.offset, into: batch) else { return true }
        input.consume(window.count)
        position.byte = input.offset
        return false
    }

    /// Takes a line without its line break; `false` when it needs another batch.
    ///
    /// `offset` is where in the stream `base` is.
    @inline(__always)
    private func take(
        _ base: UnsafeRawPointer,
        _ line: Range<Int>,
        offset: Int64,
        into batch: RecordBatch
    ) -> Bool {
        var start = line.lowerBound
        var end = line.upperBound
        while end > start, Self.isSpace(base, end &- 1) { end &-= 1 }
        while start < end, Self.isSpace(base, start) { start &+= 1 }
        guard start < end else { return true }
        let text = UnsafeRawBufferPointer(start: base + start, count: end &- start)
        let place = RecordIntake.Place(byte: offset &+ Int64(start), line: position.line)
        guard text.count <= intake.maximumRecordBytes else {
            intake.rejectTooLong(text, at: place, in: batch)
            position.record &+= 1
            return true
        }
        let outcome = intake.take(
            text,
            at: place,
            isValidUTF8: isChecked,
            mayBreakLines: false,
            into: batch
        )
        if case .conflict = outcome { return false }
        position.record &+= 1
        return true
    }

    @inline(__always)
    private static func isSpace(_ base: UnsafeRawPointer, _ index: Int) -> Bool {
        let byte = base.load(fromByteOffset: index, as: UInt8.self)
        return byte == 0x20 || byte == 0x0D || byte == 0x09
    }

    /// Checks all complete lines of the window at once; when one is not UTF-8, each on its own.
    private func checkUTF8(_ window: UnsafeRawBufferPointer, at offset: Int64) {
        guard let last = window.lastIndex(of: 0x0A) else { return }
        let end = last + 1
        let start = Int(max(0, checkedThrough - offset))
        guard start < end else { return }
        let isValid = JSONRecordParser.isValidUTF8(
            UnsafeRawBufferPointer(rebasing: window[start..<end])
        )
        isChecked = isValid && (isChecked || offset >= checkedThrough)
        checkedThrough = offset + Int64(end)
    }

    /// Rejects the line that the window begins with, and reads over it without keeping it (D7).
    private func skipLine(_ input: ByteInput, _ batch: RecordBatch) throws(ConnectorError) {
        let place = RecordIntake.Place(byte: input.offset, line: position.line)
        intake.rejectTooLong(input.window, at: place, in: batch)
        position.record += 1
        repeat {
            let window = input.window
            if let base = window.baseAddress, let found = memchr(base, 0x0A, window.count) {
                input.consume(UnsafeRawPointer(found) - base + 1)
                position.line += 1
                break
            }
            input.consume(window.count)
        } while try input.fill()
        position.byte = input.offset
    }
}
