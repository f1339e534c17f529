internal import ConnectorSDK

/// One part of a pattern of times, as strftime names them.
internal enum TimestampDirective: Sendable, Equatable {
    case year, shortYear, month, monthName, day, dayOfYear, dayName
    case hour, halfDayHour, halfDay, minute, second, zone, zoneName, epoch
    /// Digits of a second's fraction; with a point before them or not.
    case fraction(hasPoint: Bool)
    case blanks
    case literal(UInt8)

    /// Reads a pattern.
    static func directives(
        _ pattern: String
    ) throws(TimestampFormatError) -> [TimestampDirective] {
        var result: [TimestampDirective] = []
        var rest = Array(pattern.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte == 0x20 ? .blanks : .literal(byte))
                continue
            }
            result += try directive(&rest)
        }
        guard !result.contains(.halfDayHour) || result.contains(.halfDay) else {
            throw TimestampFormatError("must have %p beside %I")
        }
        let hasDay =
            result.contains(.epoch) || result.contains(.dayOfYear)
            || (result.contains(.day)
                && (result.contains(.month) || result.contains(.monthName)))
        guard hasDay else { throw TimestampFormatError("must have a day: %m or %b, and %d") }
        return result
    }

    private static func directive(
        _ rest: inout ArraySlice<UInt8>
    ) throws(TimestampFormatError) -> [TimestampDirective] {
        guard var letter = rest.popFirst() else {
            throw TimestampFormatError("must have a letter behind the last %")
        }
        var hasPoint = false
        // `%-d`, `%.f`, `%3f` and `%:z` mean what `%d`, `%f` and `%z` do.
        if letter == UInt8(ascii: "."), !rest.isEmpty { hasPoint = true }
        while isFlag(letter), let next = rest.popFirst() { letter = next }
        switch letter {
        case UInt8(ascii: "Y"): return [.year]
        case UInt8(ascii: "y"): return [.shortYear]
        case UInt8(ascii: "m"): return [.month]
        case UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "h"): return [.monthName]
        case UInt8(ascii: "d"), UInt8(ascii: "e"): return [.day]
        case UInt8(ascii: "j"): return [.dayOfYear]
        case UInt8(ascii: "a"), UInt8(ascii: "A"): return [.dayName]
        case UInt8(ascii: "H"), UInt8(ascii: "k"): return [.hour]
        case UInt8(ascii: "I"), UInt8(ascii: "l"): return [.halfDayHour]
        case UInt8(ascii: "p"), UInt8(ascii: "P"): return [.halfDay]
        case UInt8(ascii: "M"): return [.minute]
        case UInt8(ascii: "S"): return [.second]
        case UInt8(ascii: "f"), UInt8(ascii: "L"), UInt8(ascii: "N"):
            return [.fraction(hasPoint: hasPoint)]
        case UInt8(ascii: "z"): return [.zone]
        case UInt8(ascii: "Z"): return [.zoneName]
        case UInt8(ascii: "s"): return [.epoch]
        case UInt8(ascii: "n"), UInt8(ascii: "t"): return [.blanks]
        case UInt8(ascii: "%"): return [.literal(letter)]
        case UInt8(ascii: "F"): return try directives("%Y-%m-%d")
        case UInt8(ascii: "D"): return try directives("%m/%d/%y")
        case UInt8(ascii: "T"): return time + [.literal(UInt8(ascii: ":")), .second]
        case UInt8(ascii: "R"): return time
        default:
            throw TimestampFormatError(
                "has %\(String(decoding: [letter], as: UTF8.self)), which is no directive"
            )
        }
    }

    private static func isFlag(_ letter: UInt8) -> Bool {
        switch letter {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"): true
        default: NumberText.isDigit(letter)
        }
    }

    private static let time: [TimestampDirective] = [
        .hour, .literal(UInt8(ascii: ":")), .minute,
    ]
}
