public import ConnectorSDK
internal import PostgresClient

extension CellDecoder {
    /// Reads the binary form; only for kinds that have one (``ValueKind/hasBinary``).
    ///
    /// - Returns: `nil` when the bytes are no such value, which a server never sends.
    public func cell(binary: UnsafeRawBufferPointer, _ arena: inout Arena) -> Cell? {
        switch kind {
        case .int4: return integer(binary, Int32.self).map { .int(Int64($0)) }
        case .int8: return integer(binary, Int64.self).map { .int($0) }
        case .text: return .slice(.string, binary)
        case .numeric: return Self.numeric(binary, &arena)
        case .timestamp, .timestamptz:
            guard let value = integer(binary, Int64.self) else { return nil }
            switch PostgresTime.timestamp(binary: value) {
            case .finite(let microseconds): return instant(microseconds)
            case .infinity: return Self.word("infinity", &arena)
            case .negativeInfinity: return Self.word("-infinity", &arena)
            case nil: return beyond(value, &arena)
            }
        case .int2: return integer(binary, Int16.self).map { .int(Int64($0)) }
        case .bool: return binary.count == 1 ? .bool(binary[0] != 0) : nil
        case .float8:
            return integer(binary, UInt64.self).map { .double(Double(bitPattern: $0)) }
        case .float4:
            return integer(binary, UInt32.self).map { .double(Self.double(Float(bitPattern: $0))) }
        case .date: return integer(binary, Int32.self).flatMap { Self.date($0, &arena) }
        default: return rareCell(binary, &arena)
        }
    }

    @inline(never)
    private func rareCell(_ binary: UnsafeRawBufferPointer, _ arena: inout Arena) -> Cell? {
        switch kind {
        case .oid: return integer(binary, UInt32.self).map { .int(Int64($0)) }
        case .xid8:
            return integer(binary, UInt64.self).map { value in
                if let small = Int64(exactly: value) { return .int(small) }
                return Self.text(.number, String(value), &arena)
            }
        case .money(let digits):
            return integer(binary, Int64.self).map { .decimal($0, scale: UInt8(digits)) }
        case .bytea: return .slice(.bytes, binary)
        case .time:
            return integer(binary, Int64.self).map {
                Cell(tag: .time, bits: UInt64(bitPattern: $0))
            }
        case .uuid: return Self.uuid(binary, &arena)
        case .json: return JSONScalar.cell(binary, &arena)
        case .jsonb:
            // The first byte is the version of the form.
            guard binary.first == 1 else { return nil }
            return JSONScalar.cell(UnsafeRawBufferPointer(rebasing: binary.dropFirst()), &arena)
        default: return nil
        }
    }

    @inline(__always)
    private func integer<Number: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer,
        _ type: Number.Type
    ) -> Number? {
        guard bytes.count == MemoryLayout<Number>.size else { return nil }
        return Number(bigEndian: bytes.loadUnaligned(as: Number.self))
    }

    @inline(__always)
    private static func numeric(
        _ bytes: UnsafeRawBufferPointer,
        _ arena: inout Arena
    ) -> Cell? {
        switch PostgresNumeric.decode(bytes) {
        case .decimal(let mantissa, let scale):
            return scale == 0 ? .int(mantissa) : .decimal(mantissa, scale: scale)
        case .long:
            guard let digits = PostgresNumeric.text(bytes) else { return nil }
            return .slice(.number, digits.withUnsafeBytes { arena.copy($0) })
        case .nan: return word("NaN", &arena)
        case .infinity: return word("Infinity", &arena)
        case .negativeInfinity: return word("-Infinity", &arena)
        case nil: return nil
        }
    }

    /// The last thirty years that PostgreSQL has, which it counts from 2000 and a cell from 1970.
    private func beyond(_ value: Int64, _ arena: inout Arena) -> Cell {
        let target = arena.allocate(PostgresTime.textCapacity)
        let count = PostgresTime.write(
            binaryTimestamp: value,
            isInstant: kind == .timestamptz,
            to: target
        )
        arena.giveBack(PostgresTime.textCapacity - count)
        return .slice(.string, UnsafeRawBufferPointer(start: target, count: count))
    }

    private static func date(_ days: Int32, _ arena: inout Arena) -> Cell {
        switch PostgresTime.date(binary: days) {
        case .finite(let days): Cell(tag: .date, bits: UInt64(bitPattern: days))
        case .infinity: word("infinity", &arena)
        case .negativeInfinity: word("-infinity", &arena)
        }
    }

    /// The number that the shortest text of a `float4` means: 0.1 stays 0.1.
    private static func double(_ value: Float) -> Double {
        let exact = Double(value)
        guard value.isFinite, exact != exact.rounded(.towardZero) || value.magnitude >= 16_777_216,
            let short = Double(value.description), Float(short) == value
        else { return exact }
        return short
    }

    private static func uuid(_ bytes: UnsafeRawBufferPointer, _ arena: inout Arena) -> Cell? {
        guard bytes.count == 16 else { return nil }
        let digits: StaticString = "0123456789abcdef"
        let target = arena.allocate(36).assumingMemoryBound(to: UInt8.self)
        var index = 0
        for (place, byte) in bytes.enumerated() {
            if place == 4 || place == 6 || place == 8 || place == 10 {
                target[index] = UInt8(ascii: "-")
                index += 1
            }
            target[index] = digits.utf8Start[Int(byte >> 4)]
            target[index + 1] = digits.utf8Start[Int(byte & 15)]
            index += 2
        }
        return .slice(.string, UnsafeRawBufferPointer(start: target, count: 36))
    }

    private static func word(_ word: StaticString, _ arena: inout Arena) -> Cell {
        let bytes = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        return .slice(.string, arena.copy(bytes))
    }

    internal static func text(_ tag: Cell.Tag, _ text: String, _ arena: inout Arena) -> Cell {
        var text = text
        return text.withUTF8 { .slice(tag, arena.copy(UnsafeRawBufferPointer($0))) }
    }
}
