internal import CFileShim
internal import CLinux
internal import Glibc

/// An open file, closed when nobody holds it any more.
public final class OpenFile {
    /// How a file is opened.
    public enum Mode: Sendable {
        /// To be read from start to end.
        case reading
        /// To be written at its end; made when it does not exist.
        case appending
        /// To be written; it must not exist.
        case creating
    }

    // 0666 less the process's mask, as every tool makes files.
    private static let permissions: mode_t = 0o666

    /// The path it was opened by.
    public let path: String
    private let descriptor: Int32

    /// Opens a file; a pipe or device without waiting for its other end.
    public init(_ path: String, _ mode: Mode) throws(FileSystemError) {
        self.path = path
        let flags =
            switch mode {
            case .reading: O_RDONLY | O_NONBLOCK
            case .appending: O_WRONLY | O_CREAT | O_APPEND
            case .creating: O_WRONLY | O_CREAT | O_EXCL | O_APPEND
            }
        descriptor = Glibc.open(path, flags | O_CLOEXEC, Self.permissions)
        guard descriptor >= 0 else { throw FileSystemError("open", path, errno) }
        if mode == .reading { posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL) }
    }

    deinit { Glibc.close(descriptor) }

    /// Asks about the file, whatever its name is by now.
    public func information() throws(FileSystemError) -> FileInformation {
        var answer = mr_file_information()
        guard mr_file_information_of_descriptor(descriptor, &answer) == 0 else {
            throw FileSystemError("look at", path, errno)
        }
        return FileInformation(answer)
    }

    /// Reads the next bytes; returns how many, 0 at the end.
    public func read(into room: UnsafeMutableRawBufferPointer) throws(FileSystemError) -> Int {
        while true {
            let count = Glibc.read(descriptor, room.baseAddress, room.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw FileSystemError("read", path, errno) }
        }
    }

    /// Reads bytes from `offset` until the room is full or the file ends, without moving the place
    /// of ``read(into:)``; returns how many.
    public func read(
        at offset: Int64,
        into room: UnsafeMutableRawBufferPointer
    ) throws(FileSystemError) -> Int {
        var filled = 0
        while filled < room.count {
            let start = room.baseAddress?.advanced(by: filled)
            let got = pread(descriptor, start, room.count - filled, Int(offset) + filled)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw FileSystemError("read", path, errno) }
            if got == 0 { break }
            filled += got
        }
        return filled
    }

    /// Reads up to `count` bytes from `offset` without moving the place of ``read(into:)``.
    public func bytes(at offset: Int64, count: Int) throws(FileSystemError) -> [UInt8] {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
        defer { room.deallocate() }
        return Array(room.prefix(try read(at: offset, into: room)))
    }

    /// Moves the place of ``read(into:)``.
    public func seek(to offset: Int64) throws(FileSystemError) {
        guard lseek(descriptor, Int(offset), SEEK_SET) >= 0 else {
            throw FileSystemError("seek in", path, errno)
        }
    }

    /// The most bytes given to one `write(2)`: more at once makes the kernel take larger pieces of
    /// memory, which a virtual machine has to get from its host first.
    private static let writeSize = 64 << 10

    /// Writes all bytes.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileSystemError) {
        var rest = bytes
        while !rest.isEmpty {
            let size = min(rest.count, Self.writeSize)
            let count = Glibc.write(descriptor, rest.baseAddress, size)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileSystemError("write", path, errno) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Cuts the file off, or fills it with zeros, to this length.
    public func truncate(to length: Int64) throws(FileSystemError) {
        guard ftruncate(descriptor, Int(length)) == 0 else {
            throw FileSystemError("truncate", path, errno)
        }
    }

    /// Has the disk begin with writing a range, without waiting for it; ``synchronize()`` then
    /// waits less, and says whether it worked.
    public func startWriting(_ range: Range<Int64>) {
        mr_start_writing(descriptor, range.lowerBound, range.upperBound - range.lowerBound)
    }

    /// Waits until what was written is on the disk, with the length that finds it again.
    public func synchronize() throws(FileSystemError) {
        guard fdatasync(descriptor) == 0 else { throw FileSystemError("sync", path, errno) }
    }
}
