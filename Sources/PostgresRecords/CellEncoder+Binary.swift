public import ConnectorSDK
internal import JSONRecords
internal import PostgresClient

extension CellEncoder {
    /// Writes a value in binary form: its length and its bytes.
    ///
    /// Only for kinds that have one (``ValueKind/hasBinary``).
    ///
    /// - Returns: why the value cannot be written; nothing is written then.
    public func binary(_ cell: Cell, _ cursor: inout CopyCursor) -> EncodingProblem? {
        switch cell.tag {
        case .missing, .null:
            cursor.put(Int32(-1))
            return nil
        case .int:
            if kind == .int8 {
                cursor.field(cell.int64)
                return nil
            }
            if kind == .int4 {
                guard let value = Int32(exactly: cell.int64) else { return .outOfRange }
                cursor.field(value)
                return nil
            }
        case .string where kind == .text:
            cursor.field(cell.slice)
            return nil
        case .decimal where kind == .numeric: return numeric(cell.int64, Int(cell.scale), &cursor)
        default: break
        }
        return otherBinary(cell, &cursor)
    }

    private func otherBinary(_ cell: Cell, _ cursor: inout CopyCursor) -> EncodingProblem? {
        switch kind {
        case .int2, .int4, .int8, .oid, .xid8, .money: return integerField(cell, &cursor)
        case .bool:
            return write(bool(cell)) { value in cursor.field(UInt8(value ? 1 : 0)) }
        case .float4:
            return write(double(cell, isSingle: true)) { value in
                cursor.field(Float(value).bitPattern)
            }
        case .float8:
            return write(double(cell, isSingle: false)) { cursor.field($0.bitPattern) }
        case .numeric: return numericField(cell, &cursor)
        case .text: return textField(cell, &cursor)
        case .date: return dateField(cell, &cursor)
        case .time: return write(time(cell)) { cursor.field($0) }
        case .timestamp, .timestamptz: return timestampField(cell, &cursor)
        case .uuid: return uuid(cell, &cursor)
        case .bytea: return bytes(cell, &cursor)
        case .json, .jsonb: return json(cell, &cursor)
        case .array, .other: return .needsServer
        }
    }

    @inline(__always)
    private func write<Value>(
        _ outcome: Outcome<Value>,
        _ body: (Value) -> Void
    ) -> EncodingProblem? {
        switch outcome {
        case .success(let value):
            body(value)
            return nil
        case .failure(let problem): return problem
        }
    }

    // MARK: - Numbers

    private func integerField(_ cell: Cell, _ cursor: inout CopyCursor) -> EncodingProblem? {
        if case .money(let digits) = kind { return money(cell, digits, &cursor) }
        if kind == .xid8, cell.tag == .number || cell.tag == .string {
            guard let value = UInt64(String(decoding: cell.slice, as: UTF8.self)) else {
                return cell.tag == .number ? .outOfRange : .needsServer
            }
            cursor.field(value)
            return nil
        }
        let value: Int64
        switch integer(cell) {
        case .success(let number): value = number
        case .failure(let problem): return problem
        }
        switch kind {
        case .int2:
            guard let small = Int16(exactly: value) else { return .outOfRange }
            cursor.field(small)
        case .int4:
            guard let small = Int32(exactly: value) else { return .outOfRange }
            cursor.field(small)
        case .oid:
            guard let small = UInt32(exactly: value) else { return .outOfRange }
            cursor.field(small)
        case .xid8:
            guard let positive = UInt64(exactly: value) else { return .outOfRange }
            cursor.field(positive)
        default: cursor.field(value)
        }
        return nil
    }

    private func money(
        _ cell: Cell,
        _ digits: Int,
        _ cursor: inout CopyCursor
    ) -> EncodingProblem? {
        guard cell.tag == .int || cell.tag == .decimal else {
            return cell.tag == .string ? .needsServer : .mismatch
        }
        var mantissa = cell.int64
        var scale = cell.tag == .int ? 0 : Int(cell.scale)
        while scale > digits {
            guard mantissa % 10 == 0 else { return .inexact }
            mantissa /= 10
            scale -= 1
        }
        let power = Self.powerOfTen(UInt8(digits - scale))
        let (value, overflow) = mantissa.multipliedReportingOverflow(by: power)
        guard !overflow else { return .outOfRange }
        cursor.field(value)
        return nil
    }

    private func numericField(_ cell: Cell, _ cursor: inout CopyCursor) -> EncodingProblem? {
        switch cell.tag {
        case .int: return numeric(cell.int64, 0, &cursor)
        case .decimal: return numeric(cell.int64, Int(cell.scale), &cursor)
        case .number: return numeric(cell.slice, &cursor)
        case .double:
            if let special = Self.specialNumeric(Double(bitPattern: cell.bits)) {
                return self.special(special, &cursor)
            }
            return DecimalText.with(cell) { numeric($0, &cursor) }
        case .string:
            if let special = CellDecoder.special(cell.slice).flatMap(Self.specialNumeric) {
                return self.special(special, &cursor)
            }
            guard let parsed = NumberText.parse(cell.slice) else { return .needsServer }
            return numericField(parsed, &cursor)
        default: return .mismatch
        }
    }

    private static func specialNumeric(_ value: Double) -> PostgresNumeric.Value? {
        if value.isFinite { return nil }
        return value.isNaN ? .nan : value < 0 ? .negativeInfinity : .infinity
    }

    private func special(
        _ value: PostgresNumeric.Value,
        _ cursor: inout CopyCursor
    ) -> EncodingProblem? {
        cursor.ensure(12)
        _ = PostgresNumeric.write(value, to: cursor.next + 4)
        cursor.next.storeBytes(of: Int32(8).bigEndian, as: Int32.self)
        cursor.next += 12
        return nil
    }

    private func numeric(
        _ mantissa: Int64,
        _ scale: Int,
        _ cursor: inout CopyCursor
    ) -> EncodingProblem? {
        if let limit = numericScale, scale > limit || limit < 0 {
            guard Self.fits(mantissa, scale, limit) else { return .inexact }
        }
        cursor.ensure(PostgresNumeric.capacity + 4)
        let count = PostgresNumeric.write(mantissa: mantissa, scale: scale, to: cursor.next + 4)
        cursor.next.storeBytes(of: Int32(truncatingIfNeeded: count).bigEndian, as: Int32.self)
        cursor.next += 4 &+ count
        return nil
    }

    /// Whether a number has no more digits behind the point than `limit`.
    internal static func fits(_ mantissa: Int64, _ scale: Int, _ limit: Int) -> Bool {
        var (rest, digits) = (mantissa, scale)
        while digits > limit {
            guard rest % 10 == 0 else { return false }
            if rest == 0 { return true }
            rest /= 10
            digits -= 1
        }
        return true
    }

    private func numeric(
        _ text: UnsafeRawBufferPointer,
        _ cursor: inout CopyCursor
    ) -> EncodingProblem? {
        if let limit = numericScale, DecimalText.scale(text) > limit { return .inexact }
        guard let bytes = PostgresNumeric.encode(text) else { return .outOfRange }
        bytes.withUnsafeBytes { cursor.field($0) }
        return nil
    }
}

// MARK: - Everything else

extension CellEncoder {
    private func dateField(_ cell: Cell, _ cursor: inout CopyCursor) -> EncodingProblem? {
        switch date(cell) {
        case .failure(let problem): return problem
        case .success(.infinity): cursor.field(Int32.max)
        case .success(.negativeInfinity): cursor.field(Int32.min)
        case .success(.finite(let days)):
            guard let value = PostgresTime.binary(date: days) else { return .outOfRange }
            cursor.field(value)
        }
        return nil
    }

    private func timestampField(_ cell: Cell, _ cursor: inout CopyCursor) -> EncodingProblem? {
        switch timestamp(cell) {
        case .failure(let problem): return problem
        case .success(.infinity): cursor.field(Int64.max)
        case .success(.negativeInfinity): cursor.field(Int64.min)
        case .success(.finite(let microseconds)):
            guard let value = PostgresTime.binary(timestamp: microseconds) else {
                return .outOfRange
            }
            cursor.field(value)
        }
        return nil
    }

    private func textField(_ cell: Cell, _ cursor: inout CopyCursor) -> EncodingProblem? {
        if cell.tag == .string || cell.tag == .json || cell.tag == .number {
            cursor.field(cell.slice)
            return nil
        }
        let output = OutputBuffer(capacity: 64)
        if let problem = CellWords.append(cell, to: output) { return problem }
        withExtendedLifetime(output) { cursor.field(output.bytes) }
        return nil
    }

    private func uuid(_ cell: Cell, _ cursor: inout CopyCursor) -> EncodingProblem? {
        switch cell.tag {
        case .bytes where cell.length == 16: cursor.field(cell.slice)
        case .string:
            guard cell.length == 36 else { return .needsServer }
            let start = cursor.count
            cursor.put(Int32(16))
            var index = 0
            while index < 36 {
                if index == 8 || index == 13 || index == 18 || index == 23 {
                    guard cell.slice[index] == UInt8(ascii: "-") else { break }
                    index += 1
                }
                guard let high = Self.hexadecimal(cell.slice[index]),
                    let low = Self.hexadecimal(cell.slice[index + 1])
                else { break }
                cursor.put(high << 4 | low)
                index += 2
            }
            guard index == 36 else {
                cursor.takeBack(to: start)
                return .needsServer
            }
        default: return .mismatch
        }
        return nil
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x61...0x66: byte &- 0x57
        case 0x41...0x46: byte &- 0x37
        default: nil
        }
    }

    private func bytes(_ cell: Cell, _ cursor: inout CopyCursor) -> EncodingProblem? {
        guard cell.tag == .bytes else { return cell.tag == .string ? .needsServer : .mismatch }
        cursor.field(cell.slice)
        return nil
    }

    private func json(_ cell: Cell, _ cursor: inout CopyCursor) -> EncodingProblem? {
        func field(_ text: UnsafeRawBufferPointer) {
            guard kind == .jsonb else { return cursor.field(text) }
            cursor.put(Int32(truncatingIfNeeded: text.count &+ 1))
            // The version of the form.
            cursor.put(UInt8(1))
            cursor.copy(text)
        }
        if cell.tag == .json || cell.tag == .string {
            if restoresJSON, cell.tag == .json, let text = JSONScalar.restored(cell.slice) {
                text.withUnsafeBytes { field($0) }
            } else {
                field(cell.slice)
            }
            return nil
        }
        let output = OutputBuffer(capacity: 64)
        guard JSONText.appendCell(cell, to: output) else { return .mismatch }
        withExtendedLifetime(output) { field(output.bytes) }
        return nil
    }
}
