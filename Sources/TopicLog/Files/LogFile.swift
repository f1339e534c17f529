internal import CLinux
internal import Glibc

/// An open file, closed when nobody refers to it any more.
///
/// A file that was renamed or removed meanwhile can still be read.
internal final class LogFile: Sendable {
    internal let descriptor: Int32
    internal let path: String

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Opens a file for reading.
    internal static func open(_ path: String) throws(FileFailure) -> LogFile {
        try open(path, O_RDONLY)
    }

    /// Opens a file for reading and writing, and makes it when it does not exist.
    internal static func create(_ path: String) throws(FileFailure) -> LogFile {
        try open(path, O_RDWR | O_CREAT)
    }

    /// Makes an empty file; one that exists loses its contents.
    internal static func createEmpty(_ path: String) throws(FileFailure) -> LogFile {
        try open(path, O_RDWR | O_CREAT | O_TRUNC)
    }

    private static func open(_ path: String, _ flags: Int32) throws(FileFailure) -> LogFile {
        while true {
            let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o644)
            if descriptor >= 0 { return LogFile(descriptor: descriptor, path: path) }
            guard errno == EINTR else { throw FileFailure("open", path) }
        }
    }

    /// The size now.
    internal func size() throws(FileFailure) -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileFailure("stat", path) }
        return Int64(status.st_size)
    }

    /// Reads until `buffer` is full or the file ends, and returns how many bytes that were.
    internal func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: Int64
    ) throws(FileFailure) -> Int {
        var done = 0
        while done < buffer.count, let start = buffer.baseAddress {
            let count = pread(descriptor, start + done, buffer.count - done, Int(offset) + done)
            if count > 0 {
                done += count
            } else if count == 0 {
                break
            } else if errno != EINTR {
                throw FileFailure("read", path)
            }
        }
        return done
    }

    /// Reads the bytes of a range; fewer when the file ends before.
    internal func bytes(_ range: Range<Int64>) throws(FileFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var failure: FileFailure?
        var count = 0
        bytes.withUnsafeMutableBytes { buffer in
            do throws(FileFailure) {
                count = try read(into: buffer, at: range.lowerBound)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Has the disk begin with writing what is dirty in a range, and does not wait for it.
    internal func startWriting(_ range: Range<Int64>) {
        mr_start_writing(descriptor, range.lowerBound, Int64(range.count))
    }

    /// Drops the file's clean pages from memory, so that the next read asks the disk.
    internal func dropCache() { _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }
}
