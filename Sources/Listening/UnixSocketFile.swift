internal import ConnectorSDK
internal import Glibc

/// The file of a Unix socket, which stays behind when its process is killed.
enum UnixSocketFile {
    /// Makes a socket and its file, in the place of one on which nobody listens any more.
    ///
    /// - Returns: the descriptor.
    /// - Throws: when somebody listens there, or when the file is something else, which is left
    ///   alone.
    static func open(
        _ path: String,
        _ mode: SocketMode,
        isDatagram: Bool
    ) throws(ConnectorError) -> Int32 {
        try clear(path, isDatagram: isDatagram)
        let type = isDatagram ? SOCK_DGRAM : SOCK_STREAM
        let descriptor = socket(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .cannotListen(on: path, errno: errno) }
        // The kernel gives the file what the socket has and the umask leaves: never, not even for a
        // moment, more than it should have.
        fchmod(descriptor, mode.bits)
        guard address(of: path, { bind(descriptor, $0, $1) }) == 0, chmod(path, mode.bits) == 0
        else {
            let code = errno
            close(descriptor)
            throw .cannotListen(on: path, errno: code)
        }
        return descriptor
    }

    private static func clear(_ path: String, isDatagram: Bool) throws(ConnectorError) {
        guard path.utf8.count <= ListenAddress.longestPath else {
            throw .invalid(
                "listen",
                "The path \(path) is too long for a socket.",
                hint: "The kernel takes \(ListenAddress.longestPath) bytes."
            )
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw .cannotListen(on: path, errno: EEXIST)
        }
        guard !answers(path, isDatagram ? SOCK_DGRAM : SOCK_STREAM) else {
            throw .cannotListen(on: path, errno: EADDRINUSE)
        }
        unlink(path)
    }

    /// Removes a socket that this process made.
    static func remove(_ path: String) { unlink(path) }

    private static func answers(_ path: String, _ type: __socket_type) -> Bool {
        let kind = Int32(type.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        // Only this says that nobody is there: a listener may be busy, of the other kind, or not
        // for us.
        return address(of: path) { connect(descriptor, $0, $1) == 0 || errno != ECONNREFUSED }
    }

    /// Calls `body` with the address of a socket; the path is short enough.
    private static func address<Result>(
        of path: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: Array(path.utf8).prefix(room.count - 1))
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
