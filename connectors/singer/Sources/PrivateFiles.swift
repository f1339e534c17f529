internal import ConnectorSDK
internal import Glibc

/// Files for a program that only this user can read, in memory where the machine has such a place.
///
/// A configuration holds secrets, so it is not in the data directory (D8) and goes away with this
/// object; what a killed process has left is removed by the next one.
final class PrivateFiles {
    private static let prefix = "millrace-singer-"

    private let directory: String

    init() throws(ConnectorError) {
        let base = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : Self.temporary
        Self.sweep(base)
        var template = Array("\(base)/\(Self.prefix)\(getpid())-XXXXXX".utf8CString)
        // It is made for this user alone.
        guard mkdtemp(&template) != nil else { throw Self.failure(base, errno) }
        let bytes = template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        directory = String(decoding: bytes, as: UTF8.self)
    }

    deinit { Self.remove(directory) }

    /// Writes a file and returns its path.
    func write(_ text: String, to name: String) throws(ConnectorError) -> String {
        let path = "\(directory)/\(name)"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failure(path, errno) }
        defer { close(file) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(path, errno) }
            rest = rest.dropFirst(count)
        }
        return path
    }

    private static var temporary: String {
        getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    }

    /// Removes what processes have left that are not there any more.
    private static func sweep(_ base: String) {
        for name in names(in: base) where name.hasPrefix(prefix) {
            let id = name.dropFirst(prefix.count).prefix { $0 != "-" }
            guard let process = Int32(id), kill(process, 0) != 0, errno == ESRCH else { continue }
            remove("\(base)/\(name)")
        }
    }

    private static func remove(_ directory: String) {
        for name in names(in: directory) { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    private static func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func failure(_ path: String, _ code: Int32) -> ConnectorError {
        ConnectorError(
            .fileSystem,
            .failTask,
            "A temporary file cannot be written in \(path): \(String(cString: strerror(code))).",
            kind: .environment
        )
    }
}
