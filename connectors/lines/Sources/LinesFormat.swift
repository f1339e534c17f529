public import ConnectorSDK

/// Text whose lines are the records, never looked into.
///
/// A record is the bytes of one line, without its `\n` or `\r\n`; whether they are UTF-8 is not
/// checked. An empty line is an empty record; a last line without an end counts.
public final class LinesFormat: RecordFormat {
    public static let name = "lines"
    public static let summary = "Each line is one record of opaque bytes."

    static let maximum = ConfigKey.size(
        "max.record.bytes",
        default: 16 << 20,
        in: 1...(1 << 30),
        help: """
            The longest line. A longer one is rejected with a sample of its start, in bounded \
            memory, and reading goes on behind it.
            """
    )
    static let escape = ConfigKey.bool(
        "lines.escape",
        default: false,
        importance: .low,
        help: """
            Whether line ends within a value are written as `\\n` and `\\r`, and backslashes as \
            `\\\\`, and read back as what they stand for. Without it a value that contains a line \
            end cannot be written, since it would be read back as two.
            """
    )

    public static let configuration = ConfigSpec().with(maximum).with(escape)

    private let maximum: Int
    private let isEscaped: Bool

    public init(configuration: Configuration) throws(ConnectorError) {
        maximum = try configuration.get(Self.maximum)
        isEscaped = try configuration.get(Self.escape)
    }

    public static func fields(
        _ configuration: Configuration
    ) throws(ConnectorError) -> KnownFields { .none() }

    public var isOpaque: Bool { true }

    public func makeReader(
        at position: ReaderPosition?
    ) throws(ConnectorError) -> any RecordReader {
        LinesReader(at: position ?? ReaderPosition(), maximum: maximum, isEscaped: isEscaped)
    }

    public func makeWriter() throws(ConnectorError) -> any RecordWriter {
        LinesWriter(isEscaped: isEscaped)
    }
}
