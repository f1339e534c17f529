internal import ConnectorSDK
internal import TextParsing
internal import ValueConversion

/// The types that fields of lines get, by their names.
internal struct ParseTypes {
    static let key = ConfigMapKey(
        "types",
        help: """
            Types of fields: `types.status: int`. `int`, `float`, `boolean`, `timestamp` and all \
            that `Cast` knows; `timestamp|FORMAT` reads a time in one of the formats of \
            `timestamp.format`. A value that is no such value makes the line one that does not fit. \
            What is not named stays as the format has it, mostly text.
            """
    )

    /// What a text becomes.
    enum Conversion {
        case cast(CastType)
        case time(TimestampFormat)

        /// The type that the field then declares.
        var fieldType: FieldType {
            switch self {
            case .cast(let type): type.fieldType
            case .time: .timestamp
            }
        }
    }

    /// The conversions by the names of fields.
    let conversions: [String: Conversion]
    private let cast = CastConversion()

    init(
        _ configuration: Configuration,
        _ patternTypes: [String: String]
    ) throws(ConnectorError) {
        let zone = try RecordTime.offset(configuration)
        var conversions: [String: Conversion] = [:]
        for (field, word) in patternTypes {
            conversions[field] = try Self.conversion(word, zone, key: "pattern")
        }
        for (field, word) in configuration.get(Self.key) {
            conversions[field] = try Self.conversion(word, zone, key: "types.\(field)")
        }
        self.conversions = conversions
    }

    private static let synonyms: [String: CastType] = [
        "int": .int64, "integer": .int64, "long": .int64, "float": .float64, "double": .float64,
        "bool": .boolean, "text": .string,
    ]

    private static func conversion(
        _ word: String,
        _ zone: Int32,
        key: String
    ) throws(ConnectorError) -> Conversion {
        let parts = word.split(separator: "|", maxSplits: 1).map(String.init)
        let name = parts.first?.lowercased() ?? ""
        if name == "timestamp" {
            do throws(TimestampFormatError) {
                return .time(
                    try TimestampFormat(parts.count > 1 ? parts[1] : "iso8601", offsetSeconds: zone)
                )
            } catch {
                throw .invalid(key, "The format of the timestamp \(error.description).")
            }
        }
        if parts.count == 1, let type = CastType(rawValue: name) ?? synonyms[name] {
            return .cast(type)
        }
        let types = synonyms.keys.sorted() + CastType.allCases.map(\.rawValue)
        throw .invalid(
            key,
            "There is no type of that name; the types are \(types.joined(separator: ", ")).",
            hint: Spelling.nearest(to: word, in: types).map { "Did you mean \($0)?" }
        )
    }

    /// The value as its type has it; `nil` when it is no such value.
    func convert(
        _ cell: Cell,
        by conversion: Conversion,
        near received: Int64,
        in batch: RecordBatch
    ) -> Cell? {
        if cell.isNil { return cell }
        switch conversion {
        case .cast(let type): return cast.convert(cell, to: type, in: batch)
        case .time(let format): return format.read(cell, near: received)
        }
    }
}
