internal import ConnectorSDK
internal import FileSystem
internal import Glibc
internal import Logging

/// Follows files that grow, while they are rotated.
///
/// ``Rotation`` decides which file holds what; this looks at the file system, reads, and sends.
/// Used by one task, on its thread.
final class FileFollower {
    /// One turn of a file reads so many bytes, and then it is another file's turn.
    static let blockSize = 256 << 10
    /// How often files are looked at that no change can be noticed of.
    static let drainInterval = Duration.milliseconds(250)
    /// When to look again for a file that was not where it was seen.
    static let moveInterval = Duration.milliseconds(5)
    /// How long a copy must rest, in milliseconds, until it counts as a file of its own.
    static let copyRest: Int64 = 5_000

    let settings: FileSourceSettings
    let follow: FollowSettings
    let context: ConnectorContext
    let outlet: any RecordOutlet
    /// Milliseconds since the epoch.
    let now: () -> Int64

    /// Shared by all files: it keeps nothing of a line.
    private let joiner: LineJoiner?
    var rotation: Rotation
    var files: [Int: FollowedFile] = [:]
    /// The files that may have something to be read.
    var ready: Set<Int> = []
    /// Contents that were found, and not placed behind the older ones of their families yet.
    var unplaced: Set<Int> = []
    /// Paths that led elsewhere when something was to be done with them.
    var lookAgain: Set<String> = []
    /// Families of which a file was to be begun that is not where it was seen.
    var moving: Set<String> = []
    /// Contents whose files have no name any more, and are still open.
    var draining: Set<Int> = []
    /// Contents that wait for time to pass.
    var waiting: Set<Int> = []
    var openFiles: Set<Int> = []
    /// New files, open so that they can be read when their names are gone by then. (D6)
    var held: [FileNode: OpenFile] = [:]
    var reads = 0
    /// How often a file was compared with a content.
    var comparisons = 0
    var chunk = Chunk(capacity: FileFollower.blockSize + ContentEnd.limit)
    var watch: DirectoryWatch?
    var hasWarned: Set<String> = []
    /// The names of positions that are taken.
    var partitions: Set<String> = []
    /// The files of directories, while what was decided together is done.
    var listings: [String: DirectoryListing] = [:]
    var spare: RecordBatch?
    /// Bytes that were seen and could not be read any more.
    var lostBytes: Int64 = 0
    /// Whether files found now were there before the source ran for the first time.
    var isFirstLook = false
    private var nextLook: ContinuousClock.Instant?

    init(
        _ settings: FileSourceSettings,
        _ follow: FollowSettings,
        _ context: ConnectorContext,
        _ outlet: any RecordOutlet,
        now: @escaping () -> Int64
    ) {
        self.settings = settings
        self.follow = follow
        self.context = context
        self.outlet = outlet
        self.now = { now() / 1_000_000 }
        joiner = follow.multiline.map(LineJoiner.init)
        rotation = Rotation(
            copyRest: Self.copyRest,
            memory: Self.milliseconds(follow.forgetAfter)
        )
    }

    /// Follows until the outlet says to stop or, in a bounded run, until all is read that was
    /// there.
    func run(from positions: [String: String]) async throws(ConnectorError) {
        try load(positions)
        isFirstLook = positions.isEmpty
        startWatching()
        defer { watch?.finish() }
        while !outlet.isStopping {
            try await look()
            try await readAll()
            reportPatterns()
            if !rotation.newcomers.isEmpty { try await conclude() }
            if context.untilEnd, isAtEnd { break }
            try await perform(rotation.expire(at: now(), mayForget))
            try await pause()
        }
        if context.untilEnd, !outlet.isStopping { try await finishAll() }
        if outlet.isStopping {
            try await beginRemoved()
            try await finishRemoved()
        }
        try await outlet.settle()
        if lostBytes > 0 {
            context.logger.notice(
                "what was removed or written over before it was read, in all",
                metadata: ["bytes": "\(lostBytes)"]
            )
        }
    }

    /// Says once that a pattern is too slow for some lines, which were taken not to match.
    private func reportPatterns() {
        guard let joiner, joiner.failures > 0, hasWarned.insert("multiline").inserted else {
            return
        }
        context.logger.warning(
            "a multiline pattern takes too many steps on a line, which counts as not matched",
            metadata: ["hint": "Parts of the pattern repeat what repeats."]
        )
    }

    /// Takes over what is known of contents, those of all tasks.
    private func load(_ positions: [String: String]) throws(ConnectorError) {
        for (partition, text) in positions.sorted(by: { $0.key < $1.key }) {
            guard let position = FollowPosition(partition: partition, text) else {
                throw ConnectorError(
                    .init("file.position_invalid"),
                    .failTask,
                    "A stored position is not one of a file: \(partition).",
                    hint: "Reset the connector's offsets."
                )
            }
            guard isOwn(position.path) else { continue }
            let id = rotation.add(
                path: position.path,
                node: position.node,
                size: position.size,
                isNamed: false,
                goneSince: position.goneSince,
                start: position.start
            )
            partitions.insert(partition)
            unplaced.insert(id)
            files[id] = makeFile(id, partition, position)
        }
    }

    func makeFile(_ id: Int, _ partition: String, _ position: FollowPosition) -> FollowedFile {
        FollowedFile(
            id: id,
            partition: partition,
            position: position,
            cutter: makeCutter(at: position.place)
        )
    }

    func makeCutter(at place: ReaderPosition) -> LineCutter {
        LineCutter(at: place, limit: follow.maximumLine, joiner: joiner)
    }

    /// Whether this task follows a file: all names of a rotation belong to one task.
    func isOwn(_ path: String) -> Bool {
        guard context.taskCount > 1 else { return true }
        let start = ContentStart(Array(Rotation.family(path).utf8))
        return FileIdentity.task(ofInode: start.hash, count: context.taskCount) == context.taskID
    }

    private func startWatching() {
        do throws(FileSystemError) {
            watch = try DirectoryWatch(wake: outlet.makeWaker())
        } catch {
            context.logger.warning(
                "changes of files are not noticed at once",
                metadata: [
                    "error": "\(error.connectorError.message)",
                    "hint": "Raise fs.inotify.max_user_instances, or lower poll.interval.ms.",
                ]
            )
        }
    }

    // MARK: Waiting

    /// Waits until there may be something to do.
    private func pause() async throws(ConnectorError) {
        guard ready.isEmpty else { return }
        var rest = (nextLook ?? .now) - .now
        if !lookAgain.isEmpty { rest = min(rest, Self.moveInterval) }
        if !draining.isEmpty { rest = min(rest, Self.drainInterval) }
        let deadlines = [rotation.nextDeadline, waitingDeadline].compactMap(\.self)
        if let deadline = deadlines.min() {
            rest = min(rest, .milliseconds(max(1, deadline - now())))
        }
        if context.untilEnd { rest = min(rest, Self.drainInterval) }
        try await outlet.idle(for: max(.milliseconds(1), rest))
    }

    /// Looks at what has changed, or at everything when it is time to.
    func look() async throws(ConnectorError) {
        var changes = watch?.take() ?? DirectoryWatch.Changes()
        changes.paths.formUnion(lookAgain)
        lookAgain.removeAll()
        if changes.isIncomplete || nextLook.map({ $0 <= .now }) ?? true {
            nextLook = .now + followInterval
            try await lookAtAll(touched: changes.paths)
            isFirstLook = false
        } else {
            try await lookAt(changes.paths)
        }
    }

    /// Has everything looked at the next time.
    func lookAtAllNext() { nextLook = nil }

    private var followInterval: Duration { settings.pollInterval ?? .seconds(30) }

    static func milliseconds(_ duration: Duration) -> Int64 {
        let parts = duration.components
        return parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000
    }
}
