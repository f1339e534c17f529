internal import Compression
public import ConnectorSDK
public import TextEncoding

/// What the sources of streams share: what a stream holds, and where its records go.
public struct StreamSettings: Sendable {
    /// The topic that the records go to.
    public static let topic = ConfigKey.required(
        "topic",
        help: "The topic that the records go to."
    )
    /// The format's name.
    public static let format = ConfigKey.string(
        "format",
        default: "lines",
        importance: .high,
        help: "What the stream holds: `lines`, `json`, `csv` or `xml`. Each has keys of its own."
    )
    /// The encoding of the text.
    public static let charset = ConfigKey.choice(
        "charset",
        default: Charset.auto,
        help: """
            The characters' encoding. `auto` goes by the byte order mark and is UTF-8 without one; \
            `utf-16` goes by the mark and is big-endian without one. Marks are left out.
            """
    )
    /// How the stream is compressed.
    public static let compression = ConfigKey.choice(
        "compression",
        default: InputCompression.auto,
        help: "How the stream is compressed. `auto` goes by its first bytes."
    )

    /// The keys.
    public static let spec = ConfigSpec()
        .with(topic).with(format).with(charset).with(compression)

    /// The topic that the records go to.
    public var topic: String
    /// The format's name.
    public var formatName: String
    private var charset: Charset
    private var isCharsetGiven: Bool
    private var compression: InputCompression

    /// Reads the keys.
    public init(_ configuration: Configuration) throws(ConnectorError) {
        topic = try configuration.get(Self.topic)
        formatName = try configuration.get(Self.format)
        charset = try configuration.get(Self.charset)
        isCharsetGiven = configuration.values[Self.charset.declaration.name] != nil
        compression = try configuration.get(Self.compression)
    }

    /// The way from a stream's bytes to what `format` reads.
    ///
    /// - Throws: what the stream throws when its first bytes are read.
    public func text(
        of source: @escaping ByteInput.Source,
        for format: any RecordFormat
    ) throws(ConnectorError) -> ByteInput.Source {
        let plain = try decompressed(source)
        // What a user says about the characters counts more than what the stream says.
        if type(of: format).decodesCharset, !isCharsetGiven { return plain }
        return try charset.decoding(plain)
    }

    private func decompressed(
        _ source: @escaping ByteInput.Source
    ) throws(ConnectorError) -> ByteInput.Source {
        if compression == .none { return source }
        let peeked = try PeekedSource(source) { [compression] start in
            compression == .auto && CompressionKind.isUndecided(start)
        }
        let start = peeked.start
        let bytes: ByteInput.Source = { room throws(ConnectorError) in
            try peeked.read(into: room)
        }
        guard let decompressor = try compression.kind(of: start).makeDecompressor(reading: bytes)
        else { return bytes }
        return { room throws(ConnectorError) in try decompressor.read(into: room) }
    }
}
