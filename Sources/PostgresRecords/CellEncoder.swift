public import ConnectorSDK
internal import JSONRecords
internal import PostgresClient

/// Why a value cannot be written to its column.
public enum EncodingProblem: Error, Hashable, Sendable {
    /// The column's type has no such values.
    case mismatch
    /// The column would hold another value, with fewer digits.
    case inexact
    /// The column's type has no value so large, or so small.
    case outOfRange
    /// Only the server can read the text: write it in text form.
    case needsServer
}

/// Writes cells to one column, in the binary or the text form of COPY.
///
/// A string is what the server would read as the column's type, so that everything it writes can be
/// written back. Other cells go where nothing is lost: D6, a value is never changed to fit.
public struct CellEncoder: Sendable {
    /// How values are written.
    public let kind: ValueKind
    /// The digits behind the point that a `numeric` column keeps; `nil` for all.
    internal let numericScale: Int?
    /// What times must be a multiple of, in microseconds.
    internal let timeUnit: Int64
    /// Whether JSON comes from a column of this kind, where null has a form of its own.
    internal let restoresJSON: Bool

    /// Makes an encoder for a column of `type`, whose values come from `field`.
    public init(_ type: ColumnType, from field: Field) {
        kind = type.kind
        numericScale = type.numericScale
        var unit: Int64 = 1
        for _ in type.secondsPrecision..<6 { unit *= 10 }
        timeUnit = unit
        let native = field.nativeType
        restoresJSON = native == "postgres.json" || native == "postgres.jsonb"
    }

    // MARK: - What cells mean

    /// A value, or why there is none.
    internal typealias Outcome<Value> = Result<Value, EncodingProblem>

    /// The number of a cell for an integer column.
    internal func integer(_ cell: Cell) -> Outcome<Int64> {
        switch cell.tag {
        case .int: return .success(cell.int64)
        case .decimal:
            let (quotient, rest) = cell.int64.quotientAndRemainder(
                dividingBy: Self.powerOfTen(cell.scale)
            )
            return rest == 0 ? .success(quotient) : .failure(.inexact)
        case .number:
            guard let exact = Self.exactInteger(cell.slice) else {
                return .failure(DecimalText.scale(cell.slice) > 0 ? .inexact : .outOfRange)
            }
            return .success(exact)
        case .double:
            let value = Double(bitPattern: cell.bits)
            if let exact = Int64(exactly: value) { return .success(exact) }
            return .failure(value.magnitude < 9e18 ? .inexact : .outOfRange)
        case .string:
            guard let value = NumberText.integer(cell.slice) else { return .failure(.needsServer) }
            return .success(value)
        default: return .failure(.mismatch)
        }
    }

    private static func exactInteger(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard DecimalText.scale(text) <= 0, let value = NumberText.double(text),
            value.magnitude < 9e18
        else { return nil }
        // Few digits and an exponent: the double is the number, or only near it.
        guard value.magnitude > 9_007_199_254_740_992 else { return Int64(exactly: value) }
        guard let digits = PostgresNumeric.encode(text) else { return nil }
        return digits.withUnsafeBytes { bytes in
            guard case .decimal(let mantissa, 0)? = PostgresNumeric.decode(bytes) else {
                return nil
            }
            return mantissa
        }
    }

    internal static func powerOfTen(_ exponent: UInt8) -> Int64 {
        var result: Int64 = 1
        for _ in 0..<min(exponent, 18) { result &*= 10 }
        return result
    }

    /// The truth value of a cell.
    internal func bool(_ cell: Cell) -> Outcome<Bool> {
        switch cell.tag {
        case .bool: return .success(cell.bits != 0)
        case .string:
            if cell.slice.elementsEqual("true".utf8) || cell.slice.elementsEqual("t".utf8) {
                return .success(true)
            }
            if cell.slice.elementsEqual("false".utf8) || cell.slice.elementsEqual("f".utf8) {
                return .success(false)
            }
            return .failure(.needsServer)
        default: return .failure(.mismatch)
        }
    }

    /// The number of a cell for a floating-point column; `isSingle` for one of 32 bits.
    internal func double(_ cell: Cell, isSingle: Bool) -> Outcome<Double> {
        let value: Double
        switch cell.tag {
        case .double:
            value = Double(bitPattern: cell.bits)
            if !isSingle || !value.isFinite { return .success(value) }
        case .int:
            value = Double(cell.int64)
            let limit: UInt64 = isSingle ? 1 << 24 : 1 << 53
            if cell.int64.magnitude <= limit { return .success(value) }
        case .decimal:
            value = DecimalText.with(cell, NumberText.nearest)
            let limit: UInt64 = isSingle ? 1_000_000 : 1_000_000_000_000_000
            // So few digits come back as they are.
            if cell.int64.magnitude < limit { return .success(value) }
        case .number:
            value = NumberText.nearest(cell.slice)
        case .string:
            if let special = CellDecoder.special(cell.slice) { return .success(special) }
            guard let parsed = NumberText.parse(cell.slice) else { return .failure(.needsServer) }
            return double(parsed, isSingle: isSingle)
        default: return .failure(.mismatch)
        }
        return Self.checked(value, of: cell, isSingle: isSingle)
    }

    /// A double stands for a number if its shortest text is that number.
    private static func checked(
        _ value: Double,
        of cell: Cell,
        isSingle: Bool
    ) -> Outcome<Double> {
        let nearest = isSingle ? Float(value).description : value.description
        guard isSingle ? Float(value).isFinite : value.isFinite else {
            return .failure(.outOfRange)
        }
        var text = nearest
        let isSame = text.withUTF8 { shortest in
            DecimalText.with(cell) { digits in
                DecimalText.areEqual(UnsafeRawBufferPointer(shortest), digits)
            }
        }
        return isSame ? .success(value) : .failure(.inexact)
    }
}

// MARK: - Dates and times

extension CellEncoder {
    /// Days since 1970, or an infinity.
    internal func date(_ cell: Cell) -> Outcome<PostgresTime.Value> {
        switch cell.tag {
        case .date: return .success(.finite(cell.int64))
        case .timestamp, .localTimestamp: return Self.wholeDay(cell.int64)
        case .string:
            if let days = TimeText.date(cell.slice) { return .success(.finite(days)) }
            if let infinity = Self.infinity(cell.slice) { return .success(infinity) }
            if let instant = TimeText.instant(cell.slice) { return Self.wholeDay(instant.int64) }
            return .failure(.needsServer)
        default: return .failure(.mismatch)
        }
    }

    private static func wholeDay(_ microseconds: Int64) -> Outcome<PostgresTime.Value> {
        let (days, rest) = microseconds.quotientAndRemainder(
            dividingBy: CivilDate.microsecondsPerDay
        )
        return rest == 0 ? .success(.finite(days)) : .failure(.inexact)
    }

    /// Microseconds since midnight.
    internal func time(_ cell: Cell) -> Outcome<Int64> {
        let value: Int64
        switch cell.tag {
        case .time: value = cell.int64
        case .string:
            guard let time = TimeText.time(cell.slice) else {
                if TimeText.instant(cell.slice) != nil { return .failure(.mismatch) }
                return .failure(Self.hasNanoseconds(cell.slice) ? .inexact : .needsServer)
            }
            value = time
        default: return .failure(.mismatch)
        }
        guard value >= 0, value <= CivilDate.microsecondsPerDay else {
            return .failure(.outOfRange)
        }
        return value % timeUnit == 0 ? .success(value) : .failure(.inexact)
    }

    /// Microseconds since 1970, in UTC where a zone is known, or an infinity.
    internal func timestamp(_ cell: Cell) -> Outcome<PostgresTime.Value> {
        let value: Int64
        switch cell.tag {
        case .timestamp, .localTimestamp: value = cell.int64
        case .date:
            let (product, overflow) = cell.int64.multipliedReportingOverflow(
                by: CivilDate.microsecondsPerDay
            )
            guard !overflow else { return .failure(.outOfRange) }
            value = product
        case .string:
            guard let instant = TimeText.instant(cell.slice) else {
                if let infinity = Self.infinity(cell.slice) { return .success(infinity) }
                return .failure(Self.hasNanoseconds(cell.slice) ? .inexact : .needsServer)
            }
            value = instant.int64
        default: return .failure(.mismatch)
        }
        return value % timeUnit == 0 ? .success(.finite(value)) : .failure(.inexact)
    }

    private static func infinity(_ text: UnsafeRawBufferPointer) -> PostgresTime.Value? {
        if text.elementsEqual("infinity".utf8) { return .infinity }
        return text.elementsEqual("-infinity".utf8) ? .negativeInfinity : nil
    }

    /// Whether a time has more digits behind its point than PostgreSQL keeps, which would round it.
    private static func hasNanoseconds(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let point = text.firstIndex(of: UInt8(ascii: ".")) else { return false }
        let digits = text[(point + 1)...].prefix(while: NumberText.isDigit)
        return digits.dropFirst(6).contains { $0 != UInt8(ascii: "0") }
    }
}
