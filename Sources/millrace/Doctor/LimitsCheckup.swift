import ConnectorSDK
import Glibc
import PipelineEngine

/// Whether the limits of this process and machine leave room for a run.
struct LimitsCheckup {
    /// A partition has its segment and two indexes open, and one segment more while it is cleaned.
    private static let filesPerPartition = 4
    /// A task has input or output open; one of a file sink keeps 64 by default.
    private static let filesPerTask = 70
    /// A task that follows files keeps 256 of them by default, and opens others beside.
    private static let filesFollowed = 270
    /// Libraries, pipes, `state.db`.
    private static let filesOfProcess = 40
    /// With fewer, following files and directories comes to its end soon.
    private static let comfortableWatches = 8_192
    private static let comfortableInstances = 64

    let partitions: Int
    let connectors: [ConnectorDefinition]

    var checks: [PreflightCheck] {
        [openFiles, watches, threads].compactMap(\.self)
    }

    private var openFiles: PreflightCheck {
        let (soft, hard) = limit(RLIMIT_NOFILE)
        let needed =
            partitions * Self.filesPerPartition + connectors.reduce(0) { $0 + Self.files(of: $1) }
            + Self.filesOfProcess
        let isEnough = soft >= needed
        return PreflightCheck(
            "open files",
            isEnough ? .passed : .warning,
            "\(Self.show(soft)) are allowed, about \(Self.show(needed)) are needed at the most.",
            hint: isEnough
                ? nil
                : soft < hard
                    ? "`ulimit -n \(min(hard, needed * 2))` raises the limit for this shell."
                    : "Raise LimitNOFILE= of the service, or nofile in limits.conf."
        )
    }

    /// How many files a connector has open at the most.
    private static func files(of connector: ConnectorDefinition) -> Int {
        let told = connector.values["max.open.files"].flatMap(Int.init)
        let usual = connector.values["follow"] == "true" ? filesFollowed : filesPerTask
        return tasks(of: connector) * max(usual, told ?? 0)
    }

    private static func tasks(of connector: ConnectorDefinition) -> Int {
        max(1, connector.values["tasks.max"].flatMap(Int.init) ?? 1)
    }

    private var watches: PreflightCheck? {
        guard let watches = Self.number("/proc/sys/fs/inotify/max_user_watches"),
            let instances = Self.number("/proc/sys/fs/inotify/max_user_instances")
        else { return nil }
        let isEnough =
            watches >= Self.comfortableWatches && instances >= Self.comfortableInstances
        return PreflightCheck(
            "inotify",
            isEnough ? .passed : .warning,
            "\(Self.show(watches)) watches and \(Self.show(instances)) instances are allowed for "
                + "a user.",
            hint: isEnough
                ? nil
                : "`sysctl fs.inotify.max_user_watches=65536 fs.inotify.max_user_instances=256` "
                    + "raises them."
        )
    }

    /// Every task has a thread of its own.
    private var threads: PreflightCheck? {
        let (soft, _) = limit(__RLIMIT_NPROC)
        let needed = connectors.reduce(16) { $0 + Self.tasks(of: $1) }
        guard soft < needed * 2 else { return nil }
        return PreflightCheck(
            "threads",
            .warning,
            "\(Self.show(soft)) are allowed for a user, about \(needed) are needed here.",
            hint: "`ulimit -u` raises the limit."
        )
    }

    private func limit(_ resource: __rlimit_resource) -> (soft: Int, hard: Int) {
        var limit = rlimit()
        guard getrlimit(Int32(resource.rawValue), &limit) == 0 else { return (.max, .max) }
        return (Int(clamping: limit.rlim_cur), Int(clamping: limit.rlim_max))
    }

    private static func show(_ number: Int) -> String {
        number == .max ? "any number" : Quantity.count(Int64(number))
    }

    private static func number(_ path: String) -> Int? {
        guard let bytes = try? WholeInput.read(path) else { return nil }
        return Int(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self))
    }
}
