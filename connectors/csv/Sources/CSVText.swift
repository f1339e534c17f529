import CBytes
import ConnectorSDK
import JSONRecords

/// Writes single cells, in quotes where they are needed.
struct CSVText {
    private let dialect: CSVDialect
    private let nullValues: [[UInt8]]
    /// Whether a reader of the same settings takes unquoted numbers and truth values for what
    /// they look like.
    private let isInferred: Bool
    /// Whether numbers and times can contain the dialect's own characters.
    private let mayClash: Bool
    private let scratch = OutputBuffer(capacity: 256)

    var delimiter: UInt8 { dialect.delimiter }

    init(_ settings: CSVSettings) {
        dialect = settings.dialect
        nullValues = settings.nullValues
        isInferred = settings.defaultType == .infer
        let special = [UInt16(dialect.delimiter), dialect.quote, dialect.escape, dialect.comment]
        mayClash = special.contains { byte in
            byte < 0x100
                && "0123456789+-.:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ=/"
                    .utf8.contains(UInt8(byte))
        }
    }

    /// Writes a cell; `false` when the dialect lacks the quotes it needs, or it is no value at all.
    @inline(__always)
    func append(_ cell: Cell, to output: inout CSVOutput) -> Bool {
        switch cell.tag {
        case .missing, .null: return true
        case .string: return append(cell.slice, to: &output, isHeader: false)
        case .json: return append(cell.slice, to: &output, isHeader: true)
        case .int where !mayClash:
            output.integer(cell.int64)
            return true
        case .decimal where !mayClash:
            output.decimal(cell.int64, scale: Int(min(cell.scale, 18)))
            return true
        case .number where !mayClash:
            output.copy(cell.slice)
            return true
        default: return appendOther(cell, to: &output)
        }
    }

    private func appendOther(_ cell: Cell, to output: inout CSVOutput) -> Bool {
        scratch.count = 0
        if !JSONText.appendCell(cell, to: scratch) {
            guard cell.tag == .double else { return false }
            let value = Double(bitPattern: cell.bits)
            scratch.count = 0
            scratch.append(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
        }
        var text = scratch.bytes
        if text.first == 0x22 {
            text = UnsafeRawBufferPointer(rebasing: text.dropFirst().dropLast())
        }
        guard mayClash else {
            output.copy(text)
            return true
        }
        return append(text, to: &output, isHeader: true)
    }

    /// Writes text; `false` when it needs quotes that the dialect does not have.
    ///
    /// A reader never infers a type from a header's text. Bytes behind the text may be read, as
    /// behind every slice of a batch.
    @inline(__always)
    func append(
        _ text: UnsafeRawBufferPointer,
        to output: inout CSVOutput,
        isHeader: Bool
    ) -> Bool {
        if hasSpecial(text) { return appendSpecial(text, to: &output) }
        if dialect.quote != CSVDialect.absent, isMistakable(text, isHeader) {
            appendQuoted(text, to: &output)
        } else {
            output.copy(text)
        }
        return true
    }

    @inline(__always)
    private func hasSpecial(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let base = text.baseAddress else { return false }
        let quote = dialect.quote < 0x100 ? UInt8(dialect.quote) : 0x0A
        var at = 0
        while at < text.count {
            var mask = mr_match4_16(base + at, dialect.delimiter, 0x0A, 0x0D, quote)
            if dialect.escape < 0x100 { mask |= mr_match1_16(base + at, UInt8(dialect.escape)) }
            if mask != 0 { return at + mask.trailingZeroBitCount < text.count }
            at += 16
        }
        return false
    }

    /// Whether unquoted text would be read as something else, or trimmed by other programs.
    @inline(__always)
    private func isMistakable(_ text: UnsafeRawBufferPointer, _ isHeader: Bool) -> Bool {
        guard let first = text.first, let last = text.last else { return true }
        if first <= 0x20 || last <= 0x20 || UInt16(first) == dialect.comment { return true }
        // At the start of a file it would be taken for a byte order mark.
        if first == 0xEF, text.starts(with: [0xEF, 0xBB, 0xBF]) { return true }
        if isHeader { return false }
        if isInferred, CSVInference.infer(.slice(.string, text)).tag != .string { return true }
        return !nullValues.isEmpty && nullValues.contains { text.elementsEqual($0) }
    }

    private func appendSpecial(
        _ text: UnsafeRawBufferPointer,
        to output: inout CSVOutput
    ) -> Bool {
        if dialect.quote != CSVDialect.absent {
            appendQuoted(text, to: &output)
            return true
        }
        guard dialect.escape != CSVDialect.absent else { return false }
        for byte in text {
            if dialect.isEscapable(byte) { output.put(UInt8(dialect.escape)) }
            output.put(byte)
        }
        return true
    }

    private func appendQuoted(_ text: UnsafeRawBufferPointer, to output: inout CSVOutput) {
        let quote = UInt8(truncatingIfNeeded: dialect.quote)
        output.put(quote)
        var rest = text
        while let at = rest.firstIndex(where: {
            $0 == quote || UInt16($0) == dialect.escape
        }) {
            output.copy(UnsafeRawBufferPointer(rebasing: rest[..<at]))
            output.put(rest[at] == quote ? quote : UInt8(dialect.escape))
            output.put(rest[at])
            rest = UnsafeRawBufferPointer(rebasing: rest[(at + 1)...])
        }
        output.copy(rest)
        output.put(quote)
    }
}
