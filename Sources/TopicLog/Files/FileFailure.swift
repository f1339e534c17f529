internal import ConnectorSDK
internal import Glibc

/// A system call on a file that failed.
internal struct FileFailure: Error {
    internal var call: String
    internal var path: String
    internal var code: Int32

    /// Describes the call that set `errno`, unless a code is given.
    internal init(_ call: String, _ path: String, _ code: Int32 = errno) {
        self.call = call
        self.path = path
        self.code = code
    }

    /// Whether there is no room left.
    internal var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

    /// Whether the file does not exist.
    internal var isMissing: Bool { code == ENOENT }

    /// The error as the engine sees it.
    internal var asConnectorError: ConnectorError {
        if isDiskFull { return .diskFull(path) }
        return ConnectorError(
            .topicInputOutput,
            .retry(after: nil),
            "Cannot \(call) \(path): \(String(cString: strerror(code))).",
            kind: .environment,
            hint: code == EMFILE ? "Raise the limit of open files (ulimit -n)." : nil
        )
    }
}
