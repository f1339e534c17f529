/// A compiled regular expression, in the syntax that Perl, Java and PCRE2 share.
///
/// It matches bytes, UTF-8 or not: a byte that is no part of valid UTF-8 is matched by nothing.
/// `\d`, `\w` and `\s` are ASCII's, and `.` is any character but a line feed.
public final class RegularExpression: @unchecked Sendable {
    // SAFETY: `handle` is made in `init` and PCRE2 only reads it afterwards, which its documentation
    // allows to any number of threads at once; what a match writes belongs to a `PatternMatcher`.
    // The checked form cannot say that a C pointer is read only.

    /// How a pattern is read.
    public struct Options: OptionSet, Sendable {
        public let rawValue: Int
        /// Makes a set of options.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// Letters match in upper and lower case.
        public static let caseInsensitive = Self(rawValue: 1)
        /// `.` matches a line feed, too.
        public static let dotMatchesLineEnds = Self(rawValue: 2)
        /// `^` and `$` match at each line.
        public static let multiline = Self(rawValue: 4)
    }

    /// What of a text a pattern is to match.
    public enum Extent: Sendable {
        /// All of it.
        case whole
        /// Its beginning.
        case prefix
        /// A part anywhere in it.
        case anywhere
    }

    /// The pattern as it was written.
    public let pattern: String
    /// The number of groups in parentheses.
    public let groupCount: Int
    /// The groups that have a name, by number.
    public let namedGroups: [(name: String, number: Int)]
    internal let extent: Extent
    internal let handle: PatternHandle

    /// Compiles a pattern.
    public init(
        _ pattern: String,
        matching extent: Extent,
        options: Options = []
    ) throws(PatternError) {
        if let offset = Self.intersection(in: pattern) {
            let reason = "`&&` in a class, which Java alone takes for what both sides have"
            throw PatternError(offset: offset, reason: reason)
        }
        handle = try PatternHandle(pattern, options: options, extent: extent)
        self.pattern = pattern
        self.extent = extent
        groupCount = handle.groupCount
        namedGroups = handle.namedGroups
    }

    /// Where a class in brackets has `&&`: PCRE2 would read it as two characters, and match what
    /// nobody meant.
    private static func intersection(in pattern: String) -> Int? {
        var isInClass = false
        var isEscaped = false
        var previous: UInt8 = 0
        for (offset, byte) in pattern.utf8.enumerated() {
            defer { previous = isEscaped ? 0 : byte }
            if isEscaped {
                isEscaped = false
                continue
            }
            switch byte {
            case UInt8(ascii: "\\"): isEscaped = true
            case UInt8(ascii: "["): isInClass = true
            case UInt8(ascii: "]"): isInClass = false
            case UInt8(ascii: "&") where isInClass && previous == byte: return offset - 1
            default: break
            }
        }
        return nil
    }

    /// What is wrong with a pattern, as validators say it; `nil` when nothing is.
    public static func problem(_ pattern: String) -> String? {
        do throws(PatternError) {
            _ = try RegularExpression(pattern, matching: .anywhere)
            return nil
        } catch {
            return "must be a regular expression: \(error.description)"
        }
    }

    /// Whether a text matches; one for which the pattern takes too long does not.
    ///
    /// For a few texts: it makes a matcher each time.
    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            let matcher = PatternMatcher(self)
            return (try? matcher.match(UnsafeRawBufferPointer(bytes))) ?? false
        }
    }

    /// The number of a named group.
    public func group(_ name: String) -> Int? {
        namedGroups.first { $0.name == name }?.number
    }
}

/// Why a text is no pattern.
public struct PatternError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The byte of the pattern at which it was noticed, from 0.
    public let offset: Int
    /// What is wrong there.
    public let reason: String

    public var description: String { "\(reason) (at byte \(offset))" }
}
