internal import CFileShim
internal import Glibc

/// What the file system says of a file.
public struct FileInformation: Sendable, Hashable {
    /// What kind of thing a path names.
    public enum Kind: Sendable {
        /// Bytes.
        case regular
        /// A directory.
        case directory
        /// A pipe, socket or device.
        case other
    }

    /// What it is.
    public var kind: Kind
    /// Its number in the file system; kept by a rename, and used again after a removal.
    public var inode: UInt64
    /// The file system it is in.
    public var device: UInt64
    /// Its length in bytes.
    public var size: Int64
    /// When its content changed last, in nanoseconds since the epoch.
    public var modified: Int64
    /// When it was made, in nanoseconds since the epoch; `nil` where that is not kept.
    public var created: Int64?
    /// How many names it has; none when it was removed and is still open.
    public var links: Int

    /// Asks about a path, following symbolic links; `nil` when nothing is there.
    ///
    /// - Throws: when it cannot be looked at, such as for want of permission.
    public static func of(_ path: String) throws(FileSystemError) -> Self? {
        var answer = mr_file_information()
        guard mr_file_information_of_path(path, &answer) == 0 else {
            let number = errno
            // A loop of links and a name too long are nothing that could be read, either.
            if [ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG].contains(number) { return nil }
            throw FileSystemError("look at", path, number)
        }
        return Self(answer)
    }

    internal init(_ answer: mr_file_information) {
        switch answer.mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        default: kind = .other
        }
        inode = answer.inode
        device = answer.device
        size = answer.size
        modified = answer.modified
        created = answer.created == 0 ? nil : answer.created
        links = Int(answer.links)
    }
}
