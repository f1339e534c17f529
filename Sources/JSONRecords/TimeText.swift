public import ConnectorSDK

/// Reads dates and times as ``JSONRecordWriter`` writes them.
public enum TimeText {
    /// The cell of a text as a column of `type` has it, which is one of the four times.
    ///
    /// A fraction may have any number of digits as long as it is a whole number of microseconds; a
    /// space may stand for the `T`; `nil` for everything else that is not in the writer's form.
    public static func cell(_ text: UnsafeRawBufferPointer, as type: FieldType) -> Cell? {
        var reader = TimeReader(text: text)
        let cell: Cell?
        switch type {
        case .date:
            cell = reader.date().map { Cell(tag: .date, bits: UInt64(bitPattern: $0)) }
        case .time:
            cell = reader.time().map { Cell(tag: .time, bits: UInt64(bitPattern: $0)) }
        case .timestamp: cell = reader.instant()
        case .localTimestamp:
            cell = reader.dateAndTime().map {
                Cell(tag: .localTimestamp, bits: UInt64(bitPattern: $0))
            }
        default: cell = nil
        }
        return reader.isAtEnd ? cell : nil
    }
}

private struct TimeReader {
    let text: UnsafeRawBufferPointer
    private var at = 0

    init(text: UnsafeRawBufferPointer) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    mutating func date() -> Int64? {
        let isNegative = take("-")
        let isSigned = isNegative || take("+")
        guard let year = digits(isSigned ? 4...9 : 4...4), take("-"),
            let month = digits(2...2), take("-"), let day = digits(2...2)
        else { return nil }
        return CivilDate(year: isNegative ? -year : year, month: month, day: day).days
    }

    /// Microseconds since midnight; 24:00:00 is the end of the day.
    mutating func time() -> Int64? {
        guard let hour = digits(2...2), take(":"), let minute = digits(2...2), take(":"),
            let second = digits(2...2), hour <= 24, minute < 60, second < 60
        else { return nil }
        var result = ((hour * 60 + minute) * 60 + second) * 1_000_000
        if take(".") {
            guard let fraction = fraction() else { return nil }
            result += fraction
        }
        return result <= CivilDate.microsecondsPerDay ? result : nil
    }

    mutating func dateAndTime() -> Int64? {
        guard let days = date(), take("T") || take(" "), let time = time() else { return nil }
        let (product, tooBig) = days.multipliedReportingOverflow(by: CivilDate.microsecondsPerDay)
        let (sum, overflow) = product.addingReportingOverflow(time)
        return tooBig || overflow ? nil : sum
    }

    mutating func instant() -> Cell? {
        guard let local = dateAndTime() else { return nil }
        if take("Z") { return .timestamp(microseconds: local) }
        let isNegative = take("-")
        guard isNegative || take("+"), let hours = digits(2...2), take(":"),
            let minutes = digits(2...2), hours < 24, minutes < 60
        else { return nil }
        var offset = (hours * 60 + minutes) * 60
        if take(":") {
            guard let seconds = digits(2...2), seconds < 60 else { return nil }
            offset += seconds
        }
        if isNegative { offset = -offset }
        let (instant, overflow) = local.subtractingReportingOverflow(offset * 1_000_000)
        return overflow
            ? nil : .timestamp(microseconds: instant, offsetSeconds: Int32(offset))
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard at < text.count, UInt32(text[at]) == byte.value else { return false }
        at += 1
        return true
    }

    private mutating func digits(_ count: ClosedRange<Int>) -> Int64? {
        var value: Int64 = 0
        var taken = 0
        while taken < count.upperBound, at < text.count, text[at] &- 0x30 <= 9 {
            value = value * 10 + Int64(text[at] &- 0x30)
            at += 1
            taken += 1
        }
        return taken >= count.lowerBound ? value : nil
    }

    private mutating func fraction() -> Int64? {
        var value: Int64 = 0
        var taken = 0
        while at < text.count, text[at] &- 0x30 <= 9 {
            let digit = Int64(text[at] &- 0x30)
            if taken < 6 {
                value = value * 10 + digit
            } else if digit != 0 {
                return nil
            }
            at += 1
            taken += 1
        }
        guard taken > 0 else { return nil }
        for _ in min(taken, 6)..<6 { value *= 10 }
        return value
    }
}
