/// Walks over the elements of an array's text, in order and without copying.
///
/// The text is that of a cell: valid, with ``Chunk/padding`` readable bytes behind it. Where it is
/// not valid after all the walk ends.
public struct JSONElements {
    private var scanner: JSONScanner
    private var isBegun = false

    /// Begins before the first element; `nil` when the text is no array.
    public init?(_ text: UnsafeRawBufferPointer) {
        guard let start = text.bindMemory(to: UInt8.self).baseAddress else { return nil }
        scanner = JSONScanner(from: start, to: start + text.count)
        scanner.skipSpace()
        guard scanner.expect(UInt8(ascii: "[")) else { return nil }
    }

    /// The text of the next element; `nil` behind the last.
    public mutating func next() -> UnsafeRawBufferPointer? {
        scanner.skipSpace()
        if isBegun {
            guard scanner.expect(UInt8(ascii: ",")) else { return nil }
            scanner.skipSpace()
        }
        isBegun = true
        let start = scanner.at
        guard scanner.at < scanner.end, start[0] != UInt8(ascii: "]"), scanner.value(depth: 0)
        else {
            return nil
        }
        return UnsafeRawBufferPointer(start: start, count: scanner.at - start)
    }
}
