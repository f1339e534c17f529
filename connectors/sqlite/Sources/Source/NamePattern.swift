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
        let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        compiled.initialize(to: regex_t())
        guard regcomp(compiled, "^(\(text))$", REG_EXTENDED | REG_NOSUB) == 0 else {
            compiled.deallocate()
            return nil
        }
        expression = compiled
    }

    deinit {
        regfree(expression)
        expression.deallocate()
    }

    /// Whether the whole name matches.
    internal func matches(_ name: String) -> Bool { regexec(expression, name, 0, nil, 0) == 0 }
}
