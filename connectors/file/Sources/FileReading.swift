internal import Compression
internal import ConnectorSDK
internal import FileSystem
internal import RecordStreams
internal import TextEncoding

/// One file being read: its bytes, decompressed and decoded, and the reader that makes records.
final class FileReading {
    let identity: FileIdentity
    let path: String
    let information: FileInformation
    let reader: any RecordReader
    let headers: FileHeaderWriter
    /// What the reader reads from.
    let input: ByteInput
    private let file: OpenFile
    private let counter: ByteCounter

    /// Begins to read at `position`.
    ///
    /// - Throws: an error of kind `.environment` when the file cannot be read now, any other when
    ///   its content is at fault.
    init(
        _ file: OpenFile,
        _ information: FileInformation,
        _ identity: FileIdentity,
        at position: ReaderPosition,
        format: any RecordFormat,
        settings: FileSourceSettings
    ) throws(ConnectorError) {
        self.file = file
        self.identity = identity
        self.information = information
        path = file.path
        reader = try format.makeReader(at: position)
        headers = FileHeaderWriter(settings.headers, path: path, information: information)
        counter = ByteCounter()
        let stream = FileStream(file, counter, settings, type(of: format).decodesCharset)
        input = try stream.open(at: reader.startsAtByte ? position.byte : 0)
    }

    /// How much of the file has been read, in bytes of the file itself.
    var bytesRead: Int64 { counter.offset }

    /// The file's length now.
    func currentSize() throws(ConnectorError) -> Int64 {
        try reportingToEngine { () throws(FileSystemError) in try file.information().size }
    }

    /// What the file begins with.
    func start() throws(ConnectorError) -> FileFingerprint {
        try reportingToEngine { () throws(FileSystemError) in try FileFingerprint(file) }
    }

    /// Makes sure that the file read to its end is the file that was opened.
    func checkUnchanged() throws(ConnectorError) {
        while try input.fill() { input.consume(input.window.count) }
        let now = try reportingToEngine { () throws(FileSystemError) in try file.information() }
        guard now.size >= bytesRead, bytesRead >= information.size else {
            throw FileFault.truncated(size: now.size, read: max(bytesRead, information.size))
        }
        let isSame = try reportingToEngine { () throws(FileSystemError) in
            try identity.matches(file, now)
        }
        guard isSame else { throw FileFault.changed }
    }
}

/// Counts the bytes read from a file.
final class ByteCounter {
    /// The offset of the next byte in the file.
    var offset: Int64 = 0
}

/// What can be wrong with a file, apart from its format.
enum FileFault {
    static func truncated(size: Int64, read: Int64) -> ConnectorError {
        ConnectorError(
            .init("file.truncated"),
            .failTask,
            "The file has \(size) bytes; \(read) were there before.",
            hint: "It was cut off while it was being read, or since."
        )
    }

    static let changed = ConnectorError(
        .init("file.changed"),
        .failTask,
        "The file's beginning was written over while it was being read.",
        hint: "Write files under another name and rename them, or set file.minimum.age.ms."
    )
}

/// The way from a file's bytes to UTF-8.
struct FileStream {
    private let file: OpenFile
    private let counter: ByteCounter
    private let settings: FileSourceSettings
    private let isDecodedByFormat: Bool

    init(
        _ file: OpenFile,
        _ counter: ByteCounter,
        _ settings: FileSourceSettings,
        _ formatDecodes: Bool
    ) {
        self.file = file
        self.counter = counter
        self.settings = settings
        // What a user says about the characters counts more than what the file says.
        isDecodedByFormat = formatDecodes && !settings.isCharsetGiven
    }

    /// Makes an input that begins at `byte` of the decompressed UTF-8 text, marks not counted.
    func open(at byte: Int64) throws(ConnectorError) -> ByteInput {
        let start = try reportingToEngine { () throws(FileSystemError) in
            try file.bytes(at: 0, count: CompressionKind.magicLength)
        }
        let raw = rawSource()
        let kind = settings.compression.kind(of: start)
        if let decompressor = try kind.makeDecompressor(reading: raw) {
            let source: ByteInput.Source = { room throws(ConnectorError) in
                try decompressor.read(into: room)
            }
            return try decoded(source, at: byte)
        }
        if isDecodedByFormat { return try plain(raw, from: byte, at: byte) }
        let (charset, mark) = settings.charset.resolve(start)
        guard charset == .utf8 else { return try decoded(raw, at: byte) }
        return try plain(raw, from: byte + Int64(mark), at: byte)
    }

    private func rawSource() -> ByteInput.Source {
        let file = file, counter = counter
        return { room throws(ConnectorError) in
            let count = try reportingToEngine { () throws(FileSystemError) in
                try file.read(into: room)
            }
            counter.offset += Int64(count)
            return count
        }
    }

    /// Begins in the middle at once.
    private func plain(
        _ source: @escaping ByteInput.Source,
        from place: Int64,
        at byte: Int64
    ) throws(ConnectorError) -> ByteInput {
        try reportingToEngine { () throws(FileSystemError) in try file.seek(to: place) }
        counter.offset = place
        return ByteInput(offset: byte, source: source)
    }

    /// Begins at the start, and passes over what comes before `byte`.
    private func decoded(
        _ source: @escaping ByteInput.Source,
        at byte: Int64
    ) throws(ConnectorError) -> ByteInput {
        let text = isDecodedByFormat ? source : try settings.charset.decoding(source)
        try Self.skip(byte, of: text)
        return ByteInput(offset: byte, source: text)
    }

    private static func skip(
        _ count: Int64,
        of source: ByteInput.Source
    ) throws(ConnectorError) {
        guard count > 0 else { return }
        let room = Chunk(capacity: 256 << 10)
        var rest = count
        while rest > 0 {
            let wanted = Int(min(Int64(room.capacity), rest))
            let part = UnsafeMutableRawBufferPointer(rebasing: room.bytes[..<wanted])
            let got = try source(part)
            guard got > 0 else { throw FileFault.truncated(size: count - rest, read: count) }
            rest -= Int64(got)
        }
    }
}
