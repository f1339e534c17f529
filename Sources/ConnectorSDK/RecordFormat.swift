/// The syntax of a stream of records, such as `csv`: a reader and a writer.
///
/// Any connector that moves bytes can use any format.
public protocol RecordFormat: Plugin, AnyObject, Sendable {
    /// Makes an instance.
    init(configuration: Configuration) throws(ConnectorError)

    /// Starts a reader at `position`, or at the start of the stream.
    func makeReader(at position: ReaderPosition?) throws(ConnectorError) -> any RecordReader

    /// Starts a reader of a text that is one record by itself: one that was rejected, as
    /// ``RejectedRecord/value`` has it, or as a person has mended it.
    ///
    /// - Parameter context: ``RecordReader/recordContext`` of the reader that rejected it.
    /// - Returns: a reader, which need not be able to go on in the middle.
    /// - Throws: when the context does not suffice, such as when CSV's columns are not known.
    func makeReader(ofRecord context: String?) throws(ConnectorError) -> any RecordReader

    /// Starts a writer.
    func makeWriter() throws(ConnectorError) -> any RecordWriter

    /// Whether readers and writers treat values as opaque bytes.
    var isOpaque: Bool { get }

    /// The fields that records can have, if the configuration says it.
    static func fields(_ configuration: Configuration) throws(ConnectorError) -> KnownFields

    /// Whether readers find out the character set by themselves, as XML declares it.
    ///
    /// Input then arrives as it is unless the key `charset` is given. If it is, and for all other
    /// formats, input arrives as UTF-8; the format learns of the key from its configuration.
    static var decodesCharset: Bool { get }
}

extension RecordFormat {
    /// Most formats learn of the fields from the input.
    public static func fields(
        _ configuration: Configuration
    ) throws(ConnectorError) -> KnownFields { .unknown }

    /// Most formats read UTF-8.
    public static var decodesCharset: Bool { false }

    /// In most formats a record by itself is a stream of one record.
    public func makeReader(
        ofRecord context: String?
    ) throws(ConnectorError) -> any RecordReader {
        try makeReader(at: nil)
    }
}

/// A place between two records of a stream, from which a reader can go on.
public struct ReaderPosition: Hashable, Sendable {
    /// The byte after the last record read, in the decompressed UTF-8 stream.
    public var byte: Int64
    /// The number of the next line, from 1.
    public var line: Int64
    /// The number of records read so far, rejected ones included.
    public var record: Int64
    /// What else the format needs to go on in the middle, such as CSV's header row.
    public var state: String?

    /// Makes a position; without arguments, the start.
    public init(byte: Int64 = 0, line: Int64 = 1, record: Int64 = 0, state: String? = nil) {
        self.byte = byte
        self.line = line
        self.record = record
        self.state = state
    }
}

/// Reads records out of one stream.
///
/// One task uses it, from start to end.
public protocol RecordReader: AnyObject {
    /// Whether the reader can start at ``ReaderPosition/byte``: then `input` begins there. Else
    /// `input` begins at the start of the stream, and the reader skips what was read before.
    var startsAtByte: Bool { get }

    /// Appends records to `batch` until it is full or the input ends.
    ///
    /// Appends at least one record, or a rejection, unless the input is at its end; when it has
    /// some, and the input would have to wait (``ByteInput/wouldWait``), it returns. A record that
    /// cannot be read is rejected in the batch, and reading goes on behind it. Sets
    /// ``RecordMetadata/offset``, `line` and `raw` where known.
    ///
    /// - Returns: `false` when the input is at its end and nothing is left.
    /// - Throws: when nothing behind a place can be read, such as XML that is not well-formed;
    ///   what was appended before is still in `batch` and counts.
    func read(_ input: ByteInput, into batch: RecordBatch) throws(ConnectorError) -> Bool

    /// The place behind the last record read.
    var position: ReaderPosition { get }

    /// What else is needed to read one of the records by itself, such as CSV's header row; it is
    /// kept with dead letters.
    var recordContext: String? { get }
}

extension RecordReader {
    /// In most formats a record can be read by itself.
    public var recordContext: String? { nil }
}

/// Writes records as one stream: a start, records, an end.
public protocol RecordWriter: AnyObject {
    /// What belongs at the start of a stream of records such as `batch`'s, such as a header row.
    func begin(_ batch: RecordBatch, into output: OutputBuffer) throws(ConnectorError)

    /// Writes the records of `batch` in `rows`.
    ///
    /// Records that the format cannot express are reported by an error with `.rejectRecord`, and
    /// then nothing of the batch is in `output`.
    func write(_ batch: RecordBatch, rows: Range<Int>, into output: OutputBuffer)
        throws(ConnectorError)

    /// What belongs at the end of the stream, such as `]`.
    func end(into output: OutputBuffer) throws(ConnectorError)
}

/// The formats that a configuration can name.
public struct FormatCatalog: Sendable {
    /// The formats by name.
    public let formats: [String: any RecordFormat.Type]

    /// Makes a catalogue.
    public init(_ formats: [any RecordFormat.Type]) {
        self.formats = Dictionary(uniqueKeysWithValues: formats.map { ($0.name, $0) })
    }

    /// The names, sorted.
    public var names: [String] { formats.keys.sorted() }

    /// Makes the format that is called `name`.
    public func make(
        _ name: String,
        configuration: Configuration
    ) throws(ConnectorError) -> any RecordFormat {
        guard let format = formats[name] else {
            throw .invalid(
                "format",
                "There is no format `\(name)`.",
                hint: "Formats: \(names.joined(separator: ", "))."
            )
        }
        return try format.init(configuration: configuration)
    }
}
