internal import ConnectorSDK
internal import Glibc

/// Writes each value and a line end.
final class LinesWriter: RecordWriter {
    private static let newline: UInt8 = 0x0a

    private let isEscaped: Bool

    init(isEscaped: Bool) { self.isEscaped = isEscaped }

    func begin(_ batch: RecordBatch, into output: OutputBuffer) throws(ConnectorError) {}

    func end(into output: OutputBuffer) throws(ConnectorError) {}

    func write(
        _ batch: RecordBatch,
        rows: Range<Int>,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        guard batch.schema.isOpaque else {
            throw ConnectorError(
                .init("lines.not_opaque"),
                .failTask,
                "The lines format writes opaque values only.",
                hint: "Write records that have fields with the json, csv or xml format."
            )
        }
        let start = output.count
        for row in rows {
            let cell = batch.row(row).pointee
            do throws(ConnectorError) {
                try write(cell, into: output)
            } catch {
                output.count = start
                throw error
            }
        }
    }

    @inline(__always)
    private func write(_ cell: Cell, into output: OutputBuffer) throws(ConnectorError) {
        guard cell.tag == .bytes || cell.tag == .string || cell.tag == .json else {
            throw Self.noText
        }
        let count = Int(cell.length)
        guard count > 0, let base = cell.slice.baseAddress else {
            output.append(Self.newline)
            return
        }
        if isEscaped {
            escape(cell.slice, into: output)
        } else {
            guard memchr(base, Int32(Self.newline), count) == nil else { throw Self.torn }
            let target = output.reserve(count + 1)
            target.copyMemory(from: base, byteCount: count)
            target.storeBytes(of: Self.newline, toByteOffset: count, as: UInt8.self)
            output.count += count + 1
        }
    }

    private func escape(_ value: UnsafeRawBufferPointer, into output: OutputBuffer) {
        let target = output.reserve(value.count * 2 + 1)
        var written = 0
        func put(_ byte: UInt8) {
            target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
            written += 1
        }
        for byte in value {
            switch byte {
            case 0x0a:
                put(UInt8(ascii: "\\"))
                put(UInt8(ascii: "n"))
            case 0x0d:
                put(UInt8(ascii: "\\"))
                put(UInt8(ascii: "r"))
            case UInt8(ascii: "\\"):
                put(byte)
                put(byte)
            default: put(byte)
            }
        }
        put(Self.newline)
        output.count += written
    }

    private static let noText = ConnectorError(
        .init("lines.no_value"),
        .rejectRecord,
        "A record without a value, such as a tombstone, cannot be a line.",
        hint: "Leave tombstones out with a Filter transform and the RecordIsTombstone predicate."
    )

    // D6: written as it is, the value would be read back as two records.
    private static let torn = ConnectorError(
        .init("lines.contains_newline"),
        .rejectRecord,
        "The value contains a line end, so it cannot be one line.",
        hint: "Set lines.escape to true, or use another format."
    )
}
