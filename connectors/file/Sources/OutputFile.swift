internal import Compression
internal import ConnectorSDK
internal import FileSystem

/// One file being written: what is formatted, what is compressed, and what is on the disk.
final class OutputFile {
    /// The disk is told to write when so much waits, so that a commit finds little left to wait
    /// for; less at a time would be more, smaller writes.
    private static let writeBehind: Int64 = 8 << 20

    /// The path as the template gives it, as UTF-8.
    let key: [UInt8]
    /// The path it is written under.
    let workPath: String
    /// The path it gets when it is complete.
    let finalPath: String
    var writer: any RecordWriter
    let compressor: (any StreamCompressor)?
    /// Formatted records that are not in the file yet.
    private(set) var buffer: OutputBuffer
    /// Whether the stream's start has been written.
    var hasBegun = false
    /// Records in the file and the buffer.
    var records: Int64 = 0
    /// Bytes given to the file.
    private(set) var length: Int64
    /// Bytes that the last checkpoint counts.
    var committedLength: Int64
    /// Records that the last checkpoint counts.
    var committedRecords: Int64
    /// When it was begun, in milliseconds.
    let begun: Int64
    /// Rises with each use; the least is the one unused for longest.
    var lastUse: UInt64 = 0
    /// Whether the checkpoint on the disk knows the file.
    var isCheckpointed: Bool
    /// The bytes that the disk was told to write.
    private var started: Int64
    private var file: OpenFile?
    private var compressed: OutputBuffer?
    private var isSynchronized = true
    /// Whether bytes may be inside the compressor.
    private var isInsideFrame = false

    /// Makes a file of which `length` bytes are on the disk.
    init(
        key: [UInt8],
        workPath: String,
        finalPath: String,
        length: Int64,
        records: Int64,
        begun: Int64,
        isCheckpointed: Bool,
        writer: any RecordWriter,
        compression: CompressionKind
    ) throws(ConnectorError) {
        self.key = key
        self.workPath = workPath
        self.finalPath = finalPath
        self.length = length
        self.records = records
        self.begun = begun
        self.isCheckpointed = isCheckpointed
        self.writer = writer
        committedLength = length
        committedRecords = records
        started = length
        compressor = try compression.makeCompressor()
        compressed = compressor == nil ? nil : OutputBuffer(capacity: 64 << 10)
        // A tree of many files must not take a megabyte for each.
        buffer = OutputBuffer(capacity: 64 << 10)
    }

    /// Whether it is written under its own name.
    var isInPlace: Bool { workPath == finalPath }

    /// Whether a descriptor is taken.
    var isOpen: Bool { file != nil }

    /// About how long the file will be when the buffer is written.
    var expectedLength: Int64 { length + Int64(buffer.count) }

    /// Whether there is anything that the last checkpoint does not count.
    var hasNews: Bool { length != committedLength || buffer.count > 0 || isInsideFrame }

    /// Takes back what was formatted behind `count`.
    func truncateBuffer(to count: Int) { buffer.count = count }

    /// Moves the buffer's bytes towards the file; a frame that was begun may hold some back.
    func flush() throws(ConnectorError) {
        guard buffer.count > 0 else { return }
        if let compressor, let compressed {
            isInsideFrame = true
            try compressor.write(buffer.bytes, into: compressed)
            buffer.count = 0
            try write(compressed)
        } else {
            try write(buffer)
        }
    }

    /// Brings everything onto the disk; what follows can be cut off there.
    func synchronize() throws(ConnectorError) {
        try flush()
        if isInsideFrame, let compressor, let compressed {
            try compressor.endFrame(into: compressed)
            isInsideFrame = false
            try write(compressed)
        }
        guard !isSynchronized else { return }
        let file = try open()
        try reportingToEngine { () throws(FileSystemError) in try file.synchronize() }
        isSynchronized = true
        started = length
    }

    /// Gives the descriptor back, and memory that a busy file needs.
    func closeDescriptor() throws(ConnectorError) {
        try flush()
        file = nil
        if buffer.capacity > 64 << 10 { buffer = OutputBuffer(capacity: 64 << 10) }
    }

    private func open() throws(ConnectorError) -> OpenFile {
        if let file { return file }
        let opened = try reportingToEngine { () throws(FileSystemError) in
            // A new file's name was free, or left behind by a crash.
            if length == 0, !isInPlace { try FileSystem.remove(workPath) }
            return try OpenFile(workPath, length == 0 && !isInPlace ? .creating : .appending)
        }
        file = opened
        return opened
    }

    private func write(_ output: OutputBuffer) throws(ConnectorError) {
        guard output.count > 0 else { return }
        let file = try open()
        isSynchronized = false
        try reportingToEngine { () throws(FileSystemError) in try file.write(output.bytes) }
        length += Int64(output.count)
        output.count = 0
        guard length - started >= Self.writeBehind else { return }
        file.startWriting(started..<length)
        started = length
    }
}

extension OutputFile {
    /// What a checkpoint says of it, as of the last commit.
    func committed(format: String) -> SinkCheckpoint.File {
        SinkCheckpoint.File(
            key: String(decoding: key, as: UTF8.self),
            workPath: workPath,
            finalPath: finalPath,
            length: committedLength,
            records: committedRecords,
            format: format
        )
    }
}

/// The files that can still take records, by path.
struct OutputFileTable {
    private var byHash: [Int: [OutputFile]] = [:]
    private(set) var count = 0
    private var uses: UInt64 = 0

    /// All files, in no order.
    var all: [OutputFile] { byHash.values.flatMap { $0 } }

    /// The file of a path.
    mutating func file(for key: [UInt8]) -> OutputFile? {
        guard let found = byHash[Self.hash(key)]?.first(where: { $0.key == key }) else {
            return nil
        }
        uses += 1
        found.lastUse = uses
        return found
    }

    mutating func insert(_ file: OutputFile) {
        uses += 1
        file.lastUse = uses
        byHash[Self.hash(file.key), default: []].append(file)
        count += 1
    }

    mutating func remove(_ file: OutputFile) {
        let hash = Self.hash(file.key)
        guard let index = byHash[hash]?.firstIndex(where: { $0 === file }) else { return }
        byHash[hash]?.remove(at: index)
        if byHash[hash]?.isEmpty == true { byHash[hash] = nil }
        count -= 1
    }

    private static func hash(_ key: [UInt8]) -> Int {
        var hasher = Hasher()
        key.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
