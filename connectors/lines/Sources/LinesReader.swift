internal import ConnectorSDK
internal import Glibc

/// Cuts lines out of the input without copying them.
final class LinesReader: RecordReader {
    // Enough to recognise the line by.
    private static let sampleSize = 1_024
    private static let newline: UInt8 = 0x0a
    private static let carriageReturn: UInt8 = 0x0d
    private static let backslash: UInt8 = 0x5c

    private(set) var position: ReaderPosition
    private let maximum: Int
    private let isEscaped: Bool

    init(at position: ReaderPosition, maximum: Int, isEscaped: Bool) {
        self.position = position
        self.maximum = maximum
        self.isEscaped = isEscaped
    }

    var startsAtByte: Bool { true }

    func read(_ input: ByteInput, into batch: RecordBatch) throws(ConnectorError) -> Bool {
        var bytes = 0
        while true {
            bytes += takeLines(input, into: batch, limit: RecordBatch.byteLimit - bytes)
            if batch.isFull || bytes >= RecordBatch.byteLimit { return true }
            // What is left is the start of a line, longer than nothing: wait for its end.
            if input.window.count > max(maximum, Self.sampleSize) {
                return try skipLongLine(input, into: batch)
            }
            if batch.count > 0 || !batch.rejections.isEmpty, input.wouldWait { return true }
            guard try input.fill() else { break }
        }
        let rest = input.window
        guard !rest.isEmpty else { return false }
        if rest.count > maximum {
            reject(rest, length: Int64(rest.count), into: batch)
        } else {
            append(rest, lineOffset: position.byte, to: batch, chunk: input.chunk)
        }
        position.byte += Int64(rest.count)
        position.line += 1
        position.record += 1
        input.consume(rest.count)
        return false
    }

    /// Appends the whole lines in the window until the batch is full; returns their bytes.
    private func takeLines(_ input: ByteInput, into batch: RecordBatch, limit: Int) -> Int {
        let window = input.window
        guard let base = window.baseAddress else { return 0 }
        let room = RecordBatch.rowLimit - batch.count
        var start = 0
        var lines = 0
        while lines < room, start < limit {
            let left = window.count - start
            guard let found = memchr(base + start, Int32(Self.newline), left) else { break }
            let end = UnsafeRawPointer(found) - base
            var count = end - start
            let offset = position.byte + Int64(start)
            if count > maximum {
                let line = UnsafeRawBufferPointer(start: base + start, count: count)
                reject(
                    line,
                    length: Int64(count),
                    at: offset,
                    line: position.line + Int64(lines),
                    into: batch
                )
            } else {
                if count > 0,
                    base.load(fromByteOffset: end - 1, as: UInt8.self)
                        == Self.carriageReturn
                {
                    count -= 1
                }
                let row = batch.appendRow()
                let value = UnsafeRawBufferPointer(start: base + start, count: count)
                batch.row(row).pointee = .slice(.bytes, value)
                let metadata = batch.metadata(row)
                metadata.pointee.raw = value
                metadata.pointee.offset = offset
                metadata.pointee.line = position.line + Int64(lines)
                if isEscaped { unescape(row, of: batch) }
            }
            lines += 1
            start = end + 1
        }
        guard lines > 0 else { return 0 }
        batch.retain(input.chunk)
        input.consume(start)
        position.byte += Int64(start)
        position.line += Int64(lines)
        position.record += Int64(lines)
        return start
    }

    private func append(
        _ line: UnsafeRawBufferPointer,
        lineOffset: Int64,
        to batch: RecordBatch,
        chunk: Chunk
    ) {
        batch.retain(chunk)
        batch.appendOpaque(line)
        let row = batch.count - 1
        batch.metadata(row).pointee.offset = lineOffset
        batch.metadata(row).pointee.line = position.line
        if isEscaped { unescape(row, of: batch) }
    }

    /// Passes over a line that is longer than allowed, without keeping it. (D7)
    ///
    /// - Returns: `false` when the input ended with it.
    private func skipLongLine(
        _ input: ByteInput,
        into batch: RecordBatch
    ) throws(ConnectorError) -> Bool {
        let sample = Array(input.window.prefix(Self.sampleSize))
        var length: Int64 = 0
        var hasEnd = false
        while true {
            let window = input.window
            if let base = window.baseAddress,
                let found = memchr(base, Int32(Self.newline), window.count)
            {
                let count = UnsafeRawPointer(found) - base
                length += Int64(count)
                input.consume(count + 1)
                hasEnd = true
                break
            }
            length += Int64(window.count)
            input.consume(window.count)
            guard try input.fill() else { break }
        }
        sample.withUnsafeBytes {
            reject($0, length: length, at: position.byte, line: position.line, into: batch)
        }
        position.byte += length + (hasEnd ? 1 : 0)
        position.line += 1
        position.record += 1
        return hasEnd
    }

    private func reject(_ line: UnsafeRawBufferPointer, length: Int64, into batch: RecordBatch) {
        reject(line, length: length, at: position.byte, line: position.line, into: batch)
    }

    private func reject(
        _ start: UnsafeRawBufferPointer,
        length: Int64,
        at offset: Int64,
        line: Int64,
        into batch: RecordBatch
    ) {
        let error = ConnectorError(
            .init("lines.too_long"),
            .rejectRecord,
            "Line \(line) at byte \(offset) has \(length) bytes; \(maximum) are allowed.",
            at: "max.record.bytes"
        )
        var record = RejectedRecord(
            error: error,
            topic: batch.topic,
            value: start.prefix(Self.sampleSize),
            offset: offset,
            line: line
        )
        record.isCut = true
        batch.reject(record)
    }

    /// Replaces escapes by what they stand for; an unknown one stays as it is.
    private func unescape(_ row: Int, of batch: RecordBatch) {
        let line = batch.row(row).pointee.slice
        guard let base = line.baseAddress,
            memchr(base, Int32(Self.backslash), line.count) != nil
        else { return }
        let target = batch.arena.allocate(line.count + Chunk.padding)
        var written = 0
        var index = 0
        while index < line.count {
            var byte = line[index]
            if byte == Self.backslash, index + 1 < line.count {
                switch line[index + 1] {
                case UInt8(ascii: "n"): byte = Self.newline
                case UInt8(ascii: "r"): byte = Self.carriageReturn
                case Self.backslash: break
                default: index -= 1
                }
                index += 1
            }
            target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
            written += 1
            index += 1
        }
        batch.row(row).pointee = .slice(.bytes, .init(start: target, count: written))
        batch.metadata(row).pointee.raw = batch.row(row).pointee.slice
    }
}
