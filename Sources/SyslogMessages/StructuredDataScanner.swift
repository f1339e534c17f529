/// Walks the structured data of RFC 5424: `[id name="value" name="value"][id]`.
struct StructuredDataScanner {
    /// What stands at the place.
    enum Part {
        /// The start of an element, and its id.
        case element(Range<Int>)
        /// A parameter of the element: its name and its value as it is written.
        case parameter(name: Range<Int>, value: Range<Int>)
        /// The end of the element.
        case end
    }

    /// D7: hostile messages could otherwise make comparing names take seconds.
    private static let mostParameters = 256
    private static let mostElements = 64

    private var ids: [Range<Int>] = []

    /// The length of the elements at the start of a text; `nil` when they break the grammar, have
    /// an id twice, or are too many.
    mutating func length(of text: UnsafeRawBufferPointer) -> Int? {
        ids.removeAll(keepingCapacity: true)
        var at = 0
        var parameters = 0
        var inElement = false
        while let part = Self.next(text, &at, inElement: inElement) {
            switch part {
            case .element(let id):
                guard ids.count < Self.mostElements,
                    !ids.contains(where: { text[$0].elementsEqual(text[id]) })
                else { return nil }
                ids.append(id)
                parameters = 0
                inElement = true
            case .parameter:
                parameters += 1
                if parameters > Self.mostParameters { return nil }
            case .end:
                inElement = false
                guard at < text.count, text[at] == UInt8(ascii: "[") else { return at }
            }
        }
        return nil
    }

    /// Reads what stands at a place, and moves behind it; `nil` when it breaks the grammar.
    static func next(
        _ text: UnsafeRawBufferPointer,
        _ at: inout Int,
        inElement: Bool
    ) -> Part? {
        guard at < text.count else { return nil }
        if !inElement {
            guard text[at] == UInt8(ascii: "[") else { return nil }
            at += 1
            return name(text, &at).map(Part.element)
        }
        if text[at] == UInt8(ascii: "]") {
            at += 1
            return .end
        }
        guard text[at] == .space else { return nil }
        at += 1
        guard let name = name(text, &at), at + 1 < text.count, text[at] == UInt8(ascii: "="),
            text[at + 1] == UInt8(ascii: "\"")
        else { return nil }
        at += 2
        let start = at
        while at < text.count, text[at] != UInt8(ascii: "\"") {
            at += text[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard at < text.count else { return nil }
        at += 1
        return .parameter(name: name, value: start..<at - 1)
    }

    /// Visible ASCII without `=`, `]` and `"`.
    private static func name(_ text: UnsafeRawBufferPointer, _ at: inout Int) -> Range<Int>? {
        let start = at
        while at < text.count {
            let byte = text[at]
            guard byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "="), byte != UInt8(ascii: "]"),
                byte != UInt8(ascii: "\"")
            else { break }
            at += 1
        }
        return at > start ? start..<at : nil
    }
}
