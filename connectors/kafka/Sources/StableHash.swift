/// A number that is always the same for a text, in every process.
internal enum StableHash {
    /// FNV-1a without its lowest byte, which is the least mixed.
    internal static func of(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3
        } >> 8
    }
}
