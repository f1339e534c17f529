/// Makes sentences of what libjq says.
internal enum JQMessage {
    /// A sentence about a text that is no program.
    ///
    /// libjq says `jq: error: WHAT at <top-level>, line N:`, then shows the line, and counts errors
    /// at the end. The prelude has no line breaks, so the lines are the program's own.
    static func ofCompiler(_ messages: String) -> String {
        let first = messages.split(separator: "\n").first.map(String.init) ?? ""
        var text = first.hasPrefix("jq: error: ") ? String(first.dropFirst(11)) : first
        for (old, new) in [
            (" (Unix shell quoting issues?)", ""), (" at <top-level>,", " in"),
            ("$end", "end of the program"), (" (while parsing", " (while reading"),
        ] {
            text = text.replacing(old, with: new)
        }
        while text.last == ":" || text.last == " " { text.removeLast() }
        return text
    }

    /// A sentence about an error that a program raised, without what it says of the record's data.
    ///
    /// Words that libjq itself uses stay, and so does what stands in the program word for word.
    static func ofProgram(_ message: String, program: String) -> String {
        if program.contains(message) { return message }
        var words: [Substring] = []
        for word in message.split(whereSeparator: { $0.isWhitespace }) {
            let isKnown = vocabulary.contains(String(word)) || isFromProgram(word, program)
            let shown = isKnown ? word : "…"
            if shown == "…", words.last == "…" { continue }
            words.append(shown)
        }
        return words.joined(separator: " ")
    }

    private static func isFromProgram(_ word: Substring, _ program: String) -> Bool {
        guard word.count > 2, word.first == "\"", word.last == "\"" else { return false }
        return program.contains(word.dropFirst().dropLast())
    }

    /// The words of libjq's own messages.
    private static let vocabulary = Set(
        """
        Cannot index iterate over with and or cannot be added subtracted multiplied divided because \
        the divisor is zero null boolean number string array object has no keys length not valid in \
        a csv row formatted as parsed check whether key contains containment sorted grouped it an \
        must for of updated start end indices slice numbers values delete field element elements at \
        path Path Invalid expression result access attempt to from use used date format does match \
        matches input is. only strings can implode explode codepoints depth range out bounds Out \
        negative Object Array too deep large big many integer integers escaped shell split trim \
        time broken down requires mktime strptime strftime gmtime localtime regex expected found \
        nothing literal Unfinished abandoned text not. join base64 data decoded there are further \
        inputs modules meaning here `halt` more than 16 MiB \
        error errror converting seconds since epoch datetime requires parsed inputs
        """
        .split(whereSeparator: { $0.isWhitespace }).map(String.init)
    )
}
