public import ConnectorSDK
internal import RecordFields
internal import TextParsing

/// Gives records the time that one of their fields tells.
public final class TimestampFrom: Transform {
    public static let name = "TimestampFrom"
    public static let summary = "Gives records the time that one of their fields tells."
    public static let configuration = ConfigSpec()
        .with(fieldKey).with(FieldSyntax.key).with(RecordTime.formatKey).with(RecordTime.zoneKey)
        .with(errorKey)

    private static let fieldKey = ConfigKey<String>.required(
        "field",
        help: """
            The field that tells the time. Mind that topics with `retention.ms` drop records by \
            this time.
            """
    )
    private static let errorKey = ConfigKey<ErrorPolicy>.choice(
        "on.error",
        default: .reject,
        help: """
            What becomes of a record whose field is absent, null or no time: `reject` makes it a \
            dead letter, `keep` leaves it the time that it has.
            """
    )

    private let path: FieldPath
    private let time: RecordTime
    private let onError: ErrorPolicy
    private var derived = DerivedSchema<FieldPlace?>()

    public init(configuration: Configuration) throws(ConnectorError) {
        let field = try configuration.get(Self.fieldKey)
        path = try FieldPath(field, syntax: try configuration.get(FieldSyntax.key), key: "field")
        time = try RecordTime(field: field, configuration)
        onError = try configuration.get(Self.errorKey)
    }

    public func trace(_ outline: inout RecordOutline) {
        outline.need(path.steps, at: Self.fieldKey.declaration.name)
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.requireFields(for: Self.self) else { return }
        let place = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            FieldPlace(path, in: schema)
        }
        let now = RecordTime.now()
        var rejected: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices {
            let metadata = batch.metadata(row)
            if metadata.pointee.isTombstone { continue }
            let cell = place?.read(batch.row(row), in: batch) ?? .missing
            let received = RecordTime.received(metadata.pointee, now: now)
            if let millis = time.read(cell, near: received) {
                metadata.pointee.timestamp = millis
            } else if onError == .reject {
                rejected.append((row, cell.isNil ? absent : Self.noTime))
            }
        }
        batch.reject(rejected)
    }

    private var absent: ConnectorError {
        ConnectorError(
            .timestamp,
            .rejectRecord,
            "The record has no field \(path), which is to tell its time.",
            at: "field"
        )
    }

    private static let noTime = ConnectorError(
        .timestamp,
        .rejectRecord,
        "The field is no time as timestamp.format has it.",
        at: "timestamp.format"
    )
}

extension ConnectorError.Code {
    /// A field tells no time.
    internal static let timestamp = Self("transform.timestamp")
}
