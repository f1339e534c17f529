/// Texts as C wants them: an array of pointers to texts that end with a zero, and a null at the end.
internal struct CStringArray {
    private var bytes: [UInt8] = []
    private var starts: [Int?] = []

    internal init(_ texts: [String]) {
        for text in texts { append(text.utf8) }
    }

    /// Adds a text; bytes may be anything when the reader knows their count.
    internal mutating func append(_ text: some Sequence<UInt8>) {
        starts.append(bytes.count)
        bytes.append(contentsOf: text)
        bytes.append(0)
    }

    /// Adds a null pointer.
    internal mutating func appendNull() { starts.append(nil) }

    /// Calls `body` with the array, valid during the call.
    internal func withPointers<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        bytes.withUnsafeBytes { bytes in
            var pointers = starts.map { start in
                start.flatMap { bytes.baseAddress?.advanced(by: $0) }?
                    .assumingMemoryBound(to: CChar.self)
            }
            pointers.append(nil)
            return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }
}
