internal import ConnectorSDK
internal import FileSystem

/// What makes a file the same file, whatever its name is.
///
/// The inode and the time it was made tell apart files of equal content, and a file from one that
/// took over its inode; the fingerprint of the first bytes tells a file from what was written in
/// its place. Where the file system does not keep the time, its device number stands in.
struct FileIdentity: Hashable, Sendable {
    /// So many bytes differ for all but hostile files, and one page is read anyway.
    static let fingerprintLimit = 4_096

    /// FNV-1a of the first ``length`` bytes.
    var fingerprint: UInt64
    /// How many bytes the fingerprint covers: those there were at first sight, up to the limit.
    ///
    /// So a file that grows keeps its identity.
    var length: Int
    var inode: UInt64
    var created: Int64?
    var device: UInt64?

    /// Identifies a file seen for the first time.
    init(_ file: OpenFile, _ information: FileInformation) throws(FileSystemError) {
        let start = try file.bytes(at: 0, count: Self.fingerprintLimit)
        fingerprint = Self.hash(start)
        length = start.count
        inode = information.inode
        created = information.created
        device = information.created == nil ? information.device : nil
    }

    /// Whether an open file is this one.
    func matches(
        _ file: OpenFile,
        _ information: FileInformation
    ) throws(FileSystemError) -> Bool {
        guard isNode(information), information.size >= Int64(length) else { return false }
        let start = try file.bytes(at: 0, count: length)
        return start.count == length && Self.hash(start) == fingerprint
    }

    /// Whether the file system's answer, without the content, is that of this file.
    func isNode(_ information: FileInformation) -> Bool {
        guard inode == information.inode else { return false }
        if let created { return created == information.created }
        return device == information.device
    }

    /// Spreads files over tasks; a file that grows or is renamed stays with its task.
    static func task(of information: FileInformation, count: Int) -> Int {
        // Neighbouring inodes differ in the low bits only, so these are mixed first.
        let mixed = (information.inode &* 0x9e37_79b9_7f4a_7c15) >> 32
        return Int(mixed % UInt64(max(count, 1)))
    }

    fileprivate static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}

/// What a file begins with, when it has grown past what its identity covers.
///
/// A file that was short at first sight is told by this from one that was written over and begins
/// with the same few bytes, such as a header row.
struct FileStart: Hashable, Sendable {
    var fingerprint: UInt64
    var length: Int

    /// Takes the fingerprint of as much as an identity may cover.
    init(_ file: OpenFile) throws(FileSystemError) {
        let start = try file.bytes(at: 0, count: FileIdentity.fingerprintLimit)
        fingerprint = FileIdentity.hash(start)
        length = start.count
    }

    /// Whether a file begins so; one that is shorter cannot be told apart.
    func matches(_ file: OpenFile) throws(FileSystemError) -> Bool {
        let start = try file.bytes(at: 0, count: length)
        return start.count < length || FileIdentity.hash(start) == fingerprint
    }

    var state: StateValue {
        .object([
            "fingerprint": .string(String(fingerprint, radix: 16)), "length": .int(Int64(length)),
        ])
    }

    init?(_ state: StateValue) {
        guard let fingerprint = state["fingerprint"]?.string.flatMap({ UInt64($0, radix: 16) }),
            let length = state["length"]?.int,
            (0...Int64(FileIdentity.fingerprintLimit)).contains(length)
        else { return nil }
        self.fingerprint = fingerprint
        self.length = Int(length)
    }
}

extension FileIdentity {
    /// The partition of a ``SourcePosition``.
    var partition: String {
        var members: [(key: String, value: StateValue)] = [
            ("fingerprint", .string(String(fingerprint, radix: 16))),
            ("length", .int(Int64(length))),
            ("inode", .string(String(inode))),
        ]
        if let created { members.append(("created", .int(created))) }
        if let device { members.append(("device", .string(String(device)))) }
        return StateValue.object(members)
    }

    /// Reads a partition; `nil` when it names no file.
    init?(partition: String) {
        guard let value = StateValue(parsing: partition),
            let fingerprint = value["fingerprint"]?.string.flatMap({ UInt64($0, radix: 16) }),
            let length = value["length"]?.int, (0...Int64(Self.fingerprintLimit)).contains(length),
            let inode = value["inode"]?.string.flatMap({ UInt64($0) })
        else { return nil }
        self.fingerprint = fingerprint
        self.length = Int(length)
        self.inode = inode
        created = value["created"]?.int
        device = value["device"]?.string.flatMap { UInt64($0) }
    }
}
