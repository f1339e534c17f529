internal import Glibc

/// Why changes could not be kept in a file, or read again.
public struct SpillError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was attempted, such as "write".
    public var operation: String
    /// The file or directory.
    public var path: String
    /// The system's error number; 0 when the file is not as it was left.
    public var code: Int32

    internal init(_ operation: String, _ path: String, _ code: Int32 = errno) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// Whether the disk is full, or a quota is.
    public var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

    /// What happened, without the path.
    public var description: String {
        code == 0
            ? "cannot \(operation): the file is not as it was left"
            : "cannot \(operation): \(String(cString: strerror(code)))"
    }
}
