public import ConnectorSDK
internal import Glibc

/// What a connector that writes files looks at before it runs; changes nothing.
public struct DirectoryPreflight {
    /// With less nothing can be done for long enough to be worth while.
    private static let leastBytes: Int64 = 64 << 20
    /// With less somebody should know.
    private static let comfortableBytes: Int64 = 1 << 30
    private static let comfortableFiles: Int64 = 10_000

    private let path: String
    private let key: String?

    /// Looks at a directory, which need not exist yet.
    ///
    /// - Parameters:
    ///   - path: the directory.
    ///   - key: the configuration key that names it.
    public init(_ path: String, key: String?) {
        self.path = path
        self.key = key
    }

    /// Whether files can be made there, and whether there is room for them.
    public var checks: [PreflightCheck] {
        do throws(FileSystemError) {
            let (existing, isThere) = try nearest()
            guard access(existing, W_OK | X_OK) == 0 else {
                throw FileSystemError("write in", existing, errno)
            }
            let remark = isThere ? "can be written" : "does not exist, and can be made"
            return [
                PreflightCheck("write access", .passed, "\(path) \(remark).", at: key)
            ] + Self.room(try FileSystemRoom.of(existing), path, key)
        } catch {
            return [
                PreflightCheck(
                    "write access",
                    .failed,
                    error.connectorError.message,
                    at: key,
                    hint: "This process runs as user \(geteuid())."
                )
            ]
        }
    }

    /// The directory, or the nearest one around it that exists.
    private func nearest() throws(FileSystemError) -> (path: String, isThere: Bool) {
        var directory = path
        while true {
            if let information = try FileInformation.of(directory) {
                guard information.kind == .directory else {
                    throw FileSystemError("make the directory", path, ENOTDIR)
                }
                return (directory, directory == path)
            }
            directory = FileSystem.directory(of: directory)
        }
    }

    private static func room(
        _ room: FileSystemRoom,
        _ path: String,
        _ key: String?
    ) -> [PreflightCheck] {
        let free = describe(room.freeBytes), total = describe(room.totalBytes)
        var outcome = PreflightCheck.Outcome.passed
        if room.freeBytes < comfortableBytes { outcome = .warning }
        if room.freeBytes < leastBytes { outcome = .failed }
        var checks = [
            PreflightCheck(
                "disk space",
                outcome,
                "\(free) of \(total) are free for \(path).",
                at: key,
                hint: outcome == .passed ? nil : "Make room, or name a directory on another disk."
            )
        ]
        if let files = room.freeFiles, files < comfortableFiles {
            checks.append(
                PreflightCheck(
                    "free inodes",
                    files == 0 ? .failed : .warning,
                    "\(files) more files can be made in the file system of \(path).",
                    at: key,
                    hint: "Remove small files there."
                )
            )
        }
        return checks
    }

    /// A size for people, such as `76.8 GiB`.
    public static func describe(_ bytes: Int64) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var value = Double(max(0, bytes)), unit = 0
        while value >= 1_024, unit < units.count - 1 {
            value /= 1_024
            unit += 1
        }
        guard unit > 0 else { return "\(bytes) bytes" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
