internal import Compression
public import ConnectorSDK
internal import FileSystem
internal import Logging
internal import RecordTemplates

/// Writes records to files, exactly once.
///
/// A file is written under a hidden temporary name and gets its own when it is complete. A commit
/// makes the files durable, and then replaces a checkpoint of the offsets and the files' lengths;
/// after a crash the files are cut back to it. (D2)
public final class FileSink: SinkConnector {
    public static let name = "file"
    public static let summary = "Writes records to files, exactly once."
    public static let configuration = FileSinkSettings.spec
    public static let usesFormat = true

    // More than this in one write(2) gains nothing.
    private static let flushSize = 256 << 10
    // With many files open, their buffers share so much.
    private static let bufferedSize = 8 << 20
    // Between two looks at a file's size.
    private static let rowsPerLook = 64
    // For each open descriptor so many files are remembered.
    private static let filesPerDescriptor = 16

    let settings: FileSinkSettings
    let context: ConnectorContext
    let format: any RecordFormat
    let checkpoints: CheckpointDirectory
    /// How files are written, so that another configuration does not continue them.
    let formatDescription: String
    /// Whether a file can be continued behind its end.
    let isAppendable: Bool
    private var step = WriteStep()
    private var renderer: TemplateRenderer
    var naming: OutputNaming
    /// The files that can take records.
    var files = OutputFileTable()
    /// Files that take no more records and wait for a commit.
    var completed: [OutputFile] = []
    /// What the checkpoint on the disk says of offsets.
    var offsets: [TopicPartition: SinkCheckpoint.Offset] = [:]
    /// Rises with each opening of any task.
    var generation: Int64 = 1
    /// Whether something was written since the last commit.
    var isDirty = false
    /// Directories that have names that are not durable.
    var changedDirectories: Set<String> = []
    /// Called between any two changes to the disk; tests take a picture of it there.
    var pause: () -> Void = {}
    /// Now, in milliseconds; tests set it.
    var now: () -> Int64 = { FileSource.systemTime() / 1_000_000 }

    public init(
        configuration: Configuration,
        context: ConnectorContext
    ) throws(ConnectorError) {
        settings = try FileSinkSettings(configuration, taskCount: context.taskCount)
        self.context = context
        format = try context.formats.make(settings.formatName, configuration: configuration)
        if format.isOpaque, let field = settings.template.fields.first {
            throw .invalid(
                "path",
                "The format `\(settings.formatName)` has no fields, so `\(field)` is not there.",
                hint: "Choose a format such as json."
            )
        }
        checkpoints = CheckpointDirectory(path: context.stateDirectory)
        formatDescription = settings.formatName + "/" + settings.compression.rawValue
        isAppendable = try Self.endMarker(of: format).isEmpty
        renderer = TemplateRenderer(settings.template, .fileName)
        naming = OutputNaming(context, isRotating: settings.isRotating)
    }

    public var input: SinkInput { format.isOpaque ? .opaque : .fields }

    /// As many as the engine's limits on time and bytes allow: a commit replaces the checkpoint and
    /// waits for the disk three times.
    ///
    /// Memory does not grow with it: what is written goes to the files as it comes.
    public var preferredTransactionRecords: Int { 128 * RecordBatch.rowLimit }

    public func write(_ batch: RecordBatch) async throws(ConnectorError) {
        guard batch.count > 0 else { return }
        step.begin(naming)
        defer { step.clear() }
        do throws(ConnectorError) {
            try append(batch)
        } catch {
            try step.undo(&files, &naming, format)
            throw error
        }
        isDirty = true
        // From here on nothing is the records' fault.
        for file in step.completed { try complete(file) }
        for file in step.touched where !step.isCompleted(file) { try flushIfLarge(file) }
        try limitFiles()
    }

    /// What the format puts at the end of a file.
    static func endMarker(of format: any RecordFormat) throws(ConnectorError) -> [UInt8] {
        let writer = try format.makeWriter()
        let batch = RecordBatch()
        if !format.isOpaque { batch.reset(topic: "", schema: Schema(["field"])) }
        let output = OutputBuffer(capacity: 256)
        try writer.begin(batch, into: output)
        output.count = 0
        try writer.end(into: output)
        return Array(output.bytes)
    }

    /// What the format puts at the start of a file of such records.
    func startMarker(
        _ batch: RecordBatch,
        _ writer: any RecordWriter
    ) throws(ConnectorError) -> [UInt8] {
        let output = OutputBuffer(capacity: 256)
        try writer.begin(batch, into: output)
        return Array(output.bytes)
    }

    func isOld(_ file: OutputFile) -> Bool {
        guard let interval = settings.rotateInterval, file.records > 0 else { return false }
        return now() - file.begun >= interval
    }
}

// MARK: - Formatting

extension FileSink {
    /// Formats a batch into the files' buffers; all of it can still be taken back.
    private func append(_ batch: RecordBatch) throws(ConnectorError) {
        var row = 0
        while row < batch.count {
            renderer.render(batch, row: row)
            let end = row + renderer.runLength(batch, from: row)
            while row < end {
                let file = try file(for: renderer.bytes, batch)
                let count = min(end - row, room(in: file))
                try append(batch, row..<row + count, to: file)
                row += count
                if isFull(file) { step.complete(file, &files) }
            }
        }
    }

    private func append(
        _ batch: RecordBatch,
        _ rows: Range<Int>,
        to file: OutputFile
    ) throws(ConnectorError) {
        step.touch(file)
        if !file.hasBegun {
            // A file that is continued has its start already; the writer must hear of it all the
            // same.
            let before = file.buffer.count
            try file.writer.begin(batch, into: file.buffer)
            if file.length > 0 { file.truncateBuffer(to: before) }
            file.hasBegun = true
        }
        try file.writer.write(batch, rows: rows, into: file.buffer)
        file.records += Int64(rows.count)
    }

    /// How many more records a file takes before it is looked at again.
    private func room(in file: OutputFile) -> Int {
        var room = Int.max
        if let limit = settings.rotateRecords {
            room = max(1, limit - Int(clamping: file.records))
        }
        return settings.rotateSize == nil ? room : min(room, Self.rowsPerLook)
    }

    private func isFull(_ file: OutputFile) -> Bool {
        if let limit = settings.rotateRecords, file.records >= Int64(limit) { return true }
        if let limit = settings.rotateSize, file.expectedLength >= Int64(limit) { return true }
        return false
    }

    /// The file that takes the next record of a path.
    private func file(
        for key: [UInt8],
        _ batch: RecordBatch
    ) throws(ConnectorError) -> OutputFile {
        if let known = files.file(for: key) {
            let isYoung = !isOld(known)
            if isYoung, try takes(known, batch) { return known }
            step.complete(known, &files)
        }
        let file = try makeFile(key, batch)
        files.insert(file)
        step.created.append(file)
        return file
    }

    /// Whether a file can go on with these records: after a restart they may have other columns.
    private func takes(
        _ file: OutputFile,
        _ batch: RecordBatch
    ) throws(ConnectorError) -> Bool {
        if file.hasBegun || file.length == 0 { return true }
        return try continues(file, batch)
    }

    private func makeFile(
        _ key: [UInt8],
        _ batch: RecordBatch
    ) throws(ConnectorError) -> OutputFile {
        let path = String(decoding: key, as: UTF8.self)
        if !settings.isRotating {
            if try naming.isFree(path) { return try newFile(key, path) }
            if let file = try existingFile(key, path, batch) { return file }
        }
        return try newFile(key, try naming.numberedPath(path))
    }

    private func newFile(_ key: [UInt8], _ path: String) throws(ConnectorError) -> OutputFile {
        naming.reserved.insert(path)
        return try OutputFile(
            key: key,
            workPath: naming.workPath(for: path),
            finalPath: path,
            length: 0,
            records: 0,
            begun: now(),
            isCheckpointed: false,
            writer: try format.makeWriter(),
            compression: settings.compression.kind
        )
    }

    /// A complete file of an earlier run that more records can be appended to; `nil` if they
    /// cannot.
    private func existingFile(
        _ key: [UInt8],
        _ path: String,
        _ batch: RecordBatch
    ) throws(ConnectorError) -> OutputFile? {
        guard isAppendable, !naming.reserved.contains(path) else { return nil }
        let information = try reportingToEngine { () throws(FileSystemError) in
            try FileInformation.of(path)
        }
        guard let information, information.kind == .regular else { return nil }
        let file = try OutputFile(
            key: key,
            workPath: path,
            finalPath: path,
            length: information.size,
            records: 0,
            begun: now(),
            isCheckpointed: false,
            writer: try format.makeWriter(),
            compression: settings.compression.kind
        )
        guard try takes(file, batch) else { return nil }
        naming.reserved.insert(path)
        return file
    }

    /// Whether a file on the disk is one that these records could stand in: compressed alike, with
    /// the same start, and ending with a line end.
    private func continues(
        _ file: OutputFile,
        _ batch: RecordBatch
    ) throws(ConnectorError) -> Bool {
        let marker = try startMarker(batch, try format.makeWriter())
        let (start, end) = try reportingToEngine {
            () throws(FileSystemError) -> ([UInt8], [UInt8]) in
            let content = try OpenFile(file.workPath, .reading)
            let needed = max(marker.count, CompressionKind.magicLength)
            return (
                try content.bytes(at: 0, count: needed),
                try content.bytes(at: max(0, file.length - 1), count: 1)
            )
        }
        let kind = start.withUnsafeBytes { CompressionKind.detect($0) }
        guard settings.compression == .none else {
            return marker.isEmpty && kind == settings.compression.kind
        }
        return start.starts(with: marker) && end == [0x0a]
    }
}

// MARK: - Writing

extension FileSink {
    /// Brings a file to its end; it gets its name with the next commit.
    func complete(_ file: OutputFile) throws(ConnectorError) {
        if file.hasBegun {
            try file.writer.end(into: file.buffer)
        } else if file.length > 0 {
            // It was begun before a restart.
            Self.append(try Self.endMarker(of: format), to: file.buffer)
        }
        try prepare(file)
        try file.synchronize()
        pause()
        try file.closeDescriptor()
        completed.append(file)
    }

    private static func append(_ bytes: [UInt8], to output: OutputBuffer) {
        bytes.withUnsafeBytes { output.append($0) }
    }

    private func flushIfLarge(_ file: OutputFile) throws(ConnectorError) {
        let share = max(16 << 10, Self.bufferedSize / max(1, files.count))
        guard file.buffer.count >= min(Self.flushSize, share) else { return }
        try prepare(file)
        pause()
        try file.flush()
        pause()
    }

    /// Does what must be before the first byte of a file.
    func prepare(_ file: OutputFile) throws(ConnectorError) {
        guard !file.isCheckpointed else { return }
        if file.isInPlace {
            // The length it had must be known, or a crash could not be undone.
            try saveCheckpoint(including: file)
        } else {
            try reportingToEngine { () throws(FileSystemError) in
                try FileSystem.makeDirectories(FileSystem.directory(of: file.workPath))
            }
            changedDirectories.insert(FileSystem.directory(of: file.workPath))
        }
        file.isCheckpointed = true
    }

    /// Gives back the descriptors, and forgets the files, that were used least recently.
    private func limitFiles() throws(ConnectorError) {
        // Looking for them takes time, so some more are let grow.
        guard files.count > settings.openFiles else { return }
        let byUse = files.all.sorted { $0.lastUse < $1.lastUse }
        let open = byUse.filter(\.isOpen)
        for file in open.dropLast(settings.openFiles) { try file.closeDescriptor() }
        let limit = settings.openFiles * Self.filesPerDescriptor
        guard files.count > limit else { return }
        for file in byUse.dropLast(limit) {
            files.remove(file)
            try complete(file)
        }
    }
}
