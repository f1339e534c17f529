internal import ConnectorSDK
internal import JSONRecords

/// Makes of values what a configuration asks for.
///
/// The slow path: most columns need nothing.
internal struct ValueConversion: ~Copyable {
    /// Holds what was made for one change.
    private var arena = Arena()
    private var holdsValues = false
    private let text = OutputBuffer(capacity: 1 << 10)

    /// Forgets what was made; cells made before are invalid then.
    @inline(__always)
    mutating func begin() {
        guard holdsValues else { return }
        arena.removeAll()
        holdsValues = false
    }

    mutating func convert(_ cell: Cell, by conversion: ColumnPlan.Conversion) -> Cell {
        if cell.isNil { return cell }
        switch conversion {
        case .none: return cell
        case .decimalDouble: return double(cell)
        case .decimalString: return string { JSONText.appendCell(cell, to: $0) }
        case .date: return cell.tag == .date ? .int(cell.int64) : cell
        case .time(let unit): return time(cell, unit)
        case .binary(let mode):
            guard cell.tag == .bytes else { return cell }
            return string { Self.append(cell.slice, as: mode, to: $0) }
        case .mask(let method): return mask(cell, method)
        }
    }

    /// A text as a cell.
    mutating func cell(_ text: String) -> Cell { string { $0.append(text) } }

    private mutating func string(_ write: (OutputBuffer) -> Void) -> Cell {
        text.count = 0
        write(text)
        holdsValues = true
        return .slice(.string, arena.copy(text.bytes))
    }

    private mutating func double(_ cell: Cell) -> Cell {
        switch cell.tag {
        case .int: return .double(Double(cell.int64))
        case .decimal, .number:
            text.count = 0
            JSONText.appendCell(cell, to: text)
            return .double(NumberText.nearest(text.bytes))
        default: return cell
        }
    }

    /// Microseconds in another unit, rounded down; what is no time, such as `infinity`, stays.
    private func time(_ cell: Cell, _ nanoseconds: Int64) -> Cell {
        guard cell.tag == .time || cell.tag == .localTimestamp else { return cell }
        if nanoseconds < 1_000 {
            let (value, overflow) = cell.int64.multipliedReportingOverflow(by: 1_000 / nanoseconds)
            return overflow ? cell : .int(value)
        }
        let unit = nanoseconds / 1_000
        let rest = cell.int64 % unit
        return .int(cell.int64 / unit &- (rest < 0 ? 1 : 0))
    }

    private mutating func mask(_ cell: Cell, _ method: ColumnMask.Method) -> Cell {
        if case .asterisks(let count) = method {
            return string { for _ in 0..<count { $0.append(UInt8(ascii: "*")) } }
        }
        let value = plainText(cell)
        switch method {
        case .asterisks: return cell
        case .truncation(let count):
            return self.cell(String(String.UnicodeScalarView(value.unicodeScalars.prefix(count))))
        case .hash(let algorithm, let salt):
            let digest = SHA2.digest(salt + value.utf8, algorithm)
            return string { output in
                digest.withUnsafeBytes { Self.append($0, as: .hex, to: output) }
            }
        }
    }

    /// The value as people write it: text without quotes, bytes in base64.
    private func plainText(_ cell: Cell) -> String {
        if cell.tag == .string { return String(decoding: cell.slice, as: UTF8.self) }
        text.count = 0
        JSONText.appendCell(cell, to: text)
        let isQuoted = text.count > 1 && text.bytes.first == UInt8(ascii: "\"")
        let written = isQuoted ? text.bytes.dropFirst().dropLast() : text.bytes[...]
        return String(decoding: written, as: UTF8.self)
    }

    private static func append(
        _ bytes: UnsafeRawBufferPointer,
        as mode: BinaryMode,
        to output: OutputBuffer
    ) {
        guard mode == .hex else {
            let start = output.count
            JSONText.appendCell(.slice(.bytes, bytes), to: output)
            // Without the quotes.
            let count = output.count - start - 2
            let first = output.base + start
            first.copyMemory(from: first + 1, byteCount: count)
            output.count = start + count
            if mode == .base64URLSafe { makeURLSafe(first, count) }
            return
        }
        let digits: StaticString = "0123456789abcdef"
        for byte in bytes {
            output.append(digits.utf8Start[Int(byte >> 4)])
            output.append(digits.utf8Start[Int(byte & 15)])
        }
    }

    private static func makeURLSafe(_ text: UnsafeMutableRawPointer, _ count: Int) {
        for index in 0..<count {
            switch text.load(fromByteOffset: index, as: UInt8.self) {
            case UInt8(ascii: "+"): text.storeBytes(of: 0x2D, toByteOffset: index, as: UInt8.self)
            case UInt8(ascii: "/"): text.storeBytes(of: 0x5F, toByteOffset: index, as: UInt8.self)
            default: continue
            }
        }
    }
}
