internal import FileSystem
internal import JSONDocuments

/// What a content begins with, which tells it from others wherever it lies: under another name, in
/// a copy, in a compressed file.
///
/// It grows with the content up to a limit. Hashes of shorter beginnings are kept as well, so that
/// a copy can be compared that ends before what was read of the original.
struct ContentStart: Hashable, Sendable {
    static let limit = FileFingerprint.limit
    /// The shortest beginning that says anything.
    static let least = 16
    private static let basis: UInt64 = 0xcbf2_9ce4_8422_2325

    /// How many bytes it covers.
    private(set) var length = 0
    /// FNV-1a of these bytes.
    private(set) var hash = basis
    /// The hashes of the first 16, 32, 64 … bytes.
    private(set) var marks: [UInt64] = []

    init() {}

    init(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { extend($0, at: 0) }
    }

    /// Takes in what follows, as far as it does and there is room.
    mutating func extend(_ bytes: UnsafeRawBufferPointer, at offset: Int64) {
        let first = Int64(length) - offset
        guard length < Self.limit, first >= 0, first < Int64(bytes.count) else { return }
        for byte in bytes[Int(first)...].prefix(Self.limit - length) {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
            length += 1
            if length == Self.least << marks.count { marks.append(hash) }
        }
    }

    /// Whether a content that begins with `bytes`, as much as there is up to the limit, begins like
    /// this one; `nil` when either is too short to tell.
    func agrees(with bytes: [UInt8]) -> Bool? {
        guard length > 0 else { return nil }
        if bytes.count >= length { return ContentStart(Array(bytes.prefix(length))).hash == hash }
        return agrees(with: ContentStart(bytes))
    }

    /// The same, as far as the shorter of two hashes tell.
    func agrees(with other: ContentStart) -> Bool? {
        if other.length == length { return other.hash == hash }
        let count = min(marks.count, other.marks.count)
        return count == 0 ? nil : marks[count - 1] == other.marks[count - 1]
    }

    var state: JSONDocument {
        [
            "fingerprint": .string(String(hash, radix: 16)), "length": .int(Int64(length)),
            "marks": .string(marks.map { String($0, radix: 16) }.joined(separator: " ")),
        ]
    }

    /// Reads ``state``; what has no marks was written when files were read once.
    init?(_ state: JSONDocument) {
        guard let whole = FileFingerprint(state) else { return nil }
        hash = whole.hash
        length = whole.length
        let texts = (state["marks"]?.string ?? "").split(separator: " ")
        marks = texts.compactMap { UInt64($0, radix: 16) }
        var wanted = 0
        while Self.least << wanted <= length { wanted += 1 }
        // Without them it can be compared as a whole only.
        if marks.count != wanted { marks = [] }
    }
}

/// The last bytes before a place, which tell whether what lies there is still what was read.
struct ContentEnd: Hashable, Sendable {
    /// A line has few bytes in common with another one at its end, with its time and number before.
    static let limit = 64

    var bytes: [UInt8] = []

    init() {}

    /// Takes the last of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = Array(bytes.suffix(Self.limit)) }

    /// What is kept in a position: the bytes themselves belong to records.
    var fingerprint: FileFingerprint {
        let start = ContentStart(bytes)
        return FileFingerprint(hash: start.hash, length: start.length)
    }
}

extension FileFingerprint {
    /// Whether these are the bytes.
    func covers(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.count == length && ContentStart(Array(bytes)).hash == hash
    }
}
