/// What makes a file the same file, whatever its name is.
///
/// The inode and the time it was made tell apart files of equal content, and a file from one that
/// took over its inode; the fingerprint of the first bytes tells a file from what was written in
/// its place. Where the file system does not keep the time, its device number stands in.
public struct FileIdentity: Hashable, Sendable {
    /// Covers the bytes there were at first sight, so a file that grows keeps its identity.
    public var fingerprint: FileFingerprint
    /// The file's number in its file system.
    public var inode: UInt64
    /// When it was made, in nanoseconds since the epoch; `nil` where that is not kept.
    public var created: Int64?
    /// The file system, where ``created`` is not kept.
    public var device: UInt64?

    /// Takes over an identity found before.
    public init(fingerprint: FileFingerprint, inode: UInt64, created: Int64?, device: UInt64?) {
        self.fingerprint = fingerprint
        self.inode = inode
        self.created = created
        self.device = device
    }

    /// Identifies a file seen for the first time.
    public init(_ file: OpenFile, _ information: FileInformation) throws(FileSystemError) {
        fingerprint = try FileFingerprint(file)
        inode = information.inode
        created = information.created
        device = information.created == nil ? information.device : nil
    }

    /// Whether an open file is this one.
    public func matches(
        _ file: OpenFile,
        _ information: FileInformation
    ) throws(FileSystemError) -> Bool {
        guard isNode(information), information.size >= Int64(fingerprint.length) else {
            return false
        }
        return try fingerprint.matches(file) ?? false
    }

    /// Whether the file system's answer, without the content, is that of this file.
    public func isNode(_ information: FileInformation) -> Bool {
        guard inode == information.inode else { return false }
        if let created { return created == information.created }
        return device == information.device
    }
}
