import ConnectorSDK
import Glibc

/// Small files that commands write for people.
enum TextFile {
    /// Writes a file, replacing one that exists unless `isNew` asks for a new one.
    static func write(_ text: String, to path: String, isNew: Bool = false) throws {
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (isNew ? O_EXCL : O_TRUNC)
        let descriptor = open(path, flags, 0o644)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path, errno) }
            rest = rest.dropFirst(count)
        }
    }

    private static func failure(_ path: String, _ code: Int32) -> Failure {
        guard code != EEXIST else {
            return .usage(
                "`\(path)` exists already.",
                hint: "Give another name with --output, or --force to replace it."
            )
        }
        return Failure(
            .environment,
            code: ConnectorError.Code.fileSystem.rawValue,
            "`\(path)` cannot be written: \(String(cString: strerror(code)))."
        )
    }
}
