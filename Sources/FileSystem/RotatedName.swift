/// What the name of a log file says about its rotation.
public enum RotatedName {
    private static let compressed = [".gz", ".zst"]
    private static let words = [".old", ".bak", ".orig", "~"]

    /// Whether a name says that the file is compressed.
    public static func isCompressed(_ name: String) -> Bool {
        compressed.contains { name.count > $0.count && name.hasSuffix($0) }
    }

    /// The name of what a compressed file was made of, when it lies beside it.
    public static func original(of name: String) -> Substring? {
        for ending in compressed where name.count > ending.count && name.hasSuffix(ending) {
            return name.dropLast(ending.count)
        }
        return nil
    }

    /// The name that a file had before it was rotated, as far as the name tells.
    ///
    /// Numbers and dates behind a `.`, `-` or `_` are left out, at the end and before the
    /// extension, and so are endings such as `.gz` and `.old`: `app.log.2.gz`,
    /// `app.log-20261121`, `app-2026-11-21.log` and `app.1.log` all belong to `app.log`.
    public static func family(of name: String) -> String {
        var rest = Substring(name)
        for ending in compressed where rest.count > ending.count && rest.hasSuffix(ending) {
            rest = rest.dropLast(ending.count)
            break
        }
        var isShorter = true
        while isShorter {
            isShorter = false
            for word in words where rest.count > word.count && rest.hasSuffix(word) {
                rest = rest.dropLast(word.count)
                isShorter = true
            }
            let shorter = withoutNumber(rest)
            if shorter.count < rest.count, !shorter.isEmpty {
                rest = shorter
                isShorter = true
            }
        }
        guard let dot = rest.lastIndex(of: "."), dot > rest.startIndex else { return String(rest) }
        var stem = rest[..<dot]
        while true {
            let shorter = withoutNumber(stem)
            if shorter.count == stem.count || shorter.isEmpty { break }
            stem = shorter
        }
        return String(stem + rest[dot...])
    }

    /// Takes a number off the end with what separates it from the rest.
    private static func withoutNumber(_ text: Substring) -> Substring {
        let isDigit = { (character: Character) in character.isASCII && character.isNumber }
        var start = text.endIndex
        while start > text.startIndex {
            let before = text.index(before: start)
            let character = text[before]
            // Within a time, as in 2026-11-21T08:15:00Z.
            let isOfTime = start < text.endIndex ? "T:".contains(character) : character == "Z"
            guard isDigit(character) || isOfTime else { break }
            start = before
        }
        guard text[start...].contains(where: isDigit), start > text.startIndex else { return text }
        let separator = text.index(before: start)
        guard ".-_".contains(text[separator]) else { return text }
        return text[..<separator]
    }
}
