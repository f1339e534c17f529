public import ConnectorSDK
internal import RecordFields
internal import TextParsing

/// Takes lines apart into fields.
public final class Parse: Transform {
    public static let name = "Parse"
    public static let summary =
        "Takes lines apart: JSON, CSV, key=value, access logs, syslog, and patterns of your own."
    public static let configuration = ConfigSpec()
        .with(ParseFormat.key).with(fieldKey).with(FieldSyntax.key).with(targetKey).with(keepKey)
        .with(errorKey).merging(ParseFormat.configuration).with(ParseTypes.key)
        .with(timestampKey).with(RecordTime.formatKey).with(RecordTime.zoneKey)

    private static let fieldKey = ConfigKey<String?>.optional(
        "field",
        importance: .high,
        help: """
            The field that holds the line. Without it the value itself is the line, as files with \
            `format: lines` and the converters `string` and `bytes` give it.
            """
    )
    private static let targetKey = ConfigKey<String?>.optional(
        "target",
        help: """
            A field that gets everything as one object. Without it the fields of the line become \
            fields of the record, in place of those of the same name.
            """,
        validator: { $0.isEmpty ? "must name a field" : nil }
    )
    private static let keepKey = ConfigKey.bool(
        "keep.original",
        default: false,
        help: """
            Keeps the line beside what it was taken apart into: in its field, or, where it was the \
            value itself, in the field `message`.
            """
    )
    private static let errorKey = ConfigKey<ErrorPolicy>.choice(
        "on.error",
        default: .reject,
        importance: .high,
        help: """
            What becomes of a record whose line does not fit: `reject` makes it a dead letter with \
            the reason and the byte; `keep` lets it pass with nothing but the line, in its field or \
            in `message`.
            """
    )
    private static let timestampKey = ConfigKey<String?>.optional(
        "timestamp.field",
        help: """
            A field of the line that tells the record's time, such as `timestamp` of access logs. \
            Mind that topics with `retention.ms` drop records by this time.
            """
    )

    private let work: ParseWork

    public init(configuration: Configuration) throws(ConnectorError) {
        let field = try configuration.get(Self.fieldKey)
        let syntax = try configuration.get(FieldSyntax.key)
        let zone = try RecordTime.zone(configuration)
        let (parser, patternTypes) = try ParseFormat.parser(configuration, zone: zone)
        let target = try configuration.get(Self.targetKey)
        parser.fields.areNested = target != nil
        var time: RecordTime?
        if let name = try configuration.get(Self.timestampKey) {
            time = try RecordTime(field: name, configuration)
        }
        work = ParseWork(
            parser: parser,
            format: try configuration.get(ParseFormat.key),
            settings: ParseSettings(
                field: try field.map { text throws(ConnectorError) in
                    try FieldPath(text, syntax: syntax, key: "field")
                },
                target: target,
                keepsLine: try configuration.get(Self.keepKey),
                onError: try configuration.get(Self.errorKey),
                types: try ParseTypes(configuration, patternTypes),
                time: time
            )
        )
    }

    public func trace(_ outline: inout RecordOutline) {
        work.trace(&outline)
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        if batch.count > 0 { try work.apply(batch) }
    }
}
