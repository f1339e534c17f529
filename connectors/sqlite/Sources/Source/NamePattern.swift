internal import Glibc

/// A POSIX extended regular expression for a whole name.
///
/// SAFETY: the expression is compiled once and then only read; `regexec` may be called from many
/// threads at once.
internal final class NamePattern: @unchecked Sendable {
    // SAFETY: see the type.
    private let expression: UnsafeMutablePointer<regex_t>

    /// Compiles an expression; `nil` when it is none.
    internal init?(_ text: String) {
        guard SQLText.isName(text) else { return nil }
        expression = .allocate(capacity: 1)
        expression.initialize(to: regex_t())
        guard regcomp(expression, "^(\(text))$", REG_EXTENDED | REG_NOSUB) == 0 else {
            expression.deallocate()
            return nil
        }
    }

    deinit {
        regfree(expression)
        expression.deallocate()
    }

    /// Whether the whole name matches.
    internal func matches(_ name: String) -> Bool { regexec(expression, name, 0, nil, 0) == 0 }
}
