internal import ConnectorSDK

/// Times as RFC 3339 has them.
enum Timestamp {
    // A time with every digit of a nanosecond and a zone is 35 bytes long.
    private static let limit = 64

    /// A timestamp cell, or `nil` when the word is no time with a zone.
    ///
    /// Some senders write nanoseconds, which neither RFC 5424 nor a cell has: they are cut off.
    static func read(_ word: UnsafeRawBufferPointer) -> Cell? {
        if let cell = TimeText.cell(word, as: .timestamp) { return cell }
        guard word.count <= limit, let point = word.firstIndex(of: UInt8(ascii: ".")) else {
            return nil
        }
        let digits = word[(point + 1)...].prefix { $0.isDigit }.count
        guard digits > 6 else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: limit, alignment: 1) { room in
            room.copyBytes(from: word[...(point + 6)])
            UnsafeMutableRawBufferPointer(rebasing: room[(point + 7)...])
                .copyBytes(from: word[(point + 1 + digits)...])
            let count = word.count - (digits - 6)
            let short = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(room)[..<count])
            return TimeText.cell(short, as: .timestamp)
        }
    }
}
