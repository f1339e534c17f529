internal import CPostgres

/// Connection strings as libpq reads them.
internal enum ConnectionText {
    /// Reads a URL or keyword string into keywords.
    internal static func parse(_ text: String) throws(PostgresFailure) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &message) else {
            let reason = message.map { String(cString: $0) } ?? "there is no memory"
            if let message { PQfreemem(message) }
            throw .client("The connection string cannot be read: \(withoutQuotes(reason)).")
        }
        defer { PQconninfoFree(options) }
        var result: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                result[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        return result
    }

    /// Takes out what libpq quotes of the text, which may be part of a password; single
    /// characters of the syntax stay.
    internal static func withoutQuotes(_ message: String) -> String {
        let pieces = message.split(separator: "\"", omittingEmptySubsequences: false)
        let shown = pieces.enumerated().map { index, piece in
            index % 2 == 0 || ["=", ":", "/", "]"].contains(piece) ? String(piece) : "…"
        }
        return shown.joined(separator: "\"").filter { !$0.isNewline }
    }
}

/// The shared library.
internal enum LibPQ {
    /// Loads it, once.
    internal static func load() throws(PostgresFailure) {
        guard let problem = mr_libpq_load() else { return }
        throw .client(
            "The PostgreSQL client library cannot be loaded: \(String(cString: problem)). "
                + "On Debian: apt-get install libpq5"
        )
    }
}
