public import ConnectorSDK

/// XML as a stream of records: each element that `record.path` names is one.
public final class XMLFormat: RecordFormat {
    public static let name = "xml"
    public static let summary =
        "XML, read as a stream: each element that `record.path` names is a record."

    /// The keys, for reading and writing.
    public static var configuration: ConfigSpec {
        ConfigSpec()
            .with(XMLKeys.recordPath)
            .with(XMLKeys.forceArray)
            .with(XMLKeys.namespaces)
            .with(XMLKeys.maxDepth)
            .with(XMLKeys.maxRecordBytes)
            .with(XMLKeys.root)
            .with(XMLKeys.record)
    }

    public static var decodesCharset: Bool { true }

    private let settings: XMLSettings

    public init(configuration: Configuration) throws(ConnectorError) {
        settings = try XMLSettings(configuration)
    }

    public var isOpaque: Bool { false }

    public func makeReader(
        at position: ReaderPosition?
    ) throws(ConnectorError) -> any RecordReader {
        try XMLReader(settings, at: position ?? ReaderPosition())
    }

    public func makeReader(
        ofRecord context: String?
    ) throws(ConnectorError) -> any RecordReader {
        var settings = settings
        let outer = (context ?? "").split(separator: "/").map { String($0) }
        settings.recordPath = .root
        settings.forceArray = settings.forceArray.flatMap { $0.seen(inside: outer) }
        // A record is kept as UTF-8, whatever the document said of itself.
        settings.isUTF8 = true
        return try XMLReader(settings, at: ReaderPosition())
    }

    public func makeWriter() throws(ConnectorError) -> any RecordWriter {
        XMLWriter(settings)
    }
}
