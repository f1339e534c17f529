import ConnectorSDK

/// The configuration keys of the format.
enum XMLKeys {
    static let recordPath = ConfigKey.string(
        "record.path",
        default: "/*/*",
        importance: .high,
        help: """
            The elements that are records, by their path from the root, such as `/orders/order`; \
            `*` stands for any name, and `//order` for every `order` that is not inside another \
            record. The default takes each child of the root.
            """,
        validator: { XMLPath($0) == nil ? "must be a path such as /orders/order" : nil }
    )
    static let forceArray = ConfigKey.list(
        "force.array",
        help: """
            Elements that become an array even where there is one of them: names such as `tag`, \
            or paths such as `order/tag` or `/orders/order/tag`.
            """,
        validator: { XMLPath(element: $0) == nil ? "must be a name or a path" : nil }
    )
    static let namespaces = ConfigKey.choice(
        "namespaces",
        default: XMLSettings.Namespaces.local,
        help: """
            How elements and attributes in a namespace are called: `local` drops the prefix, \
            `prefix` keeps it, as in `dc:title`. Declarations of namespaces are dropped.
            """
    )
    static let maxDepth = ConfigKey.int(
        "max.depth",
        default: 256,
        in: 1...4_096,
        importance: .low,
        help: "How deep elements may be nested; a deeper document is an error."
    )
    static let maxRecordBytes = ConfigKey.size(
        "max.record.bytes",
        default: 16 << 20,
        in: 1_024...(1 << 30),
        importance: .low,
        help: "A longer record is rejected, so that memory stays bounded."
    )
    static let root = ConfigKey.string(
        "xml.root",
        default: "records",
        help: "When writing: the name of the root element.",
        validator: { XMLNameRules.isName($0) ? nil : "must be a name of XML" }
    )
    static let record = ConfigKey.string(
        "xml.record",
        default: "record",
        help: "When writing: the name of the element that each record becomes.",
        validator: { XMLNameRules.isName($0) ? nil : "must be a name of XML" }
    )
}

/// The configuration, read once.
struct XMLSettings: Sendable {
    /// What becomes of prefixes.
    enum Namespaces: String, CaseIterable, Sendable {
        case local
        case prefix
    }

    var recordPath: XMLPath
    var forceArray: [XMLPath]
    var namespaces: Namespaces
    var maxDepth: Int
    var maxRecordBytes: Int
    var root: String
    var record: String
    /// Whether the input is UTF-8 whatever the XML declaration says.
    var isUTF8: Bool

    init(_ configuration: Configuration) throws(ConnectorError) {
        guard let path = XMLPath(try configuration.get(XMLKeys.recordPath)) else {
            throw .invalid("record.path", "The value must be a path such as /orders/order.")
        }
        recordPath = path
        forceArray = try configuration.get(XMLKeys.forceArray).compactMap { XMLPath(element: $0) }
        namespaces = try configuration.get(XMLKeys.namespaces)
        maxDepth = try configuration.get(XMLKeys.maxDepth)
        maxRecordBytes = try configuration.get(XMLKeys.maxRecordBytes)
        root = try configuration.get(XMLKeys.root)
        record = try configuration.get(XMLKeys.record)
        // The connector that reads the bytes owns the key; given, it decodes to UTF-8.
        isUTF8 = !(configuration.values["charset"] ?? "").isEmpty
    }
}
