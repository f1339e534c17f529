public import ConnectorSDK
internal import RecordFields

/// Names the schema of keys or values.
public final class SetSchemaMetadata: PartTransform {
    public static let name = "SetSchemaMetadata"
    public static let className: String? = connectPackage + "SetSchemaMetadata"
    public static let summary = "Gives the schema of values, or keys, a name and a version."
    public static let configuration = ConfigSpec()
        .with(nameKey).with(versionKey).with(NullDefaults.key)

    private static let nameKey = ConfigKey<String?>.optional(
        "schema.name",
        importance: .high,
        help: """
            The schema's name, which the converter `json-schema` writes. Without it the name stays. \
            Records that declare no types have a schema too, of names alone.
            """
    )
    private static let versionKey = ConfigKey<String?>.optional(
        "schema.version",
        importance: .high,
        help: "The schema's version, a whole number. Without it the version stays.",
        validator: { Int32($0) == nil ? "must be a whole number" : nil }
    )

    private let part: RecordPart
    private let schemaName: String?
    private let version: Int?
    private var derived = DerivedSchema<Schema>()

    public init(configuration: Configuration, part: RecordPart) throws(ConnectorError) {
        self.part = part
        schemaName = try configuration.get(Self.nameKey)
        version = try configuration.get(Self.versionKey).flatMap { Int($0) }
        if schemaName == nil, version == nil {
            throw .invalid("schema.name", "One of schema.name and schema.version is required.")
        }
    }

    /// Fields stay as they are.
    public func trace(_ outline: inout RecordOutline) {}

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard let schema = batch.fields(of: part, for: Self.self) else { return }
        let named = try derived.plan(for: schema) { schema throws(ConnectorError) in
            schema.named(schemaName ?? schema.name, version: version ?? schema.version)
        }
        let rawIsJSON = batch.rawIsJSON
        batch.rename(part, to: named)
        // No text changes by it.
        batch.rawIsJSON = rawIsJSON
    }
}
