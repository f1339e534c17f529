internal import ConnectorSDK
internal import Glibc

/// The right to write to a data directory, held by one process at a time.
///
/// The lock belongs to the open file `lock`, so it is gone with the last reference to this object,
/// or with the process, however it ends.
/// The file's contents only tell people who holds it.
internal final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock of `directory`, or throws `topics.locked` naming its owner.
    internal init(_ directory: String) throws(ConnectorError) {
        let path = directory + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileFailure("open", path).asConnectorError }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK else {
                throw FileFailure("lock", path, code).asConnectorError
            }
            throw Self.locked(directory, owner: Self.owner(path))
        }
        self.descriptor = descriptor
        let text = Self.description
        ftruncate(descriptor, 0)
        _ = pwrite(descriptor, text, text.utf8.count, 0)
    }

    deinit {
        // A child process that is just being started may hold the same open file for a moment, so
        // closing alone would not let go of it.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// The process that holds the lock, in words, or `nil` when none does.
    ///
    /// Asks the kernel rather than the lock, which a process that is just starting would miss.
    internal static func holder(_ directory: String) -> String? {
        let path = directory + "/lock"
        var status = stat()
        guard stat(path, &status) == 0, let file = fopen("/proc/locks", "re") else { return nil }
        defer { fclose(file) }
        // Such as `3: FLOCK  ADVISORY  WRITE 4711 fe:01:2883589 0 EOF`.
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let length = line.firstIndex(of: 0) ?? line.count
            let text = String(
                decoding: line[..<length].map { UInt8(bitPattern: $0) },
                as: UTF8.self
            )
            let words = text.split(whereSeparator: \.isWhitespace)
            guard words.count > 5, words[1] == "FLOCK", words[3] == "WRITE" else { continue }
            if words[5].split(separator: ":").last == "\(status.st_ino)"[...] { return owner(path) }
        }
        return nil
    }

    private static func locked(_ directory: String, owner: String) -> ConnectorError {
        ConnectorError(
            .topicsLocked,
            .failTask,
            "The data directory \(directory) is in use by \(owner).",
            kind: .environment,
            hint: "Stop that process, or name another directory with --data-dir."
        )
    }

    /// What the lock file says about this process.
    private static var description: String {
        let now = Cell.timestamp(microseconds: Int64(time(nil)) * 1_000_000)
        let started = TimeText.text(now) ?? ""
        let command = CommandLine.arguments.first ?? ""
        return "pid \(getpid())\ncommand \(command)\nsince \(started)\n"
    }

    /// The owner in words, from the lock file.
    private static func owner(_ path: String) -> String {
        guard let file = try? LogFile.open(path), let bytes = try? file.bytes(0..<4_096) else {
            return "another process"
        }
        var facts: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            if parts.count == 2 { facts[String(parts[0])] = String(parts[1]) }
        }
        guard let pid = facts["pid"] else { return "another process" }
        let command = facts["command"].map { " (\($0))" } ?? ""
        let since = facts["since"].map { ", since \($0)" } ?? ""
        return "process \(pid)\(command)\(since)"
    }
}
