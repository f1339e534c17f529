/// How a time is written into a path, in the letters of Java's formatter: `yyyy-MM-dd/HH`.
struct TimestampPattern: Sendable, Hashable {
    enum Piece: Sendable, Hashable {
        case text([UInt8])
        case year(Int)
        case month(Int)
        case day(Int)
        case dayOfYear(Int)
        case hour(Int)
        case minute(Int)
        case second(Int)
        case fraction(Int)
    }

    struct Problem: Error {
        var message: String
    }

    private var pieces: [Piece] = []
    /// Times within one such span of milliseconds are written alike.
    private(set) var granularity: Int64 = 86_400_000

    init(_ text: String) throws(Problem) {
        var rest = Array(text)[...]
        while let character = rest.first {
            if character == "'" {
                appendText(try Self.takeQuoted(&rest))
            } else if character.isASCII, character.isLetter {
                let run = rest.prefix { $0 == character }
                rest = rest.dropFirst(run.count)
                try append(character, count: run.count)
            } else {
                appendText(String(character))
                rest = rest.dropFirst()
            }
        }
        guard !pieces.isEmpty else { throw Problem(message: "is empty") }
    }

    private mutating func append(_ letter: Character, count: Int) throws(Problem) {
        // A width that no number needs is a mistake.
        guard count <= 9 else { throw Problem(message: "repeats `\(letter)` too often") }
        switch letter {
        case "y", "u": pieces.append(.year(count))
        case "M": pieces.append(.month(count))
        case "d": pieces.append(.day(count))
        case "D": pieces.append(.dayOfYear(count))
        case "H": append(.hour(count), every: 3_600_000)
        case "m": append(.minute(count), every: 60_000)
        case "s": append(.second(count), every: 1_000)
        case "S": append(.fraction(count), every: 1)
        default:
            throw Problem(message: "has the letter `\(letter)`; known are y M d D H m s S")
        }
        if letter == "M", count > 2 { throw Problem(message: "asks for the name of a month") }
    }

    private mutating func append(_ piece: Piece, every span: Int64) {
        pieces.append(piece)
        granularity = min(granularity, span)
    }

    private mutating func appendText(_ text: String) {
        pieces.append(.text(Array(text.utf8)))
    }

    /// Takes `'text'`; two quotes stand for one.
    private static func takeQuoted(_ rest: inout ArraySlice<Character>) throws(Problem) -> String {
        rest = rest.dropFirst()
        if rest.first == "'" {
            rest = rest.dropFirst()
            return "'"
        }
        var text = ""
        while let character = rest.popFirst() {
            if character != "'" {
                text.append(character)
            } else if rest.first == "'" {
                rest = rest.dropFirst()
                text.append("'")
            } else {
                return text
            }
        }
        throw Problem(message: "has a quote without its end")
    }

    /// How many directories it makes.
    var slashCount: Int {
        pieces.reduce(0) { count, piece in
            guard case .text(let text) = piece else { return count }
            return count + text.count { $0 == UInt8(ascii: "/") }
        }
    }

    /// Appends a time as the pattern says, in UTC.
    func append(_ milliseconds: Int64, to bytes: inout [UInt8]) {
        let time = CalendarTime(milliseconds: milliseconds)
        for piece in pieces {
            switch piece {
            case .text(let text): bytes += text
            case .year(2): bytes += CalendarTime.padded(abs(time.year) % 100, 2).utf8
            case .year(let width): bytes += CalendarTime.padded(time.year, width).utf8
            case .month(let width): bytes += CalendarTime.padded(time.month, width).utf8
            case .day(let width): bytes += CalendarTime.padded(time.day, width).utf8
            case .dayOfYear(let width): bytes += CalendarTime.padded(time.dayOfYear, width).utf8
            case .hour(let width): bytes += CalendarTime.padded(time.hour, width).utf8
            case .minute(let width): bytes += CalendarTime.padded(time.minute, width).utf8
            case .second(let width): bytes += CalendarTime.padded(time.second, width).utf8
            case .fraction(let width):
                let digits =
                    CalendarTime.padded(time.millisecond, 3)
                    + String(repeating: "0", count: 6)
                bytes += digits.prefix(width).utf8
            }
        }
    }
}
