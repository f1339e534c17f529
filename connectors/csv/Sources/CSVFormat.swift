public import ConnectorSDK

/// Comma-separated values as RFC 4180 describes them, and their dialects.
public final class CSVFormat: RecordFormat {
    public static let name = "csv"
    public static let summary =
        "Comma-separated values (RFC 4180) with a header row; delimiter and quotes can be chosen."

    /// The keys, the same for reading and writing.
    public static var configuration: ConfigSpec {
        ConfigSpec()
            .with(CSVKeys.delimiter)
            .with(CSVKeys.quote)
            .with(CSVKeys.escape)
            .with(CSVKeys.header)
            .with(CSVKeys.columns)
            .with(CSVKeys.types)
            .with(CSVKeys.nullValues)
            .with(CSVKeys.trim)
            .with(CSVKeys.skipLines)
            .with(CSVKeys.comment)
            .with(CSVKeys.maxRecordBytes)
    }

    private let settings: CSVSettings

    public init(configuration: Configuration) throws(ConnectorError) {
        settings = try CSVSettings(configuration)
    }

    public static func fields(
        _ configuration: Configuration
    ) throws(ConnectorError) -> KnownFields {
        let settings = try CSVSettings(configuration)
        guard !settings.columns.isEmpty else { return .unknown }
        return .only(
            settings.columns.map { name in
                Field(name, (settings.types[name] ?? settings.defaultType).fieldType)
            }
        )
    }

    public var isOpaque: Bool { false }

    public func makeReader(
        at position: ReaderPosition?
    ) throws(ConnectorError) -> any RecordReader {
        try CSVReader(settings, at: position ?? ReaderPosition())
    }

    public func makeReader(
        ofRecord context: String?
    ) throws(ConnectorError) -> any RecordReader {
        let given = settings.columns
        guard let state = given.isEmpty ? context : CSVHeader.encode(given) else {
            throw ConnectorError(
                .csvPosition,
                .failTask,
                "The columns of the record are not known.",
                at: CSVKeys.columns.declaration.name,
                hint: "Name them with the key `columns`."
            )
        }
        return try CSVReader(settings, at: ReaderPosition(state: state))
    }

    public func makeWriter() throws(ConnectorError) -> any RecordWriter {
        CSVWriter(settings)
    }
}
