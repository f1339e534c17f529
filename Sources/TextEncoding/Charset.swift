public import ConnectorSDK

/// An encoding of characters.
public enum Charset: String, CaseIterable, Sendable {
    /// What the byte order mark says, and UTF-8 without one.
    case auto
    /// UTF-8.
    case utf8 = "utf-8"
    /// UTF-16 as its mark says, big-endian without one.
    case utf16 = "utf-16"
    /// UTF-16, the low byte first.
    case utf16LittleEndian = "utf-16le"
    /// UTF-16, the high byte first.
    case utf16BigEndian = "utf-16be"
    /// Latin-1: each byte is a character.
    case latin1 = "iso-8859-1"

    /// The length of the longest mark.
    public static let markLength = 3

    private static let marks: [[UInt8]] = [[0xef, 0xbb, 0xbf], [0xff, 0xfe], [0xfe, 0xff]]

    /// What the first bytes of a stream say: the encoding, never `auto` or `utf16`, and the length
    /// of the byte order mark to leave out.
    public func resolve(_ start: some Collection<UInt8>) -> (charset: Charset, mark: Int) {
        let found: (charset: Charset, mark: Int)? =
            if start.starts(with: [0xef, 0xbb, 0xbf]) {
                (.utf8, 3)
            } else if start.starts(with: [0xff, 0xfe]) {
                (.utf16LittleEndian, 2)
            } else if start.starts(with: [0xfe, 0xff]) {
                (.utf16BigEndian, 2)
            } else {
                nil
            }
        switch self {
        case .auto: return found ?? (.utf8, 0)
        case .utf16:
            guard let found, found.charset != .utf8 else { return (.utf16BigEndian, 0) }
            return found
        default: return (self, found?.charset == self ? found?.mark ?? 0 : 0)
        }
    }

    /// The UTF-8 of a stream in this encoding, without its byte order mark.
    ///
    /// Text that is UTF-8 already passes as it is, unchecked.
    ///
    /// - Throws: what the stream throws when its first bytes are read.
    public func decoding(
        _ source: @escaping ByteInput.Source
    ) throws(ConnectorError) -> ByteInput.Source {
        // A stream that begins otherwise is not kept waiting for the length of a mark.
        let peeked = try PeekedSource(source) { start in
            Self.marks.contains { $0.count > start.count && $0.starts(with: start) }
        }
        let (charset, mark) = resolve(peeked.start)
        peeked.drop(mark)
        let text: ByteInput.Source = { room throws(ConnectorError) in
            try peeked.read(into: room)
        }
        guard charset != .utf8 else { return text }
        let decoder = CharsetDecoder(charset, offset: Int64(mark), reading: text)
        return { room throws(ConnectorError) in try decoder.read(into: room) }
    }
}
