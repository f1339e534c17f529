internal import ConnectorSDK
internal import RegularExpressions

/// How far a group of lines goes, as Vector names it.
enum MultilineMode: String, CaseIterable, Sendable {
    case none
    case continueThrough = "continue_through"
    case continuePast = "continue_past"
    case haltBefore = "halt_before"
    case haltWith = "halt_with"
}

/// Which lines belong together, as configured.
struct MultilineSettings: Sendable {
    static let mode = ConfigKey.choice(
        "multiline.mode",
        default: MultilineMode.none,
        help: """
            Makes one record of several lines, and says which lines follow the first one: those \
            that match `multiline.condition_pattern` (`continue_through`); those, and the line \
            behind them (`continue_past`); those before the next one that matches it \
            (`halt_before`); those up to the next one that matches it (`halt_with`).
            """
    )
    static let start = ConfigKey<String?>.optional(
        "multiline.start_pattern",
        help: """
            A regular expression for the first line of several. A line that neither matches it \
            nor follows such a line is a record by itself.
            """,
        validator: RegularExpression.problem
    )
    static let condition = ConfigKey<String?>.optional(
        "multiline.condition_pattern",
        help: "A regular expression for the other lines, as `multiline.mode` says.",
        validator: RegularExpression.problem
    )
    static let timeout = ConfigKey.duration(
        "multiline.timeout.ms",
        default: .seconds(1),
        help: "How long lines wait for others that belong to them, until they are a record."
    )

    var mode: MultilineMode
    var start: RegularExpression
    var condition: RegularExpression
    var timeout: Duration

    /// - Returns: `nil` when each line is a record.
    init?(_ configuration: Configuration) throws(ConnectorError) {
        let mode = try configuration.get(Self.mode)
        let start = try configuration.get(Self.start)
        let condition = try configuration.get(Self.condition)
        guard mode != .none else {
            for key in [Self.start.declaration, Self.condition.declaration]
            where configuration.values[key.name] != nil {
                throw .invalid(key.name, "It has an effect only with `multiline.mode`.")
            }
            return nil
        }
        self.mode = mode
        self.start = try Self.compile(start, Self.start.declaration.name)
        self.condition = try Self.compile(condition, Self.condition.declaration.name)
        timeout = try configuration.get(Self.timeout)
    }

    private static func compile(
        _ pattern: String?,
        _ key: String
    ) throws(ConnectorError) -> RegularExpression {
        guard let pattern else { throw .invalid(key, "A value is required with `multiline.mode`.") }
        do throws(PatternError) {
            return try RegularExpression(pattern, matching: .anywhere)
        } catch {
            throw .invalid(key, "The value must be a regular expression: \(error.description).")
        }
    }
}

/// Says which lines belong together to one record.
final class LineJoiner {
    /// What a line is.
    enum Decision {
        /// One of a group, which may go on.
        case joins
        /// The last one of a group, or a record by itself.
        case ends
        /// The first one behind a group, which ended before it.
        case precedes
    }

    private let mode: MultilineMode
    private let start: PatternMatcher
    private let condition: PatternMatcher
    /// Lines on which a pattern took too long, and was taken not to match.
    private(set) var failures = 0

    init(_ settings: MultilineSettings) {
        mode = settings.mode
        start = PatternMatcher(settings.start)
        condition = PatternMatcher(settings.condition)
    }

    /// Says what a line is, behind lines that wait for more of their group, or without such.
    func decide(_ line: UnsafeRawBufferPointer, isInGroup: Bool) -> Decision {
        guard isInGroup else { return matches(start, line) ? .joins : .ends }
        let isMatched = matches(condition, line)
        switch mode {
        case .none: return .precedes
        case .continueThrough: return isMatched ? .joins : .precedes
        case .continuePast: return isMatched ? .joins : .ends
        case .haltBefore: return isMatched ? .precedes : .joins
        case .haltWith: return isMatched ? .ends : .joins
        }
    }

    private func matches(_ matcher: PatternMatcher, _ line: UnsafeRawBufferPointer) -> Bool {
        do throws(MatchFailure) {
            return try matcher.match(line)
        } catch {
            failures += 1
            return false
        }
    }
}
