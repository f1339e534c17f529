public import ConnectorSDK

/// How a text or number tells a time.
///
/// `iso8601`, `rfc3164`, `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`, or a pattern of directives
/// such as `%d/%b/%Y:%H:%M:%S %z`. What is finer than a microsecond is cut off.
public struct TimestampFormat: Sendable {
    private enum Kind: Sendable {
        case iso8601
        /// The number of microseconds is the number divided by the first or times the second.
        case epoch(divisor: Int64, factor: Int64)
        case pattern([TimestampDirective])
    }

    private let kind: Kind
    private let offsetSeconds: Int32

    /// Reads a format; times that name no zone are `offsetSeconds` east of UTC.
    public init(_ text: String, offsetSeconds: Int32 = 0) throws(TimestampFormatError) {
        self.offsetSeconds = offsetSeconds
        switch text.lowercased() {
        case "iso8601", "rfc3339": kind = .iso8601
        case "rfc3164": kind = .pattern(try TimestampDirective.directives("%b %e %H:%M:%S"))
        case "epoch", "epoch_s": kind = .epoch(divisor: 1, factor: 1_000_000)
        case "epoch_ms": kind = .epoch(divisor: 1, factor: 1_000)
        case "epoch_us": kind = .epoch(divisor: 1, factor: 1)
        case "epoch_ns": kind = .epoch(divisor: 1_000, factor: 1)
        default:
            guard text.contains("%") else { throw TimestampFormatError(Self.advice) }
            kind = .pattern(try TimestampDirective.directives(text))
        }
    }

    private static let advice = """
        must be iso8601, rfc3164, epoch_s, epoch_ms, epoch_us, epoch_ns or a pattern such as \
        %Y-%m-%d %H:%M:%S
        """

    /// What is wrong with a format; `nil` when nothing is.
    public static func problem(_ text: String) -> String? {
        do throws(TimestampFormatError) {
            _ = try TimestampFormat(text)
            return nil
        } catch {
            return error.description
        }
    }

    /// The time that a cell tells, as a `timestamp` cell; `nil` when it does not have the format.
    ///
    /// Where the format has no year, it is the one that brings the time nearest to `received`,
    /// microseconds since the epoch.
    public func read(_ cell: Cell, near received: Int64) -> Cell? {
        switch cell.tag {
        case .timestamp: return cell
        case .localTimestamp:
            let micros = cell.int64.subtractingReportingOverflow(Int64(offsetSeconds) * 1_000_000)
            return micros.overflow
                ? nil : .timestamp(microseconds: micros.partialValue, offsetSeconds: offsetSeconds)
        case .date: return .timestamp(microseconds: cell.int64 &* CivilDate.microsecondsPerDay)
        case .int: return epoch(cell.int64, scale: 0)
        case .decimal: return epoch(cell.int64, scale: Int(cell.scale))
        case .double: return epoch(Double(bitPattern: cell.bits))
        case .string, .bytes, .number: return read(cell.slice, near: received)
        case .missing, .null, .bool, .time, .json: return nil
        }
    }

    private func read(_ text: UnsafeRawBufferPointer, near received: Int64) -> Cell? {
        switch kind {
        case .iso8601: return iso8601(text)
        case .epoch:
            guard let number = NumberText.parse(text) else { return nil }
            guard number.tag == .number else { return read(number, near: received) }
            return NumberText.double(text).flatMap { epoch($0) }
        case .pattern(let directives):
            guard var cursor = LineCursor(text) else { return nil }
            var parts = TimestampParts(offset: offsetSeconds, received: received)
            for directive in directives {
                guard directive.read(&cursor, &parts) else { return nil }
            }
            return cursor.isAtEnd ? parts.cell : nil
        }
    }

    /// With digits beyond microseconds, which some programs write.
    private func iso8601(_ text: UnsafeRawBufferPointer) -> Cell? {
        if let cell = TimeText.cell(text, as: .timestamp) { return cell }
        if let cell = TimeText.cell(text, as: .localTimestamp) {
            return read(cell, near: 0)
        }
        guard let point = text.firstIndex(of: UInt8(ascii: ".")), text.count <= 64 else {
            return TimeText.date(text).map {
                .timestamp(
                    microseconds: $0 &* CivilDate.microsecondsPerDay
                        &- Int64(offsetSeconds) &* 1_000_000,
                    offsetSeconds: offsetSeconds
                )
            }
        }
        let rest = text[(point + 1)...].drop { NumberText.isDigit($0) }
        guard rest.startIndex > point + 7 else { return nil }
        let shorter = Array(text[..<(point + 7)]) + Array(rest)
        return shorter.withUnsafeBytes { iso8601($0) }
    }

    private func epoch(_ number: Int64, scale: Int) -> Cell? {
        guard case .epoch(let divisor, let factor) = kind, scale <= 18 else { return nil }
        // Whole and fraction apart, so that no digit of microseconds is lost.
        var unit: Int64 = 1
        for _ in 0..<scale { unit *= 10 }
        let whole = CivilDate.floor(number, unit)
        let (micros, overflow) = whole.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        let part = Int64((Int128(number - whole * unit) * Int128(factor)) / Int128(unit))
        let (sum, isBeyond) = micros.addingReportingOverflow(part)
        return isBeyond ? nil : .timestamp(microseconds: CivilDate.floor(sum, divisor))
    }

    private func epoch(_ number: Double) -> Cell? {
        guard case .epoch(let divisor, let factor) = kind else { return nil }
        let micros = (number * Double(factor) / Double(divisor)).rounded(.down)
        guard micros.magnitude < 9e18 else { return nil }
        return .timestamp(microseconds: Int64(micros))
    }
}

/// Why a text is no format of times.
public struct TimestampFormatError: Error, Sendable, CustomStringConvertible {
    public let description: String

    internal init(_ description: String) { self.description = description }
}
