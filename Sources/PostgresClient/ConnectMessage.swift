/// The message of a failed attempt to connect: libpq gives it as text only.
internal enum ConnectMessage {
    /// Finds the SQLSTATE in a verbose message such as
    /// `connection to server at "h", port 1 failed: FATAL:  28P01: password …\nLOCATION:  …`.
    internal static func failure(_ text: String) -> PostgresFailure {
        var words = statement(text)
        var state = SQLState.cannotConnect
        // Each attempt has its own, such as one with and one without encryption.
        while let (range, code) = code(in: words) {
            state = SQLState(code)
            words.removeSubrange(range)
        }
        var failure = PostgresFailure(.connection, state, words)
        failure.isFatal = true
        // The server was reached and said no: another try says the same.
        if isRefusedForGood(words) { failure.state = .rejected }
        if failure.state == .rejected || ["28", "3D", "42"].contains(state.classCode) {
            failure.origin = .server
        }
        return failure
    }

    /// What happened, in one line: without libpq's advice, which it indents by a tab, and without
    /// places in the server's source.
    internal static func statement(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline)
            .filter { !$0.hasPrefix("LOCATION:") && !$0.hasPrefix("\t") }
            .joined(separator: " ")
    }

    /// Problems with certificates and settings, for which there is no SQLSTATE.
    private static func isRefusedForGood(_ text: String) -> Bool {
        [
            "certificate", "private key file", "no password supplied", "does not support SSL",
            "definition of service",
        ].contains { text.contains($0) }
    }

    /// The first word of the form `XXXXX:` behind `: `, upper-case letters and digits.
    private static func code(in text: String) -> (Range<String.Index>, String)? {
        var rest = text.startIndex..<text.endIndex
        while let colon = text[rest].firstIndex(of: ":") {
            let start = text[colon...].dropFirst().firstIndex { $0 != " " } ?? text.endIndex
            let word = text[start...].prefix(5)
            let after = text[word.endIndex...]
            if word.count == 5, after.hasPrefix(": "), word.allSatisfy(isCodeCharacter) {
                return (start..<text.index(word.endIndex, offsetBy: 2), String(word))
            }
            rest = text.index(after: colon)..<text.endIndex
        }
        return nil
    }

    private static func isCodeCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isNumber || character.isUppercase)
    }
}
