internal import CFileShim
internal import Glibc

/// How much room there is where a path lies, and on what kind of file system.
public struct FileSystemRoom: Sendable, Hashable {
    /// What matters of a file system's kind.
    public enum Kind: Sendable, Hashable {
        /// A disk of this machine, or what looks like one.
        case local
        /// On another machine: locks and shared memory may not work.
        case network(String)
        /// Gone with a restart.
        case memory
    }

    /// The bytes that this process may still write.
    public var freeBytes: Int64
    /// All bytes.
    public var totalBytes: Int64
    /// The files that can still be made; `nil` where their number has no limit of its own.
    public var freeFiles: Int64?
    /// The kind.
    public var kind: Kind

    private static let networks: [UInt32: String] = [
        0x6969: "NFS", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x517B: "SMB",
        0x0102_1997: "9P", 0x6573_5546: "FUSE", 0x00C3_6400: "Ceph", 0x5346_414F: "AFS",
    ]
    private static let memoryKinds: Set<UInt32> = [0x0102_1994, 0x8584_58F6]

    /// Asks about the file system of a path that exists.
    public static func of(_ path: String) throws(FileSystemError) -> Self {
        var answer = mr_file_system_room()
        guard mr_room_of_path(path, &answer) == 0 else {
            throw FileSystemError("look at the file system of", path, errno)
        }
        return Self(
            freeBytes: answer.free_bytes,
            totalBytes: answer.total_bytes,
            freeFiles: answer.total_files == 0 ? nil : answer.free_files,
            kind: networks[answer.kind].map { .network($0) }
                ?? (memoryKinds.contains(answer.kind) ? .memory : .local)
        )
    }
}
