internal import ConnectorSDK

/// How a time is written into a name, in the letters of Java's formatter: `yyyy-MM-dd/HH`.
///
/// Known are the letters `y` or `u` (year), `M` (month), `d` (day), `D` (day of the year), `H`, `m`,
/// `s` and `S` (fraction of a second); text stands in `'quotes'`, and everything else for itself.
public struct TimestampPattern: Sendable, Hashable {
    private enum Piece: Sendable, Hashable {
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

    /// What is wrong with a pattern.
    public struct Problem: Error {
        /// Goes on after the pattern: "is empty".
        public var message: String
    }

    private var pieces: [Piece] = []
    /// Times within one such span of milliseconds are written alike.
    public private(set) var granularity: Int64 = 86_400_000

    /// Reads a pattern.
    public init(_ text: String) throws(Problem) {
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

    /// How many slashes it writes.
    public var slashCount: Int {
        pieces.reduce(0) { count, piece in
            guard case .text(let text) = piece else { return count }
            return count + text.count { $0 == UInt8(ascii: "/") }
        }
    }

    /// Appends a time in milliseconds since the epoch as the pattern says, in UTC.
    public func append(_ milliseconds: Int64, to bytes: inout [UInt8]) {
        let days = CivilDate.floor(milliseconds, 86_400_000)
        // 2^63 milliseconds are 107 billion days: always a date.
        guard let date = CivilDate(days: days) else { return }
        let rest = milliseconds &- days &* 86_400_000
        for piece in pieces {
            switch piece {
            case .text(let text): bytes += text
            case .year(2): Self.append(Int64(date.year.magnitude % 100), 2, to: &bytes)
            case .year(let width): Self.append(date.year, width, to: &bytes)
            case .month(let width): Self.append(date.month, width, to: &bytes)
            case .day(let width): Self.append(date.day, width, to: &bytes)
            case .dayOfYear(let width): Self.append(date.dayOfYear, width, to: &bytes)
            case .hour(let width): Self.append(rest / 3_600_000, width, to: &bytes)
            case .minute(let width): Self.append(rest / 60_000 % 60, width, to: &bytes)
            case .second(let width): Self.append(rest / 1_000 % 60, width, to: &bytes)
            case .fraction(let width):
                // The leading digits of a second, of which nine can be asked for.
                let start = bytes.count
                Self.append(rest % 1_000 * 1_000_000, 9, to: &bytes)
                bytes.removeLast(bytes.count - start - width)
            }
        }
    }

    /// Appends a number with zeros before it, at least so wide.
    private static func append(_ number: Int64, _ width: Int, to bytes: inout [UInt8]) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        var rest = number.magnitude
        while rest > 0 || bytes.count - start < width {
            bytes.append(0x30 + UInt8(rest % 10))
            rest /= 10
        }
        bytes[start...].reverse()
    }
}
