/// The expressions in the text of a `CREATE UNIQUE INDEX`, which SQLite tells in no other way.
internal struct IndexText {
    /// The indexed columns and expressions as they are written, without their order.
    let terms: [String]
    /// What stands behind `WHERE`.
    let condition: String?

    /// Takes a statement apart that SQLite has accepted; `nil` when there are no terms.
    init?(_ sql: String) {
        let text = Array(sql.utf8)
        var terms: [String] = []
        var depth = 0
        var start: Int?
        var end = 0
        var at = 0
        while at < text.count {
            if let next = Self.endOfQuoted(text, at) {
                at = next
                continue
            }
            switch text[at] {
            case UInt8(ascii: "("):
                depth += 1
                if depth == 1, start == nil { start = at + 1 }
            case UInt8(ascii: ")"):
                depth -= 1
                if depth == 0, end == 0, let first = start {
                    terms.append(Self.term(text[first..<at]))
                    end = at + 1
                }
            case UInt8(ascii: ",") where depth == 1 && end == 0:
                if let first = start { terms.append(Self.term(text[first..<at])) }
                start = at + 1
            default: break
            }
            at += 1
        }
        guard end > 0 else { return nil }
        self.terms = terms
        let rest = Self.trimmed(text[end...])
        condition =
            rest.count > 5 && Self.isWord("where", rest.prefix(5))
            ? Self.text(Self.trimmed(rest.dropFirst(5))) : nil
    }

    /// The place behind a quoted text, a quoted name or a comment that begins here.
    private static func endOfQuoted(_ text: [UInt8], _ at: Int) -> Int? {
        let closing: UInt8
        switch text[at] {
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"): closing = text[at]
        case UInt8(ascii: "["): closing = UInt8(ascii: "]")
        case UInt8(ascii: "-") where at + 1 < text.count && text[at + 1] == text[at]:
            return text[at...].firstIndex(of: 0x0A).map { $0 + 1 } ?? text.count
        case UInt8(ascii: "/") where at + 1 < text.count && text[at + 1] == UInt8(ascii: "*"):
            var next = at + 2
            while next + 1 < text.count {
                if text[next] == UInt8(ascii: "*"), text[next + 1] == UInt8(ascii: "/") { break }
                next += 1
            }
            return min(next + 2, text.count)
        default: return nil
        }
        // A doubled quote is one inside, which reads as an end and another beginning.
        return text[(at + 1)...].firstIndex(of: closing).map { $0 + 1 } ?? text.count
    }

    /// A term without `ASC` and `DESC`.
    private static func term(_ bytes: ArraySlice<UInt8>) -> String {
        var rest = trimmed(bytes)
        for word in ["asc", "desc"] where rest.count > word.utf8.count {
            let before = rest[rest.endIndex - word.utf8.count - 1]
            guard isWord(word, rest.suffix(word.utf8.count)), isSpace(before) || before == 0x29
            else {
                continue
            }
            rest = trimmed(rest.dropLast(word.utf8.count))
        }
        return text(rest)
    }

    private static func isWord(_ word: String, _ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.elementsEqual(word.utf8) { byte, letter in byte | 0x20 == letter }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (9...13).contains(byte) }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let start = bytes.drop(while: isSpace)
        guard let last = start.lastIndex(where: { !isSpace($0) }) else { return [] }
        return start[...last]
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
