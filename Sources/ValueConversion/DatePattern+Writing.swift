package import ConnectorSDK

extension DatePattern {
    /// Writes a time as the pattern has it, in UTC.
    package func write(milliseconds: Int64, to output: OutputBuffer) {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000)
        write(microseconds: overflow ? (milliseconds < 0 ? .min : .max) : product, to: output)
    }

    /// Writes a time as the pattern has it, in UTC.
    package func write(microseconds: Int64, to output: OutputBuffer) {
        let (date, ofDay) = CivilDate.split(microseconds: microseconds)
        for element in elements {
            switch element {
            case .text(let text): text.withUnsafeBytes { output.append($0) }
            case .field(let field, let count, _):
                if field.isNumber(count: count) {
                    write(field, count, date, ofDay, to: output)
                } else {
                    output.append(Self.name(field, count, date, ofDay))
                }
            }
        }
    }

    private func write(
        _ field: Field,
        _ count: Int,
        _ date: CivilDate,
        _ ofDay: Int64,
        to output: OutputBuffer
    ) {
        let hour = ofDay / 3_600_000_000
        let value: Int64
        switch field {
        case .year:
            let year = date.year > 0 ? date.year : 1 - date.year
            value = count == 2 ? year % 100 : year
        case .month, .standaloneMonth: value = date.month
        case .dayOfYear: value = date.dayOfYear
        case .day: value = date.day
        case .dayNumber: value = Self.weekday(date) + 1
        case .hour: value = hour
        case .hourFrom1: value = hour == 0 ? 24 : hour
        case .halfHour: value = hour % 12
        case .halfHourFrom1: value = hour % 12 == 0 ? 12 : hour % 12
        case .minute: value = ofDay / 60_000_000 % 60
        case .second: value = ofDay / 1_000_000 % 60
        case .fraction: return writeFraction(ofDay % 1_000_000, count, to: output)
        default: return
        }
        Self.append(value, count, to: output)
    }

    private func writeFraction(_ microseconds: Int64, _ count: Int, to output: OutputBuffer) {
        var divisor: Int64 = 100_000
        for _ in 0..<count {
            let digit = divisor == 0 ? 0 : microseconds / divisor % 10
            output.append(UInt8(ascii: "0") + UInt8(digit))
            divisor /= 10
        }
    }

    /// Appends a number with zeros before it.
    private static func append(_ value: Int64, _ count: Int, to output: OutputBuffer) {
        var power: Int64 = 1
        var digits = 1
        while digits < count || value / power >= 10 {
            guard digits < 18 else { break }
            power *= 10
            digits += 1
        }
        while power > 0 {
            output.append(UInt8(ascii: "0") + UInt8(value / power % 10))
            power /= 10
        }
    }

    private static func name(
        _ field: Field,
        _ count: Int,
        _ date: CivilDate,
        _ ofDay: Int64
    ) -> String {
        switch field {
        case .era: date.year > 0 ? "AD" : "BC"
        case .month, .standaloneMonth: short(DateNames.months[Int(date.month) - 1], count)
        case .dayName: short(DateNames.days[Int(weekday(date))], count)
        case .dayHalf: ofDay < 43_200_000_000 ? "AM" : "PM"
        case .zoneName: count < 4 ? "UTC" : "Coordinated Universal Time"
        case .zoneOffset: "+0000"
        default: "Z"
        }
    }

    private static func short(_ name: String, _ count: Int) -> String {
        count < 4 ? String(name.prefix(3)) : name
    }

    /// The day of the week, 0 for Monday.
    private static func weekday(_ date: CivilDate) -> Int64 {
        let days = (date.days ?? 0) + 3
        return days - CivilDate.floor(days, 7) * 7
    }
}
