internal import JSONDocuments

extension JSONDocument {
    /// A number that is not negative.
    internal var uint64: UInt64? { int.flatMap { UInt64(exactly: $0) } }

    /// The elements of an array of texts; `nil` when one is something else.
    internal var strings: [String]? {
        guard let array else { return nil }
        let texts = array.compactMap(\.string)
        return texts.count == array.count ? texts : nil
    }

    /// A text in quotes.
    internal static func quote(_ text: String) -> String {
        var result = ""
        write(text, into: &result)
        return result
    }

    /// An array of texts.
    internal static func quote(_ texts: [String]) -> String {
        "[" + texts.map { quote($0) }.joined(separator: ",") + "]"
    }
}
