public import ConnectorSDK
internal import FileSystem
internal import Glibc
internal import Logging

/// Reads the records of files, each file once, and keeps its place in every one of them.
///
/// A file is known by its inode, the time it was made and a fingerprint of its start, so that one
/// that is renamed is not read again, and new content under an old name is. A file that has grown
/// since it was read is read on from there.
public final class FileSource: SourceConnector {
    public static let name = "file"
    public static let summary = "Reads the records of files that match patterns."
    public static let configuration = FileSourceSettings.spec
    public static let usesFormat = true

    let settings: FileSourceSettings
    let context: ConnectorContext
    let format: any RecordFormat
    var known = KnownFiles()
    /// Files that are done and durable, and still where they were.
    var finished: Set<FileIdentity> = []
    /// The ends of files that were sent and are not durable yet, by partition.
    var ends: [String: End] = [:]
    /// The parts whose files are gone, and whose positions are still there.
    var departures: [String] = []
    /// The inodes that patterns matched last, read or not; `nil` when not all could be looked at.
    var present: Set<UInt64>?
    /// Files that were looked at and need nothing more, as they were then.
    private var unchanged: [String: FileInformation] = [:]
    private var hasWarned: Set<String> = []
    private var spare: RecordBatch?
    /// Now, in nanoseconds since the epoch; tests set it.
    var now: () -> Int64 = FileSource.systemTime
    public private(set) var inputBytes: Int64?

    public init(
        configuration: Configuration,
        context: ConnectorContext
    ) throws(ConnectorError) {
        settings = try FileSourceSettings(configuration, untilEnd: context.untilEnd)
        self.context = context
        format = try context.formats.make(settings.formatName, configuration: configuration)
    }

    public var isBounded: Bool { settings.follow == nil && settings.pollInterval == nil }

    public func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        if let follow = settings.follow {
            let follower = FileFollower(settings, follow, context, outlet, now: now)
            return try await follower.run(from: positions)
        }
        try known.load(positions)
        try forgetDeparted()
        finished = Set(known.all.filter(\.value.isDone).keys)
        var isFirst = true
        while !outlet.isStopping {
            let files = try findFiles()
            if isFirst { try checkLiteralPaths(files) }
            if isBounded { inputBytes = totalSize(files) }
            isFirst = false
            for file in files {
                if outlet.isStopping { return }
                try await read(file, into: outlet)
                try await noteDepartures(outlet)
            }
            try forgetRemoved()
            try await noteDepartures(outlet)
            guard let interval = settings.pollInterval else { break }
            try await outlet.idle(for: interval)
            try await noteDepartures(outlet)
        }
        // What is durable by now is cleaned up, and then the positions say so.
        try await outlet.settle()
        if !departures.isEmpty {
            try await noteDepartures(outlet)
            try await outlet.settle()
        }
    }

    static func systemTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private func noteDepartures(_ outlet: any RecordOutlet) async throws(ConnectorError) {
        let parts = departures
        departures.removeAll()
        for part in parts { try await outlet.forget(part) }
    }
}

// MARK: - Finding

extension FileSource {
    /// The files to look at: this task's, old enough, not excluded, in the order to read them.
    private func findFiles() throws(ConnectorError) -> [DirectoryWalk.File] {
        var walk = DirectoryWalk()
        if let path = settings.finishedPath { walk.skip(path) }
        if let path = settings.errorPath { walk.skip(path) }
        let limit = now() - Self.nanoseconds(settings.minimumAge)
        let all = walk.files(settings.include)
        present = walk.problems.isEmpty ? Set(all.map(\.information.inode)) : nil
        var seen: Set<[UInt64]> = []
        var files: [DirectoryWalk.File] = []
        for file in all {
            let information = file.information
            guard
                FileIdentity.task(ofInode: information.inode, count: context.taskCount)
                    == context.taskID,
                settings.minimumAge == .zero || information.modified <= limit,
                !settings.exclude.contains(where: { $0.matches(file.path) }),
                // A file of several names is one file.
                seen.insert([information.device, information.inode]).inserted
            else { continue }
            files.append(file)
        }
        for problem in walk.problems where hasWarned.insert(problem.path).inserted {
            context.logger.warning(
                "cannot look for files",
                metadata: ["path": "\(problem.path)", "error": "\(problem.connectorError.message)"]
            )
        }
        if settings.sort == .oldest {
            files.sort { ($0.information.modified, $0.path) < ($1.information.modified, $1.path) }
        }
        return files
    }

    /// A path without a pattern that names nothing is a mistake, unless the file was there once.
    private func checkLiteralPaths(_ files: [DirectoryWalk.File]) throws(ConnectorError) {
        for pattern in settings.include where !files.contains(where: { pattern.matches($0.path) }) {
            let path = FileSystem.tidy(pattern.text)
            // With clean-up a file that was read is not there, and not known any more.
            let mayBeMissing =
                settings.cleanup != .none || settings.errorPath != nil || known.hasSeen(path)
            guard isBounded, pattern.isLiteral, !mayBeMissing else {
                if isBounded, context.taskCount == 1 {
                    context.logger.notice("no file matches", metadata: ["include": "\(path)"])
                }
                continue
            }
            let isThere = try reportingToEngine { () throws(FileSystemError) in
                try FileInformation.of(path) != nil
            }
            if isThere { continue }
            throw ConnectorError(
                .init("file.not_found"),
                .failTask,
                "There is no file \(path).",
                kind: .environment,
                at: "include",
                hint: "Relative paths start from the pipeline file's directory."
            )
        }
    }

    private func totalSize(_ files: [DirectoryWalk.File]) -> Int64? {
        var total: Int64 = 0
        for file in files {
            // How much a compressed file holds is known only when it is read.
            if [".gz", ".zst"].contains(where: file.path.hasSuffix) { return nil }
            let identity = known.candidates(inode: file.information.inode)
                .first { $0.isNode(file.information) }
            let read = identity.flatMap { known[$0]?.reader.byte } ?? 0
            total += max(0, file.information.size - read)
        }
        return total
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let parts = duration.components
        return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }
}

// MARK: - Reading

extension FileSource {
    private func read(
        _ found: DirectoryWalk.File,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        guard unchanged[found.path] != found.information, let file = try open(found.path) else {
            return
        }
        let (information, identity) = try identify(file)
        guard information.kind == .regular else { return }
        var position = FilePosition(path: found.path)
        if let last = known[identity] {
            if last.isDone, last.size == information.size {
                unchanged[found.path] = information
                if finished.contains(identity) { try cleanUp(identity, last, at: found.path) }
                return
            }
            position.reader = last.reader
            position.size = last.size
        }
        position.isDone = false
        let start = position
        let reading: FileReading
        do throws(ConnectorError) {
            if start.size > information.size || start.reader.byte < 0 {
                throw FileFault.truncated(size: information.size, read: start.size)
            }
            reading = try FileReading(
                file,
                information,
                identity,
                at: start.reader,
                format: format,
                settings: settings
            )
        } catch {
            guard error.kind == .runtime else { throw error }
            position.size = information.size
            try await give(up: error, position, identity, takeBatch(outlet), into: outlet)
            return
        }
        position.size = information.size
        try await read(reading, from: position, into: outlet)
        if let now = known[identity], now.isDone, now.size == information.size {
            unchanged[found.path] = information
        }
    }

    private func read(
        _ reading: FileReading,
        from start: FilePosition,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        var position = start
        while !position.isDone {
            if outlet.isStopping { return }
            let batch = takeBatch(outlet)
            batch.origin = reading.path
            let failure = readBatch(reading, into: batch, &position)
            if let failure {
                guard failure.kind == .runtime else { throw failure }
                position.size = try reading.currentSize()
                try await give(up: failure, position, reading.identity, batch, into: outlet)
                return
            }
            try await send(batch, position, reading.identity, into: outlet)
        }
    }

    /// Reads one batch, and notes in `position` how far that is; returns what ended the reading.
    private func readBatch(
        _ reading: FileReading,
        into batch: RecordBatch,
        _ position: inout FilePosition
    ) -> ConnectorError? {
        var failure: ConnectorError?
        do throws(ConnectorError) {
            if try !reading.reader.read(reading.input, into: batch) {
                try reading.checkUnchanged()
                position.start = try reading.start()
                position.isDone = true
                position.size = reading.bytesRead
            }
        } catch {
            failure = error
        }
        position.reader = reading.reader.position
        let rejections = batch.takeRejections()
        // A reader that empties the batch, to give it columns, leaves none.
        batch.origin = reading.path
        batch.recordContext = reading.reader.recordContext
        reading.headers.add(to: batch)
        for var rejection in rejections {
            reading.headers.add(to: &rejection)
            batch.reject(rejection)
        }
        return failure
    }

    /// Sends what was read, together with its position. (D3)
    private func send(
        _ batch: RecordBatch,
        _ position: FilePosition,
        _ identity: FileIdentity,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        known.note(identity, position)
        finished.remove(identity)
        let stored = SourcePosition(
            partition: known.partition(of: identity),
            offset: position.text
        )
        // A file that goes on behind its end has no end to be acknowledged any more.
        ends[stored.partition] =
            position.isDone ? End(stored: stored.offset, identity, position) : nil
        if batch.count == 0, batch.rejections.isEmpty {
            spare = batch
            if position.isDone { try await outlet.advance(to: stored) }
        } else {
            try await outlet.send(batch, position: stored)
        }
    }

    /// Ends the reading of a file whose rest cannot be read.
    ///
    /// The rest becomes one rejected record, so that `errors.tolerance` decides: either the task
    /// fails, and the file's position stays, or the file is done with. (D6)
    private func give(
        up error: ConnectorError,
        _ place: FilePosition,
        _ identity: FileIdentity,
        _ batch: RecordBatch,
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {
        var position = place
        position.isDone = true
        position.error = error.code.rawValue
        var rejected = error
        rejected.disposition = .rejectRecord
        rejected.message =
            "The rest of \(place.path) from line \(place.reader.line), byte \(place.reader.byte), "
            + "cannot be read: \(error.message)"
        batch.origin = place.path
        var record = RejectedRecord(
            error: rejected,
            topic: settings.topic,
            value: [],
            offset: place.reader.byte,
            line: place.reader.line
        )
        record.isCut = true
        batch.reject(record)
        try await send(batch, position, identity, into: outlet)
    }

    private func takeBatch(_ outlet: any RecordOutlet) -> RecordBatch {
        guard let batch = spare else {
            return outlet.makeBatch(topic: settings.topic, schema: .opaque)
        }
        spare = nil
        batch.reset(topic: settings.topic)
        return batch
    }

    /// Opens a file; `nil` when it has vanished.
    private func open(_ path: String) throws(ConnectorError) -> OpenFile? {
        do throws(FileSystemError) {
            return try OpenFile(path, .reading)
        } catch {
            if error.isNotFound { return nil }
            throw error.connectorError
        }
    }

    /// Finds out which file it is: one that is known, or a new one.
    private func identify(
        _ file: OpenFile
    ) throws(ConnectorError) -> (FileInformation, FileIdentity) {
        try reportingToEngine { () throws(FileSystemError) in
            let information = try file.information()
            for identity in known.candidates(inode: information.inode)
            where try identity.matches(file, information) {
                guard let start = known[identity]?.start, try start.matches(file) == false else {
                    return (information, identity)
                }
            }
            return (information, try FileIdentity(file, information))
        }
    }
}
