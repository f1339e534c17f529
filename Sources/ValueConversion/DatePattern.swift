package import ConnectorSDK

/// How a date and time are written, in the letters of Java's SimpleDateFormat.
///
/// All times are UTC unless the text says otherwise, names are English. Where SimpleDateFormat takes
/// whatever comes near a date, this does not: days that no month has, and text behind the end, are
/// refused. `S` is a digit of the fraction, where Java counts milliseconds. Weeks (`Y`, `w`, `W`,
/// `F`), which depend on the country, are not known.
package struct DatePattern: Sendable {
    /// What a letter stands for.
    package enum Field: Character, Sendable {
        case era = "G"
        case year = "y"
        case month = "M"
        case standaloneMonth = "L"
        case dayOfYear = "D"
        case day = "d"
        case dayName = "E"
        case dayNumber = "u"
        case dayHalf = "a"
        case hour = "H"
        case hourFrom1 = "k"
        case halfHour = "K"
        case halfHourFrom1 = "h"
        case minute = "m"
        case second = "s"
        case fraction = "S"
        case zoneName = "z"
        case zoneOffset = "Z"
        case isoZone = "X"
    }

    /// A piece of a pattern.
    package enum Element: Sendable {
        case text([UInt8])
        /// A letter and how often it stands there; `isFixed` when digits follow at once.
        case field(Field, count: Int, isFixed: Bool)
    }

    private(set) var elements: [Element] = []

    /// Reads a pattern, the value of a key.
    package init(_ pattern: String, key: String) throws(ConnectorError) {
        do throws(ConfigValueError) {
            try self.init(pattern)
        } catch {
            throw .invalid(key, "The value \(error.message).")
        }
    }

    /// What is wrong with a pattern; `nil` when nothing is.
    package static func problem(_ pattern: String) -> String? {
        do throws(ConfigValueError) {
            _ = try DatePattern(pattern)
            return nil
        } catch {
            return error.message
        }
    }

    private init(_ pattern: String) throws(ConfigValueError) {
        var rest = pattern[...]
        while let letter = rest.first {
            if letter == "'" {
                rest = rest.dropFirst()
                append(try Self.quoted(&rest))
            } else if letter.isASCII, letter.isLetter {
                let count = rest.prefix { $0 == letter }.count
                rest = rest.dropFirst(count)
                guard let field = Field(rawValue: letter) else { throw Self.unknown(letter) }
                if field == .isoZone, count > 3 {
                    throw ConfigValueError("has more than three letters X together")
                }
                elements.append(.field(field, count: count, isFixed: false))
            } else {
                append(String(letter))
                rest = rest.dropFirst()
            }
        }
        for index in elements.indices.dropLast() {
            guard case .field(let field, let count, _) = elements[index],
                case .field(let next, let nextCount, _) = elements[index + 1],
                field.isNumber(count: count), next.isNumber(count: nextCount)
            else { continue }
            elements[index] = .field(field, count: count, isFixed: true)
        }
    }

    private static func unknown(_ letter: Character) -> ConfigValueError {
        switch letter {
        case "Y": ConfigValueError("has Y, the year of a week, which is not known; y is the year")
        default:
            ConfigValueError(
                "has the letter \(letter), which is not known; text stands between apostrophes"
            )
        }
    }

    /// Reads text up to its closing apostrophe; two of them are one of the text.
    private static func quoted(_ rest: inout Substring) throws(ConfigValueError) -> String {
        if rest.first == "'" {
            rest = rest.dropFirst()
            return "'"
        }
        var text = ""
        while let end = rest.firstIndex(of: "'") {
            text += rest[..<end]
            rest = rest[rest.index(after: end)...]
            guard rest.first == "'" else { return text }
            text += "'"
            rest = rest.dropFirst()
        }
        throw ConfigValueError("has an apostrophe without the one that ends the text")
    }

    private mutating func append(_ text: String) {
        guard case .text(let before)? = elements.last else {
            return elements.append(.text(Array(text.utf8)))
        }
        elements[elements.count - 1] = .text(before + text.utf8)
    }

    /// The milliseconds within which the text of a time does not change.
    package var finestUnit: Int64 {
        var unit: Int64 = 86_400_000
        for case .field(let field, _, _) in elements { unit = min(unit, field.unit) }
        return unit
    }
}

extension DatePattern.Field {
    /// Whether the field is digits.
    package func isNumber(count: Int) -> Bool {
        switch self {
        case .month, .standaloneMonth: count < 3
        case .era, .dayName, .dayHalf, .zoneName, .zoneOffset, .isoZone: false
        default: true
        }
    }

    fileprivate var unit: Int64 {
        switch self {
        case .dayHalf, .hour, .hourFrom1, .halfHour, .halfHourFrom1: 3_600_000
        case .minute: 60_000
        case .second: 1_000
        case .fraction: 1
        default: 86_400_000
        }
    }
}

/// The English names of months and days.
package enum DateNames {
    package static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]
    /// From Monday.
    package static let days = [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]
}
