public import ConnectorSDK
internal import Glibc

/// A call of the file system that failed.
public struct FileSystemError: Error, Sendable, Hashable {
    /// What was tried, such as `open`.
    public var operation: String
    /// The path, which is no secret.
    public var path: String
    /// The system's error number.
    public var number: Int32

    /// Describes a failure.
    public init(_ operation: String, _ path: String, _ number: Int32) {
        self.operation = operation
        self.path = path
        self.number = number
    }

    /// Whether the path does not exist.
    public var isNotFound: Bool { number == ENOENT || number == ENOTDIR }

    /// Whether something stands in the way of a new name.
    public var isTaken: Bool { number == EEXIST }

    /// Whether a rename would have to cross file systems.
    public var isCrossDevice: Bool { number == EXDEV }

    /// What the engine is told: what may pass by itself is tried again, such as a full disk.
    public var connectorError: ConnectorError {
        let passing = [ENOSPC, EDQUOT, EMFILE, ENFILE, EAGAIN, EINTR, ENOMEM, ESTALE, EBUSY]
        return ConnectorError(
            .fileSystem,
            passing.contains(number) ? .retry(after: nil) : .failTask,
            "Cannot \(operation) \(path): \(reason).",
            kind: .environment
        )
    }

    private var reason: String {
        guard let text = strerror(number) else { return "error \(number)" }
        return String(cString: text).lowercased()
    }
}

/// Runs `body`, and reports what the file system refuses the way connectors do.
public func reportingToEngine<Result>(
    _ body: () throws(FileSystemError) -> Result
) throws(ConnectorError) -> Result {
    do throws(FileSystemError) {
        return try body()
    } catch {
        throw error.connectorError
    }
}
