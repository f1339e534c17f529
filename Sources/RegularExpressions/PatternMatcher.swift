/// Matches texts with one expression, without allocating for each.
///
/// One thread at a time uses it; others make their own of the same expression.
public final class PatternMatcher {
    /// The expression it matches with.
    public let expression: RegularExpression
    private let handle: MatchHandle
    private let limits: MatchLimits
    @usableFromInline internal let offsets: UnsafePointer<Int>
    /// The length for which the limit of steps was set last.
    private var limitedLength = -1

    /// Makes a matcher.
    public init(_ expression: RegularExpression, limits: MatchLimits = MatchLimits()) {
        self.expression = expression
        self.limits = limits
        handle = MatchHandle(for: expression.handle)
        offsets = handle.offsets
    }

    /// Whether the expression matches, beginning at `start` or, if it may match anywhere, later.
    ///
    /// - Throws: ``MatchFailure`` when it takes more steps or time than ``MatchLimits`` allow.
    public func match(
        _ bytes: UnsafeRawBufferPointer,
        from start: Int = 0
    ) throws(MatchFailure) -> Bool {
        let steps = limits.steps(for: bytes.count)
        if limitedLength != bytes.count {
            handle.limit(steps: steps)
            limitedLength = bytes.count
        }
        let starts = limits.starts(of: steps)
        guard expression.extent == .anywhere, bytes.count - start > starts else {
            return try Self.check(handle.match(expression.handle, bytes, from: start))
        }
        return try search(bytes, from: start, by: starts)
    }

    /// Tries `starts` places at a time, and looks at the clock in between: the limit of steps is
    /// one for each place where a match may begin.
    private func search(
        _ bytes: UnsafeRawBufferPointer,
        from start: Int,
        by starts: Int
    ) throws(MatchFailure) -> Bool {
        defer { handle.limit(lastStart: nil) }
        let end = ContinuousClock.now + limits.time
        var next = start
        while true {
            let last = min(next + starts, bytes.count)
            handle.limit(lastStart: last)
            if try Self.check(handle.match(expression.handle, bytes, from: next)) { return true }
            guard last < bytes.count else { return false }
            // The next place must not be within a character.
            next = last + 1
            while next < bytes.count, bytes[next] & 0xc0 == 0x80, next - last < 4 { next += 1 }
            guard ContinuousClock.now < end else { throw MatchFailure() }
        }
    }

    private static func check(_ outcome: MatchHandle.Outcome) throws(MatchFailure) -> Bool {
        switch outcome {
        case .matched: true
        case .unmatched: false
        case .exhausted: throw MatchFailure()
        }
    }

    /// Where in the text that matched last a group is.
    ///
    /// `nil` if it took no part; group 0 is the whole match.
    @inlinable
    public func range(of group: Int) -> Range<Int>? {
        precondition(group >= 0 && group <= expression.groupCount, "There is no such group.")
        let start = offsets[2 &* group], end = offsets[2 &* group &+ 1]
        // `\K` in a lookahead can make a match end before it begins.
        return start < 0 || end < start ? nil : Range(uncheckedBounds: (start, end))
    }
}

/// How much a match may cost, so that no pattern and no text can hold a task up. (D7)
public struct MatchLimits: Sendable {
    /// Steps from each place where a match may begin, for a short text.
    ///
    /// A thousand times what patterns for log lines take.
    public var steps = 100_000
    /// Further steps for each byte, since `.*` alone takes one for each.
    public var stepsPerByte = 10
    /// How long a search may take where many places are tried.
    public var time = Duration.seconds(1)

    /// Makes the default limits.
    public init() {}

    /// A step takes some nanoseconds, so this many take about a second.
    private static let stepsPerSecond = 200_000_000

    internal func steps(for length: Int) -> Int { steps &+ stepsPerByte &* length }

    internal func starts(of steps: Int) -> Int { max(Self.stepsPerSecond / max(steps, 1), 16) }
}

/// A match was given up: it took more than ``MatchLimits`` allow.
public struct MatchFailure: Error, Sendable, CustomStringConvertible {
    public var description: String {
        "The pattern takes too many steps on this text; parts of it repeat what repeats."
    }
}
