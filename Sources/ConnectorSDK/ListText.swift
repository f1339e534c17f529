/// Lists as configurations write them in one text: `a,b,c`.
public enum ListText {
    /// The items: commas separate them, spaces around them and empty ones do not count.
    ///
    /// A comma inside braces belongs to its item, so that `*.{csv,txt}` and `[0-9]{1,3}` are one.
    public static func items(of text: String) -> [String] {
        var items: [Substring] = []
        var start = text.startIndex
        var depth = 0
        for index in text.indices {
            switch text[index] {
            case "{": depth += 1
            case "}": depth = max(0, depth - 1)
            case "," where depth == 0:
                items.append(text[start..<index])
                start = text.index(after: index)
            default: continue
            }
        }
        // A brace that is never closed is an ordinary character.
        guard depth == 0 else { return trimmed(text.split(separator: ",")) }
        items.append(text[start...])
        return trimmed(items)
    }

    private static func trimmed(_ items: [Substring]) -> [String] {
        items.map { item in
            String(
                item.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
            )
        }.filter { !$0.isEmpty }
    }
}
