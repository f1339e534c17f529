/// What a file begins with, in few bytes.
public struct FileFingerprint: Hashable, Sendable {
    /// So many bytes differ for all but hostile files, and one page is read anyway.
    public static let limit = 4_096

    /// FNV-1a of the first ``length`` bytes.
    public var hash: UInt64
    /// How many bytes it covers, 0 to ``limit``.
    public var length: Int

    /// Takes over a fingerprint taken before.
    public init(hash: UInt64, length: Int) {
        self.hash = hash
        self.length = length
    }

    /// Takes the fingerprint of what is there now, up to the limit.
    public init(_ file: OpenFile) throws(FileSystemError) {
        let start = try file.bytes(at: 0, count: Self.limit)
        hash = Self.hash(start)
        length = start.count
    }

    /// Whether a file begins so; `nil` when it is shorter than what the fingerprint covers.
    public func matches(_ file: OpenFile) throws(FileSystemError) -> Bool? {
        let start = try file.bytes(at: 0, count: length)
        return start.count < length ? nil : Self.hash(start) == hash
    }

    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
