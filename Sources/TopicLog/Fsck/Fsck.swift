public import ConnectorSDK
public import Logging
internal import SQLiteClient
internal import Topics

extension EmbeddedTopicStore {
    /// Checks a data directory: every batch's CRC and offsets, every index entry, `state.db`, and
    /// whether files and state belong together.
    ///
    /// Without `repair` nothing is changed, and a worker may be writing meanwhile. With it the
    /// directory must be free: indexes are built anew, and what was never committed is dropped, as
    /// opening the store does too. Committed records that are damaged are left as they are unless
    /// `quarantine` asks for a copy of the segment without them; the damaged file is kept. (D10)
    ///
    /// Throws when the directory cannot be checked at all; what is wrong in it is in the report.
    public static func fsck(
        directory: String,
        repair: Bool,
        quarantine: Bool = false,
        logger: Logger = Logger(label: "millrace.fsck")
    ) throws(ConnectorError) -> FsckReport {
        var check = Fsck(
            directory: directory,
            mode: quarantine ? .quarantine : repair ? .repair : .look,
            logger: logger
        )
        try check.run()
        return check.report
    }
}

/// One check of a data directory.
internal struct Fsck {
    internal enum Mode {
        /// Changes nothing.
        case look
        /// Puts right what loses nothing.
        case repair
        /// Also takes damaged ranges out of the way.
        case quarantine
    }

    internal let directory: String
    internal let mode: Mode
    internal let logger: Logger
    internal private(set) var report = FsckReport()

    internal init(directory: String, mode: Mode, logger: Logger) {
        self.directory = directory
        self.mode = mode
        self.logger = logger
    }

    internal mutating func run() throws(ConnectorError) {
        guard Directory.exists(directory + "/state.db") else {
            throw .noDataDirectory(directory)
        }
        if mode != .look { try recover() }
        let lock = try takeLock()
        defer { withExtendedLifetime(lock) {} }
        do throws(ConnectorError) {
            try checkAll()
        } catch {
            guard error.code == .topicState else { throw error }
            note(.state, nil, error.message)
        }
    }

    /// Opens the store for writing once: that drops what was not committed.
    private mutating func recover() throws(ConnectorError) {
        var options = StoreOptions()
        options.maintenanceInterval = nil
        let opening = StoreOpening(path: directory, options: options, logger: logger)
        let opened: StoreOpening.Opened
        do throws(ConnectorError) {
            opened = try opening.openForWriting()
        } catch {
            guard error.code == .topicState else { throw error }
            note(.state, nil, error.message)
            return
        }
        opened.threads.stop()
        for finding in opened.report.findings where finding.kind != .damage {
            // The check that follows finds damage, and unknown files, by itself.
            guard let kind = FsckReport.Problem.Kind(rawValue: finding.kind.rawValue),
                kind != .unknownFile
            else { continue }
            note(kind, finding.partition, finding.message, isRepaired: true)
        }
    }

    /// Keeps writers out, unless one is at work already and nothing will be changed.
    private mutating func takeLock() throws(ConnectorError) -> DirectoryLock? {
        do throws(ConnectorError) {
            return try DirectoryLock(directory)
        } catch {
            guard mode == .look, error.code == .topicsLocked || error.code == .topicInputOutput
            else { throw error }
            report.isLive = error.code == .topicsLocked
            return nil
        }
    }

    private mutating func checkAll() throws(ConnectorError) {
        let state = try StateDatabase(
            directory: directory,
            mode: mode == .look ? .readOnly : .create
        )
        let problems = try state.attempt { () throws(SQLiteFailure) in
            try state.integrityProblems()
        }
        for problem in problems { note(.state, nil, "state.db: \(problem)") }
        let topics = try state.attempt { () throws(SQLiteFailure) in try state.topics() }
        var expected: Set<String> = []
        for topic in topics {
            report.topics += 1
            for number in topic.partitions.indices {
                let id = TopicPartition(topic.name, Int32(truncatingIfNeeded: number))
                expected.insert("\(id)")
                try check(id, of: topic, state)
            }
        }
        for name in (try? Directory.list(directory + "/topics")) ?? []
        where !expected.contains(name) {
            note(.unknownFile, nil, "topics/\(name) belongs to no topic in state.db")
        }
    }

    private mutating func check(
        _ id: TopicPartition,
        of topic: TopicRow,
        _ state: StateDatabase
    ) throws(ConnectorError) {
        var check = PartitionCheck(
            id: id,
            topic: topic,
            directory: "\(directory)/topics/\(id)",
            mode: mode,
            isLive: report.isLive
        )
        do throws(FileFailure) {
            try check.run(&report)
        } catch {
            throw error.asConnectorError
        }
        guard let row = check.changedRow else { return }
        let writer = try StateWriter(state)
        try state.attempt { () throws(SQLiteFailure) in
            try writer.transaction { () throws(SQLiteFailure) in
                try writer.update(row, topic: topic.id, partition: id.partition)
            }
        }
    }

    private mutating func note(
        _ kind: FsckReport.Problem.Kind,
        _ partition: TopicPartition?,
        _ message: String,
        isRepaired: Bool = false
    ) {
        report.problems.append(
            FsckReport.Problem(
                kind: kind,
                partition: partition,
                offsets: nil,
                message: message,
                isRepaired: isRepaired
            )
        )
    }
}
