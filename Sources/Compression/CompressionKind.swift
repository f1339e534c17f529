/// The compressed formats that are known, by their first bytes.
public enum CompressionKind: String, Sendable, CaseIterable {
    /// Not compressed.
    case none
    /// RFC 1952, any number of members.
    case gzip
    /// RFC 8878, any number of frames.
    case zstd
    /// The LZ4 frame format.
    case lz4
    /// Snappy: bare, or in the frames of xerial's Java library.
    case snappy

    /// How many bytes ``detect(_:)`` looks at.
    public static let magicLength = 8

    /// The first bytes of xerial's framing; two 32-bit version numbers follow.
    internal static let xerialMagic: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]

    /// Whether more bytes could make ``detect(_:)`` tell another format than it does now.
    public static func isUndecided(_ start: some Collection<UInt8>) -> Bool {
        guard let first = start.first else { return true }
        let skippable: [UInt8] = [first & 0xf0 == 0x50 ? first : 0x50, 0x2a, 0x4d, 0x18]
        let marks: [[UInt8]] = [
            [0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd], [0x04, 0x22, 0x4d, 0x18], xerialMagic,
            skippable,
        ]
        return marks.contains { $0.count > start.count && $0.starts(with: start) }
    }

    /// Tells the format from the first bytes of a stream; ``none`` when they are of no known one.
    ///
    /// Bare snappy has no mark and is taken for uncompressed.
    public static func detect(_ start: UnsafeRawBufferPointer) -> Self {
        if start.starts(with: [0x1f, 0x8b]) { return .gzip }
        if start.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return .zstd }
        if start.starts(with: [0x04, 0x22, 0x4d, 0x18]) { return .lz4 }
        if start.starts(with: xerialMagic) { return .snappy }
        // A zstd stream may begin with a skippable frame, as parallel compressors write.
        if start.count >= 4, start[0] & 0xf0 == 0x50,
            start[1...3].elementsEqual([0x2a, 0x4d, 0x18])
        {
            return .zstd
        }
        return .none
    }
}
