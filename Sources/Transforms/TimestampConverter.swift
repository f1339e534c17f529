public import ConnectorSDK
internal import RecordFields
internal import ValueConversion

/// Turns times into text, numbers, dates, times of day or instants.
public final class TimestampConverter: PartTransform {
    public static let name = "TimestampConverter"
    public static let className: String? = connectPackage + "TimestampConverter"
    public static let summary = "Turns times into text, numbers, dates, times of day or instants."
    public static let configuration = ConfigSpec()
        .with(targetKey).with(fieldKey).with(formatKey).with(precisionKey).with(FieldSyntax.key)
        .with(NullDefaults.key)

    private static let targetKey = ConfigKey<TimeConversion.Target>.choice(
        "target.type",
        default: nil,
        importance: .high,
        help: """
            What times become: `string`, `unix` (a number since 1970), `Date`, `Time` (of day) or \
            `Timestamp`. They are read from dates, times, timestamps, whole numbers and text; \
            records with anything else in the field are rejected. All is in UTC.
            """
    )
    private static let fieldKey = ConfigKey.string(
        "field",
        default: "",
        importance: .high,
        help: "The field; by default the whole value, or key, is the time."
    )
    private static let formatKey = ConfigKey.string(
        "format",
        default: "",
        help: """
            How text is written, and read, in the letters of Java's SimpleDateFormat, such as \
            `yyyy-MM-dd'T'HH:mm:ss.SSSXXX`. Text must be a time of this form from beginning to end: \
            2026-02-30 is none. `S` is a digit of the fraction; weeks (`Y`, `w`) are not known.
            """,
        validator: { $0.isEmpty ? nil : DatePattern.problem($0) }
    )
    private static let precisionKey = ConfigKey<TimeConversion.Precision>.choice(
        "unix.precision",
        default: .milliseconds,
        help: """
            What numbers since 1970 count. Times are kept to the microsecond, so nanoseconds lose \
            their last three digits on the way to anything else.
            """
    )

    private let part: RecordPart
    private let path: FieldPath?
    private let conversion: TimeConversion
    private var derived = DerivedSchema<FieldChanges<Bool>>()
    private var lastWhole: Schema?

    public init(configuration: Configuration, part: RecordPart) throws(ConnectorError) {
        self.part = part
        let syntax = try configuration.get(FieldSyntax.key)
        let field = try configuration.get(Self.fieldKey)
        path = field.isEmpty ? nil : try FieldPath(field, syntax: syntax, key: "field")
        let format = try configuration.get(Self.formatKey)
        let target = try configuration.get(Self.targetKey)
        if target == .string, format.isEmpty {
            throw .invalid("format", "A format is required for target.type string.")
        }
        conversion = TimeConversion(
            target: target,
            precision: try configuration.get(Self.precisionKey),
            pattern: format.isEmpty ? nil : try DatePattern(format, key: "format")
        )
    }

    public func trace(_ outline: inout RecordOutline) {
        guard let path else {
            outline[part] = .none(conversion.target.fieldType)
            return
        }
        outline.need(path.steps, of: part, at: Self.fieldKey.declaration.name)
        outline[part].retype(path.steps, conversion.target.fieldType)
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard let path else { return try convertWhole(batch) }
        guard let schema = batch.fields(of: part, for: Self.self) else { return }
        let type = conversion.target.fieldType
        let changes = try derived.plan(for: schema) { schema throws(ConnectorError) in
            FieldChanges([(path, true)], in: schema) { field, _ in
                Field(field.name, type, isOptional: field.isOptional)
            }
        }
        guard !changes.isEmpty else { return }
        if part == .value { batch.rawIsJSON = false }
        let conversion = conversion
        changes.apply(to: batch, part, refusal: { path, _ in refusal("field \(path)") }) {
            cell,
            _ in
            conversion.convert(cell, in: batch)
        }
    }

    private func convertWhole(_ batch: RecordBatch) throws(ConnectorError) {
        guard let schema = batch.schema(of: part) else { return }
        guard schema.isWhole else {
            // Tombstones are alone in a batch with the columns of the one before.
            if batch.indices.allSatisfy({ batch.lacks(part, row: $0) }) { return }
            throw .invalid("field", "The records have fields, so that of the time is required.")
        }
        var failures: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices where !batch.lacks(part, row: row) {
            let place = batch.cells(of: part, row)
            if let cell = conversion.convert(place.pointee, in: batch) {
                place.pointee = cell
            } else {
                failures.append((row, refusal(part.rawValue)))
            }
        }
        let optional = schema.fields[0].isOptional
        let whole = Schema.whole(part, conversion.target.fieldType, isOptional: optional)
        if lastWhole?.fields != whole.fields { lastWhole = whole }
        batch.rename(part, to: lastWhole ?? whole)
        batch.rejectOnce(failures)
    }

    private func refusal(_ what: String) -> ConnectorError {
        ConnectorError(
            .init("transform.time"),
            .rejectRecord,
            "The \(what) holds no time that could be read, or one that is too far away.",
            at: conversion.pattern == nil ? "target.type" : "format",
            hint: conversion.pattern == nil ? "Text needs a format to be read by." : nil
        )
    }
}
