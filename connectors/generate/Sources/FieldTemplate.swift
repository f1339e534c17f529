internal import ConnectorSDK

/// What a generated field holds.
enum FieldTemplate: Hashable, Sendable {
    case sequence(start: Int64, step: Int64)
    case int(ClosedRange<Int64>)
    case double(ClosedRange<Double>)
    /// The range of the mantissa.
    case decimal(ClosedRange<Int64>, scale: UInt8)
    /// How often it is true.
    case bool(Double)
    case uuid
    /// One of some texts.
    case choice([String])
    /// Microseconds since the epoch of the first record, and from one record to the next.
    case timestamp(start: Int64, step: Int64)
    /// The time at which the record is made.
    case now
    /// Words, so many characters in all.
    case text(ClosedRange<Int>)

    /// The field's type.
    var type: FieldType {
        switch self {
        case .sequence, .int: .int64
        case .double: .double
        case .decimal(_, let scale): .decimal(precision: 18, scale: Int(scale))
        case .bool: .bool
        case .uuid: .uuid
        case .choice, .text: .string
        case .timestamp, .now: .timestamp
        }
    }

    /// What can be written.
    static let grammar = """
        `sequence [START] [by STEP]`, `int A..B`, `double A..B`, `decimal A..B`, \
        `bool [PROBABILITY]`, `uuid`, `name`, `choice a|b|c`, `timestamp [START] [by DURATION]`, \
        `now`, `text A..B`
        """

    /// Reads a template; `nil` when it is none.
    init?(_ text: String) {
        let words = text.split(separator: " ", maxSplits: 1)
        guard let kind = words.first?.lowercased() else { return nil }
        let argument = words.count > 1 ? Self.trimmed(words[1]) : ""
        switch kind {
        case "uuid" where argument.isEmpty: self = .uuid
        case "now" where argument.isEmpty: self = .now
        case "name" where argument.isEmpty: self = .choice(PersonNames.all)
        case "choice":
            let choices = argument.split(separator: "|", omittingEmptySubsequences: false)
                .map { Self.trimmed($0) }
            guard !argument.isEmpty else { return nil }
            self = .choice(choices)
        case "bool":
            let share = argument.isEmpty ? 0.5 : Double(argument)
            guard let share, (0...1).contains(share) else { return nil }
            self = .bool(share)
        case "sequence":
            guard let (start, step) = Self.stepped(argument, 1, 1, { Int64($0) }, { Int64($0) })
            else { return nil }
            self = .sequence(start: start, step: step)
        case "timestamp":
            let stepped = Self.stepped(argument, Self.epoch, 1_000_000, Self.instant, Self.duration)
            guard let (start, step) = stepped else { return nil }
            self = .timestamp(start: start, step: step)
        default:
            guard let ranged = Self.ranged(kind, argument) else { return nil }
            self = ranged
        }
    }

    // 2026-01-01T00:00:00Z
    private static let epoch: Int64 = 1_767_225_600_000_000
    // Longer texts are better made by a database.
    private static let longestText = 10_000

    private static func ranged(_ kind: String, _ argument: String) -> FieldTemplate? {
        guard let dots = argument.firstRange(of: "..") else { return nil }
        let low = trimmed(argument[..<dots.lowerBound])
        let high = trimmed(argument[dots.upperBound...])
        switch kind {
        case "int":
            guard let low = Int64(low), let high = Int64(high), low <= high else { return nil }
            return .int(low...high)
        case "double":
            guard let low = Double(low), let high = Double(high), low <= high, low.isFinite,
                high.isFinite, (high - low).isFinite
            else { return nil }
            return .double(low...high)
        case "decimal":
            let scale = max(decimals(low), decimals(high))
            guard let low = mantissa(low, scale), let high = mantissa(high, scale), low <= high
            else { return nil }
            return .decimal(low...high, scale: UInt8(scale))
        case "text":
            guard let low = Int(low), let high = Int(high), (1...longestText).contains(low),
                (low...longestText).contains(high)
            else { return nil }
            return .text(low...high)
        default: return nil
        }
    }

    /// Reads `START by STEP`, both of which may be left out.
    private static func stepped(
        _ text: String,
        _ start: Int64,
        _ step: Int64,
        _ readStart: (String) -> Int64?,
        _ readStep: (String) -> Int64?
    ) -> (Int64, Int64)? {
        let words = text.split(separator: " ").map(String.init)
        switch words.count {
        case 0: return (start, step)
        case 1: return readStart(words[0]).map { ($0, step) }
        case 2 where words[0] == "by": return readStep(words[1]).map { (start, $0) }
        case 3 where words[1] == "by":
            guard let start = readStart(words[0]), let step = readStep(words[2]) else { return nil }
            return (start, step)
        default: return nil
        }
    }

    private static func instant(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { TimeText.instant(UnsafeRawBufferPointer($0)) }?.int64
    }

    private static func duration(_ text: String) -> Int64? {
        guard let parts = Units.duration(text)?.components else { return nil }
        let (seconds, overflow) = parts.seconds.multipliedReportingOverflow(by: 1_000_000)
        let (all, carry) = seconds.addingReportingOverflow(parts.attoseconds / 1_000_000_000_000)
        return overflow || carry ? nil : all
    }

    private static func decimals(_ number: String) -> Int {
        number.firstIndex(of: ".").map { number[$0...].count - 1 } ?? 0
    }

    /// The digits of a number with so many decimals.
    private static func mantissa(_ number: String, _ scale: Int) -> Int64? {
        guard scale <= 18 else { return nil }
        let missing = scale - decimals(number)
        let digits = number.filter { $0 != "." } + String(repeating: "0", count: missing)
        return Int64(digits)
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let start = text.drop(while: \.isWhitespace)
        return String(String(start.reversed().drop(while: \.isWhitespace).reversed()))
    }
}
