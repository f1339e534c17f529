public import ConnectorSDK
internal import RecordFields
internal import ValueConversion

/// Gives fields, or whole keys or values, another type.
public final class Cast: PartTransform {
    public static let name = "Cast"
    public static let className: String? = connectPackage + "Cast"
    public static let summary = "Gives fields, or whole values, another type."
    public static let configuration = ConfigSpec()
        .with(specKey).with(FieldSyntax.key).with(NullDefaults.key)

    private static let specKey = ConfigMapKey(
        "spec",
        importance: .high,
        help: """
            The types: `field:type,field:type`, nested keys such as `spec.amount: decimal`, or one \
            type for values that have no fields. The types are `int8`, `int16`, `int32`, `int64`, \
            `float32`, `float64`, `boolean`, `string`, `decimal`, `date`, `time`, `timestamp` and \
            `bytes`. A value that the type cannot hold exactly rejects its record, where Kafka \
            Connect cuts off digits and takes any other word than `true` for false; only `float32` \
            and `float64` round. Numbers and times are read from text (ISO 8601, UTC where no zone \
            is named) and from each other: a date is a number of days, a time or timestamp of \
            milliseconds; true is 1. `string` is what JSON shows, without quotes. Null and absent \
            fields stay so.
            """
    )

    /// A type, with what is asked of it for every value.
    private struct Target {
        let type: CastType
        let tag: Cell.Tag
        let isWholeTag: Bool

        init(_ type: CastType) {
            self.type = type
            tag = type.tag
            isWholeTag = type.isWholeTag
        }
    }

    private let part: RecordPart
    private let targets: [(path: FieldPath, leaf: Target)]
    private let wholeType: CastType?
    private let conversion = CastConversion()
    private var derived = DerivedSchema<FieldChanges<Target>>()
    private var lastWhole: Schema?

    public init(configuration: Configuration, part: RecordPart) throws(ConnectorError) {
        self.part = part
        let syntax = try configuration.get(FieldSyntax.key)
        let spec = configuration.get(Self.specKey)
        var targets: [(path: FieldPath, leaf: Target)] = []
        var wholeType: CastType?
        for (field, word) in spec.sorted(by: { $0.key < $1.key }) {
            let key = field.isEmpty ? "spec" : "spec.\(field)"
            guard let type = CastType(rawValue: word.lowercased()) else {
                throw Self.unknownType(word, key: key)
            }
            if field.isEmpty {
                wholeType = type
            } else {
                let path = try FieldPath(field, syntax: syntax, key: key)
                targets.append((path, Target(type)))
            }
        }
        self.targets = targets
        self.wholeType = wholeType
        if spec.isEmpty {
            throw .invalid("spec", "At least one field with its type is required.")
        }
        if wholeType != nil, !targets.isEmpty {
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

    public func trace(_ outline: inout RecordOutline) {
        for (path, target) in targets {
            outline.need(path.steps, of: part, at: "spec.\(path)")
            outline[part].retype(path.steps, target.type.fieldType)
        }
        if let wholeType { outline[part] = .none(wholeType.fieldType) }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        if let wholeType { return try castWhole(batch, wholeType) }
        guard let schema = batch.fields(of: part, for: Self.self) else { return }
        let changes = try derived.plan(for: schema) { schema throws(ConnectorError) in
            FieldChanges(targets, in: schema) { field, target in
                var changed = field
                changed.type = target.type.fieldType
                changed.nativeType = nil
                return changed
            }
        }
        guard !changes.isEmpty else { return }
        let rawIsJSON = batch.rawIsJSON
        var textIsSame = true
        let conversion = conversion
        changes.apply(to: batch, part, refusal: { Self.refusal($0, $1.type) }) { cell, target in
            if target.isWholeTag, cell.tag == target.tag { return cell }
            guard let result = conversion.convert(cell, to: target.type, in: batch) else {
                return nil
            }
            let isSame =
                result.bits == cell.bits && result.length == cell.length
                && (result.tag == cell.tag || (result.tag == .decimal && cell.tag == .int))
            if !isSame { textIsSame = false }
            return result
        }
        // Whoever writes JSON may still copy what was read, if no value looks different there.
        batch.rawIsJSON = rawIsJSON && (textIsSame || part == .key)
    }

    private func castWhole(_ batch: RecordBatch, _ type: CastType) throws(ConnectorError) {
        guard let schema = batch.schema(of: part) else { return }
        guard schema.isWhole else {
            // Tombstones are alone in a batch with the columns of the one before.
            if batch.indices.allSatisfy({ batch.lacks(part, row: $0) }) { return }
            throw .invalid(
                "spec",
                "The records have fields, so each type needs the name of its field.",
                hint: "Write spec as field:type."
            )
        }
        var failures: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices where !batch.lacks(part, row: row) {
            let target = batch.cells(of: part, row)
            var cell = target.pointee
            // Opaque bytes are text that nobody has looked at.
            if schema.isOpaque, cell.tag == .bytes, type != .bytes, Self.isText(cell.slice) {
                cell.tag = .string
            }
            if let result = conversion.convert(cell, to: type, in: batch) {
                target.pointee = result
            } else {
                failures.append((row, Self.refusal(nil, type)))
            }
        }
        if part == .value { batch.rawIsJSON = false }
        let isOptional = schema.fields[0].isOptional
        let staysText = schema.isOpaque && (type == .string || type == .bytes)
        if !staysText {
            let whole = Schema.whole(part, type.fieldType, isOptional: isOptional)
            let named = whole.named(schema.name, version: schema.version)
            batch.rename(part, to: wholeSchema(named))
        }
        batch.rejectOnce(failures)
    }

    /// The same object as long as it says the same: others keep things by it.
    private func wholeSchema(_ schema: Schema) -> Schema {
        if lastWhole?.fields != schema.fields || lastWhole?.name != schema.name
            || lastWhole?.version != schema.version
        {
            lastWhole = schema
        }
        return lastWhole ?? schema
    }

    private static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        (try? UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span)) != nil
    }

    private static func refusal(_ path: FieldPath?, _ type: CastType) -> ConnectorError {
        let what = path.map { "field \($0)" } ?? "value"
        return ConnectorError(
            .cast,
            .rejectRecord,
            "The \(what) has a value that is no \(type.rawValue).",
            at: path.map { "spec.\($0)" } ?? "spec"
        )
    }
}
