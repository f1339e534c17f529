public import ConnectorSDK
internal import JSONRecords

/// JSON as a stream of records: JSON Lines, documents one after the other, arrays of records.
///
/// Read, every object is a record; a top-level array gives its elements; `record.path` names the
/// array, or single object, that holds the records inside each document. Whatever the size of the
/// stream or an array, only one record at a time is in memory beside the batch (D7).
public final class JSONFormat: RecordFormat {
    /// How records are laid out in the stream.
    public enum Style: String, CaseIterable, Sendable {
        /// Reading finds out by itself; writing writes lines.
        case auto
        /// One record a line.
        case lines
        /// One array of all records.
        case array
    }

    static let recordPath = ConfigKey<String>.string(
        "record.path",
        default: "",
        help: """
            A JSON pointer (RFC 6901), such as `/data/items`, to the array or object that holds \
            the records inside each document. An array gives its elements as records. \
            Without it, a top-level array gives its elements and any other value is a record.
            """,
        validator: { text in
            JSONPointer(text) == nil
                ? "must be a JSON pointer such as /data/items, with ~0 for ~ and ~1 for /" : nil
        }
    )
    static let style = ConfigKey<Style>.choice(
        "json.style",
        default: .auto,
        help: """
            `lines`: one record a line; a line that cannot be read rejects that line only. \
            `array`: one array of records. `auto`: reading takes lines, arrays and documents on \
            several lines for what they are; writing writes lines.
            """
    )
    static let maximumRecordBytes = ConfigKey<Int>.size(
        "max.record.bytes",
        default: 16 << 20,
        in: 1_024...(1 << 30),
        importance: .low,
        help: """
            The size of the largest record. A larger one is rejected with its first bytes, and \
            skipped without being held in memory.
            """
    )

    /// The format's name.
    public static let name = "json"
    /// One sentence for lists.
    public static let summary =
        "JSON Lines, JSON documents, and arrays of records inside of documents."
    /// The keys.
    public static let configuration = ConfigSpec()
        .with(recordPath)
        .with(style)
        .with(maximumRecordBytes)

    private let path: JSONPointer?
    private let style: Style
    private let maximumRecordBytes: Int

    /// Makes the format.
    public init(configuration: Configuration) throws(ConnectorError) {
        let text = try configuration.get(Self.recordPath)
        path = text.isEmpty ? nil : JSONPointer(text)
        style = try configuration.get(Self.style)
        maximumRecordBytes = try configuration.get(Self.maximumRecordBytes)
        if path != nil, style == .lines {
            throw .invalid(
                Self.recordPath.declaration.name,
                "A path into documents cannot be combined with json.style lines.",
                hint: "Leave json.style out."
            )
        }
    }

    /// Values are parsed into fields.
    public var isOpaque: Bool { false }

    /// Starts a reader.
    public func makeReader(at position: ReaderPosition?) throws(ConnectorError) -> any RecordReader
    {
        try JSONReader(
            path: path,
            style: style,
            maximumRecordBytes: maximumRecordBytes,
            position: position ?? ReaderPosition()
        )
    }

    /// Starts a reader of one value, whatever it is and wherever it was found.
    public func makeReader(
        ofRecord context: String?
    ) throws(ConnectorError) -> any RecordReader {
        let place = DocumentsReader.Place.target(depth: 0)
        return try JSONReader(
            path: nil,
            style: .auto,
            maximumRecordBytes: maximumRecordBytes,
            position: ReaderPosition(state: place.state)
        )
    }

    /// Starts a writer.
    public func makeWriter() throws(ConnectorError) -> any RecordWriter {
        JSONWriter(isArray: style == .array)
    }
}
