/// Makes any text part of a file's name: no slash, no control character, no dot in front, not empty
/// and not too long.
public enum FileNameText {
    // Names may have 255 bytes, and a suffix must find room.
    private static let limit = 128

    /// Cleans the bytes from `start` on.
    ///
    /// A slash or control character becomes `_`, and so does a dot at the start; nothing becomes
    /// `__missing__`; more than 128 bytes are cut off and told apart by a hash.
    public static func clean(_ bytes: inout [UInt8], from start: Int) {
        guard bytes.count > start else {
            bytes += "__missing__".utf8
            return
        }
        if bytes.count - start > limit {
            let hash = bytes[start...].reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
                ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3
            }
            bytes.removeLast(bytes.count - start - limit)
            // Not in the middle of a character.
            while let last = bytes.last, bytes.count > start, (0x80..<0xc0).contains(last) {
                bytes.removeLast()
            }
            if let last = bytes.last, bytes.count > start, last >= 0xc0 { bytes.removeLast() }
            bytes += Array("~".utf8) + Array(String(hash, radix: 16).utf8)
        }
        for index in start..<bytes.count
        where bytes[index] < 0x20 || bytes[index] == 0x7f
            || bytes[index] == UInt8(ascii: "/")
        {
            bytes[index] = UInt8(ascii: "_")
        }
        if bytes[start] == UInt8(ascii: ".") { bytes[start] = UInt8(ascii: "_") }
    }
}
