public import ConnectorSDK

/// Gives fields, or whole values, another type.
public final class Cast: Transform {
    public static let name = "Cast"
    public static let summary = "Gives fields, or whole values, another type."
    public static let configuration = ConfigSpec().with(specKey)

    private static let specKey = ConfigMapKey(
        "spec",
        importance: .high,
        help: """
            The types: `field:type,field:type`, nested keys such as `spec.amount: decimal`, or one \
            type for values that have no fields. The types are `int8`, `int16`, `int32`, `int64`, \
            `float32`, `float64`, `boolean`, `string`, `decimal`, `date`, `time`, `timestamp` and \
            `bytes`. A value that the type cannot hold exactly rejects its record; only `float32` \
            and `float64` round. Numbers and times are read from text (ISO 8601, UTC where no zone \
            is named) and from each other: a date is a number of days, a time or timestamp of \
            milliseconds; true is 1. `string` is what JSON shows, without quotes. Null and absent \
            fields stay so.
            """
    )

    /// How records of one schema change.
    private struct Plan {
        var schema: Schema
        var columns: [(column: Int, type: CastType)]
    }

    private let fieldTypes: [String: CastType]
    private let wholeType: CastType?
    private let conversion = CastConversion()
    private var derived = DerivedSchema<Plan>()

    public init(configuration: Configuration) throws(ConnectorError) {
        let spec = configuration.get(Self.specKey)
        var types: [String: CastType] = [:]
        for (field, word) in spec {
            let key = field.isEmpty ? "spec" : "spec.\(field)"
            guard let type = CastType(rawValue: word.lowercased()) else {
                throw Self.unknownType(word, key: key)
            }
            types[field] = type
        }
        wholeType = types.removeValue(forKey: "")
        fieldTypes = types
        if spec.isEmpty {
            throw .invalid("spec", "At least one field with its type is required.")
        }
        if wholeType != nil, !types.isEmpty {
            throw .invalid("spec", "One type for the whole value and types of fields exclude.")
        }
    }

    private static func unknownType(_ word: String, key: String) -> ConnectorError {
        let types = CastType.allCases.map(\.rawValue)
        return .invalid(
            key,
            "There is no type of that name; the types are \(types.joined(separator: ", ")).",
            hint: Spelling.nearest(to: word, in: types).map { "Did you mean \($0)?" }
        )
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        if let wholeType { return try castWholeValues(batch, wholeType) }
        guard batch.requireFields(for: Self.self) else { return }
        let plan = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            makePlan(schema)
        }
        guard !plan.columns.isEmpty else { return }
        var rawIsJSON = batch.rawIsJSON
        batch.rename(to: plan.schema)
        var failures: [(row: Int, error: ConnectorError)] = []
        for (column, type) in plan.columns {
            let textIsSame = cast(batch, column, type, &failures)
            rawIsJSON = rawIsJSON && textIsSame
        }
        // Whoever writes JSON may still copy what was read, if no value looks different there.
        batch.rawIsJSON = rawIsJSON
        reject(failures, in: batch)
    }

    private func makePlan(_ schema: Schema) -> Plan {
        var fields = schema.fields
        var columns: [(column: Int, type: CastType)] = []
        for (column, field) in schema.fields.enumerated() {
            guard let type = fieldTypes[field.name] else { continue }
            fields[column].type = type.fieldType
            columns.append((column, type))
        }
        return Plan(schema: columns.isEmpty ? schema : Schema(fields), columns: columns)
    }

    /// Casts one column; returns whether JSON shows the same values as before.
    private func cast(
        _ batch: RecordBatch,
        _ column: Int,
        _ type: CastType,
        _ failures: inout [(row: Int, error: ConnectorError)]
    ) -> Bool {
        let tag = type.tag, isWholeTag = type.isWholeTag
        var textIsSame = true
        for row in batch.indices {
            let target = batch.row(row) + column
            let cell = target.pointee
            if cell.isNil || (isWholeTag && cell.tag == tag) { continue }
            guard let result = conversion.convert(cell, to: type, in: batch) else {
                failures.append((row, failure(batch.schema.fields[column].name, type)))
                continue
            }
            let isSame =
                result.bits == cell.bits && result.length == cell.length
                && (result.tag == cell.tag || (result.tag == .decimal && cell.tag == .int))
            textIsSame = textIsSame && isSame
            target.pointee = result
        }
        return textIsSame
    }

    private func castWholeValues(_ batch: RecordBatch, _ type: CastType) throws(ConnectorError) {
        guard batch.schema.isOpaque else {
            throw .invalid(
                "spec",
                "The records have fields, so each type needs the name of its field.",
                hint: "Write spec as field:type."
            )
        }
        batch.rawIsJSON = false
        var failures: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices {
            let target = batch.row(row)
            var cell = target.pointee
            // Opaque bytes are text that nobody has looked at.
            if cell.tag == .bytes, type != .bytes, Self.isText(cell.slice) { cell.tag = .string }
            if let result = conversion.convert(cell, to: type, in: batch) {
                target.pointee = result
            } else {
                failures.append((row, failure(nil, type)))
            }
        }
        reject(failures, in: batch)
    }

    private static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        (try? UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span)) != nil
    }

    private func failure(_ field: String?, _ type: CastType) -> ConnectorError {
        let what = field.map { "field \($0)" } ?? "value"
        return ConnectorError(
            .cast,
            .rejectRecord,
            "The \(what) has a value that is no \(type.rawValue).",
            at: field.map { "spec.\($0)" } ?? "spec"
        )
    }

    /// Rejects rows that failed, each once, whatever the number of its fields that did.
    private func reject(_ failures: [(row: Int, error: ConnectorError)], in batch: RecordBatch) {
        guard !failures.isEmpty else { return }
        var ordered = failures
        ordered.sort { $0.row < $1.row }
        var last = -1
        ordered.removeAll { failure in
            defer { last = failure.row }
            return failure.row == last
        }
        batch.reject(ordered)
    }
}
