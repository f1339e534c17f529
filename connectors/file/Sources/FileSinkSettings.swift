internal import Compression
internal import ConnectorSDK
internal import FileSystem
internal import RecordTemplates

/// How output is compressed.
enum OutputCompression: String, CaseIterable, Sendable {
    case none, gzip, zstd

    var kind: CompressionKind {
        switch self {
        case .none: .none
        case .gzip: .gzip
        case .zstd: .zstd
        }
    }
}

/// A sink's configuration, checked.
struct FileSinkSettings: Sendable {
    static let path = ConfigKey.required(
        "path",
        help: """
            The file to write. `${topic}`, `${table}` (the topic's name behind its last dot), \
            `${partition}`, `${timestamp:yyyy-MM-dd}` (the record's, in UTC; y M d D H m s S) and \
            `${field:name}` are filled for each record; a slash or control character in a field \
            becomes `_`, an absent or empty one `__missing__`. With a `rotate.…` key the names get a number: `orders-000001.jsonl`.
            """
    )
    static let format = ConfigKey.string(
        "format",
        default: "lines",
        importance: .high,
        help: """
            How records are written: `lines`, `json`, `csv` or `xml`. Each has keys of its own. \
            `lines` writes values as the topic holds them.
            """
    )
    static let rotateSize = ConfigKey.size(
        "rotate.size",
        default: 0,
        in: 0...Int.max,
        help: "A file of about so many bytes is completed and another begun; 0 for no limit."
    )
    static let rotateRecords = ConfigKey.int(
        "rotate.records",
        default: 0,
        in: 0...Int.max,
        help: "A file of so many records is completed and another begun; 0 for no limit."
    )
    static let rotateInterval = ConfigKey.duration(
        "rotate.interval.ms",
        default: .zero,
        help: """
            A file so old is completed, within a second also when no records come, and another \
            is begun with the next record; 0 for no limit.
            """
    )
    static let compression = ConfigKey.choice(
        "compression",
        default: OutputCompression.none,
        help: """
            How files are compressed. The name is as `path` says, so let it end in `.gz` or `.zst`.
            """
    )
    static let openFiles = ConfigKey.int(
        "max.open.files",
        default: 64,
        in: 1...65_536,
        importance: .low,
        help: "So many files are kept open; of more, those used least recently are closed."
    )

    static let spec = ConfigSpec()
        .with(path).with(format).with(compression)
        .with(rotateSize).with(rotateRecords).with(rotateInterval).with(openFiles)

    var template: RecordTemplate
    var formatName: String
    var rotateSize: Int?
    var rotateRecords: Int?
    /// In milliseconds.
    var rotateInterval: Int64?
    var compression: OutputCompression
    var openFiles: Int

    init(_ configuration: Configuration, taskCount: Int) throws(ConnectorError) {
        let path = try configuration.get(Self.path)
        guard !path.hasSuffix("/") else {
            throw .invalid("path", "The path ends with a slash, so it names no file.")
        }
        template = try RecordTemplate(FileSystem.tidy(configuration.path(path)), key: "path")
        formatName = try configuration.get(Self.format)
        let size = try configuration.get(Self.rotateSize)
        rotateSize = size == 0 ? nil : size
        let records = try configuration.get(Self.rotateRecords)
        rotateRecords = records == 0 ? nil : records
        let interval = try configuration.get(Self.rotateInterval).components
        let milliseconds = interval.seconds * 1_000 + interval.attoseconds / 1_000_000_000_000_000
        rotateInterval = milliseconds == 0 ? nil : milliseconds
        compression = try configuration.get(Self.compression)
        openFiles = try configuration.get(Self.openFiles)
        guard taskCount == 1 || template.hasPartition else {
            throw .invalid(
                "path",
                "Several tasks would write to one file.",
                hint: "Add ${partition} to the path, or set tasks.max to 1."
            )
        }
    }

    var isRotating: Bool {
        rotateSize != nil || rotateRecords != nil || rotateInterval != nil
    }
}
