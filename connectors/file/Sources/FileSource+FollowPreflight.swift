internal import ConnectorSDK
internal import FileSystem
internal import Glibc

extension FileSource {
    /// What a source needs besides that follows files; changes nothing.
    static func followPreflight(
        _ walk: DirectoryWalk,
        _ follow: FollowSettings
    ) -> [PreflightCheck] {
        [watches(walk.directories), openFiles(follow), network(walk.directories)]
            .compactMap(\.self)
    }

    /// Watches the directories for a moment.
    private static func watches(_ directories: Set<String>) -> PreflightCheck {
        do throws(FileSystemError) {
            let watch = try DirectoryWatch {}
            defer { watch.finish() }
            for directory in directories { try watch.add(directory) }
            return PreflightCheck(
                "inotify",
                .passed,
                "\(directories.count) directories can be watched.",
                at: "follow"
            )
        } catch {
            return PreflightCheck(
                "inotify",
                .warning,
                "Changes would not be noticed at once. \(error.connectorError.message)",
                at: "follow",
                hint: "`sysctl fs.inotify.max_user_watches=65536 "
                    + "fs.inotify.max_user_instances=256` raises the limits; or lower "
                    + "poll.interval.ms."
            )
        }
    }

    private static func openFiles(_ follow: FollowSettings) -> PreflightCheck? {
        var limit = rlimit()
        guard getrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        // Topics and other connectors need some as well.
        guard Int(clamping: limit.rlim_cur) < follow.maximumOpen * 2 else { return nil }
        return PreflightCheck(
            "open files",
            .warning,
            "\(limit.rlim_cur) are allowed, and \(follow.maximumOpen) may be held by this source.",
            at: "max.open.files",
            hint: "`ulimit -n` raises the limit for this shell; or lower max.open.files."
        )
    }

    private static func network(_ directories: Set<String>) -> PreflightCheck? {
        for directory in directories.sorted() {
            guard let room = try? FileSystemRoom.of(directory),
                case .network(let name) = room.kind
            else { continue }
            return PreflightCheck(
                "file system",
                .warning,
                "\(directory) is on \(name): what other machines write is not noticed at once.",
                at: "poll.interval.ms",
                hint: "Set poll.interval.ms to how late it may be."
            )
        }
        return nil
    }
}
