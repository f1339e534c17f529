public import ConnectorSDK
internal import JSONRecords
internal import PostgresClient

extension CellEncoder {
    /// Writes a value in the text form of COPY: escaped, `\N` for null.
    ///
    /// - Parameters:
    ///   - cell: the value.
    ///   - scratch: memory for what is not escaped yet.
    ///   - output: gets the value.
    /// - Returns: why the value cannot be written; nothing is written then.
    public func text(
        _ cell: Cell,
        scratch: OutputBuffer,
        to output: OutputBuffer
    ) -> EncodingProblem? {
        if cell.isNil {
            output.append("\\N")
            return nil
        }
        scratch.count = 0
        if let problem = plainText(cell, scratch) { return problem }
        CopyText.escape(scratch.bytes, to: output)
        return nil
    }

    /// Writes what the server's input function is to read.
    internal func plainText(_ cell: Cell, _ output: OutputBuffer) -> EncodingProblem? {
        switch kind {
        case .int2, .int4, .int8, .oid: return write(integer(cell), cell, output)
        case .float4, .float8:
            return write(double(cell, isSingle: kind == .float4), cell, output)
        case .bool: return write(bool(cell), cell, output)
        case .numeric, .xid8, .money: return numberText(cell, output)
        case .date, .time, .timestamp, .timestamptz: return timeText(cell, output)
        case .json, .jsonb: return jsonText(cell, output)
        case .bytea:
            guard cell.tag == .bytes else { return asString(cell, output) }
            CopyText.appendHexadecimal(cell.slice, to: output)
            return nil
        case .array(_, let delimiter):
            guard cell.tag == .json else { return asString(cell, output) }
            return ArrayText.append(json: cell.slice, delimiter: delimiter, to: output)
                ? nil : .mismatch
        case .uuid:
            guard cell.tag == .bytes, cell.length == 16 else { return asString(cell, output) }
            for byte in cell.slice { CopyText.appendHexadecimal(byte, to: output) }
            return nil
        case .text, .other: return CellWords.append(cell, to: output)
        }
    }

    /// A string as it is; nothing else.
    private func asString(_ cell: Cell, _ output: OutputBuffer) -> EncodingProblem? {
        guard cell.tag == .string else { return .mismatch }
        output.append(cell.slice)
        return nil
    }

    /// The value that was found, or the string that only the server can read.
    private func write<Value: LosslessStringConvertible>(
        _ outcome: Outcome<Value>,
        _ cell: Cell,
        _ output: OutputBuffer
    ) -> EncodingProblem? {
        switch outcome {
        case .success(let value):
            if let double = value as? Double, !double.isFinite {
                output.append(double.isNaN ? "NaN" : double < 0 ? "-Infinity" : "Infinity")
            } else {
                output.append(String(value))
            }
            return nil
        case .failure(.needsServer): return asString(cell, output)
        case .failure(let problem): return problem
        }
    }

    private func numberText(_ cell: Cell, _ output: OutputBuffer) -> EncodingProblem? {
        switch cell.tag {
        case .int, .decimal, .number, .double:
            if cell.tag == .double, !Double(bitPattern: cell.bits).isFinite {
                return write(double(cell, isSingle: false), cell, output)
            }
            let limit: Int? =
                switch kind {
                case .money(let digits): digits
                case .xid8: 0
                default: numericScale
                }
            return DecimalText.with(cell) { digits in
                if let limit, DecimalText.scale(digits) > limit { return .inexact }
                output.append(digits)
                return nil
            }
        case .string:
            if let number = NumberText.parse(cell.slice), case .numeric = kind {
                return numberText(number, output)
            }
            return asString(cell, output)
        default: return .mismatch
        }
    }

    private func timeText(_ cell: Cell, _ output: OutputBuffer) -> EncodingProblem? {
        let target = output.reserve(PostgresTime.textCapacity)
        let value: PostgresTime.Value
        switch kind {
        case .time:
            switch time(cell) {
            case .success(let time):
                output.count += PostgresTime.write(time: time, to: target)
                return nil
            case .failure(let problem):
                return problem == .needsServer ? asString(cell, output) : problem
            }
        default:
            switch kind == .date ? date(cell) : timestamp(cell) {
            case .success(let found): value = found
            case .failure(let problem):
                return problem == .needsServer ? asString(cell, output) : problem
            }
        }
        switch value {
        case .infinity: output.append("infinity")
        case .negativeInfinity: output.append("-infinity")
        case .finite(let days) where kind == .date:
            guard PostgresTime.binary(date: days) != nil else { return .outOfRange }
            output.count += PostgresTime.write(date: days, to: target)
        case .finite(let microseconds):
            guard PostgresTime.binary(timestamp: microseconds) != nil else { return .outOfRange }
            let isInstant = kind == .timestamptz
            output.count += PostgresTime.write(
                timestamp: microseconds,
                isInstant: isInstant,
                to: target
            )
        }
        return nil
    }

    private func jsonText(_ cell: Cell, _ output: OutputBuffer) -> EncodingProblem? {
        switch cell.tag {
        case .json:
            if restoresJSON, let text = JSONScalar.restored(cell.slice) {
                text.withUnsafeBytes { output.append($0) }
            } else {
                output.append(cell.slice)
            }
            return nil
        case .string:
            output.append(cell.slice)
            return nil
        default: return JSONText.appendCell(cell, to: output) ? nil : .mismatch
        }
    }
}

/// Cells in words, for columns of texts.
internal enum CellWords {
    static func append(_ cell: Cell, to output: OutputBuffer) -> EncodingProblem? {
        switch cell.tag {
        case .string, .json, .number: output.append(cell.slice)
        case .int, .decimal, .bool:
            JSONText.appendCell(cell, to: output)
        case .double:
            let value = Double(bitPattern: cell.bits)
            guard !value.isFinite else {
                JSONText.appendCell(cell, to: output)
                return nil
            }
            output.append(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
        case .date, .time, .timestamp, .localTimestamp:
            guard let text = TimeText.text(cell) else { return .outOfRange }
            output.append(text)
        case .bytes, .missing, .null: return .mismatch
        }
        return nil
    }
}

/// The text form of COPY.
public enum CopyText {
    /// Appends a value with what separates values and rows escaped.
    internal static func escape(_ bytes: UnsafeRawBufferPointer, to output: OutputBuffer) {
        var start = 0
        for index in bytes.indices {
            let letter: UInt8
            switch bytes[index] {
            case UInt8(ascii: "\\"): letter = UInt8(ascii: "\\")
            case 0x0A: letter = UInt8(ascii: "n")
            case 0x0D: letter = UInt8(ascii: "r")
            case 0x09: letter = UInt8(ascii: "t")
            default: continue
            }
            output.append(UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
            output.append(UInt8(ascii: "\\"))
            output.append(letter)
            start = index + 1
        }
        output.append(UnsafeRawBufferPointer(rebasing: bytes[start...]))
    }

    internal static func appendHexadecimal(
        _ bytes: UnsafeRawBufferPointer,
        to output: OutputBuffer
    ) {
        output.append("\\x")
        for byte in bytes { appendHexadecimal(byte, to: output) }
    }

    internal static func appendHexadecimal(_ byte: UInt8, to output: OutputBuffer) {
        let digits: StaticString = "0123456789abcdef"
        output.append(digits.utf8Start[Int(byte >> 4)])
        output.append(digits.utf8Start[Int(byte & 15)])
    }
}
