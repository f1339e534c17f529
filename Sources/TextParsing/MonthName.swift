/// The English names of months, by their first three letters.
internal enum MonthName {
    private static let words: InlineArray<12, UInt32> = [
        word("jan"), word("feb"), word("mar"), word("apr"), word("may"), word("jun"),
        word("jul"), word("aug"), word("sep"), word("oct"), word("nov"), word("dec"),
    ]

    private static func word(_ text: StaticString) -> UInt32 {
        let bytes = text.utf8Start
        return UInt32(bytes[0]) | UInt32(bytes[1]) << 8 | UInt32(bytes[2]) << 16
    }

    /// The number of the month whose name's first three letters stand here, from 1.
    static func number(_ start: UnsafePointer<UInt8>) -> Int64? {
        let bytes = UInt32(start[0]) | UInt32(start[1]) << 8 | UInt32(start[2]) << 16
        let word = bytes | 0x20_2020
        for index in 0..<12 where words[index] == word { return Int64(index + 1) }
        return nil
    }
}
