internal import Glibc

/// The calls by which the store changes files, so that tests can make each of them fail.
///
/// Every member behaves like the system call it stands for, `errno` included.
internal struct FileOperations: Sendable {
    /// `pwrite(2)`: may write less than asked for.
    internal var write: @Sendable (_ file: Int32, UnsafeRawBufferPointer, _ at: Int64) -> Int
    /// `fdatasync(2)`.
    internal var synchronize: @Sendable (_ file: Int32) -> Int32
    /// `ftruncate(2)`.
    internal var truncate: @Sendable (_ file: Int32, _ size: Int64) -> Int32

    /// The system's own calls.
    internal static let system = FileOperations(
        write: { file, bytes, offset in pwrite(file, bytes.baseAddress, bytes.count, Int(offset)) },
        synchronize: { fdatasync($0) },
        truncate: { ftruncate($0, Int($1)) }
    )
}

extension FileOperations {
    /// The most bytes given to one `write(2)`.
    ///
    /// The kernel takes the memory for a write in one piece where it can, and pieces larger than
    /// this are memory that nobody has used for long: a virtual machine has to get it from its
    /// host first, which took up to six times as long as the write itself.
    private static let writeSize = 64 << 10

    /// Writes all of `bytes`, or throws; what lies at the place is then undefined.
    internal func writeAll(
        _ bytes: UnsafeRawBufferPointer,
        to file: LogFile,
        at offset: Int64
    ) throws(FileFailure) {
        var done = 0
        while done < bytes.count {
            let end = min(bytes.count, done + Self.writeSize)
            let piece = UnsafeRawBufferPointer(rebasing: bytes[done..<end])
            let count = write(file.descriptor, piece, offset + Int64(done))
            if count > 0 {
                done += count
            } else if count == 0 {
                throw FileFailure("write", file.path, ENOSPC)
            } else if errno != EINTR {
                throw FileFailure("write", file.path)
            }
        }
    }

    /// Waits until the file's contents and size are on the disk.
    internal func synchronize(_ file: LogFile) throws(FileFailure) {
        // Not repeated after a failure: the kernel may have dropped the pages it could not write,
        // and would report success the second time.
        guard synchronize(file.descriptor) == 0 else { throw FileFailure("fdatasync", file.path) }
    }

    /// Cuts the file off at `size`.
    internal func truncate(_ file: LogFile, to size: Int64) throws(FileFailure) {
        guard truncate(file.descriptor, size) == 0 else {
            throw FileFailure("truncate", file.path)
        }
    }
}
