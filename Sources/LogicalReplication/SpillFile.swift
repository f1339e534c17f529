internal import Glibc

/// A file that is written at its end, cut, and read from its start.
internal struct SpillFile: ~Copyable {
    internal let path: String
    private let descriptor: Int32
    internal private(set) var size = 0

    internal init(path: String) throws(SpillError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SpillError("create", path) }
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// Appends all of `bytes`, or throws; what was written of them then is cut off by the next
    /// append.
    internal mutating func append(_ bytes: UnsafeRawBufferPointer) throws(SpillError) {
        var rest = bytes
        var offset = size
        while !rest.isEmpty {
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset))
            if count < 0 {
                if errno == EINTR { continue }
                throw SpillError("write", path)
            }
            offset += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        size = offset
    }

    internal mutating func cut(to length: Int) throws(SpillError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw SpillError("truncate", path) }
        size = length
    }

    /// Fills `target` with the bytes at `offset`.
    internal borrowing func read(
        _ target: UnsafeMutableRawBufferPointer,
        at offset: Int
    ) throws(SpillError) {
        var done = 0
        while done < target.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw SpillError("read", path)
            }
            guard count > 0 else { throw SpillError("read", path, 0) }
            done += count
        }
    }
}
