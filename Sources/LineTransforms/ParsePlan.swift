internal import ConnectorSDK
internal import RecordFields
internal import TextParsing

/// What `Parse` is told to do beside its format.
internal struct ParseSettings {
    var field: FieldPath?
    var target: String?
    var keepsLine: Bool
    var onError: ErrorPolicy
    var types: ParseTypes
    var time: RecordTime?

    /// Whether some records have their line afterwards.
    var hasLine: Bool { keepsLine || onError == .keep }
}

/// The columns of records of one schema, and where the fields of their lines go.
internal struct ParsePlan {
    /// The columns before.
    let source: Schema
    /// The columns afterwards.
    private(set) var schema: Schema
    /// Where the line is; `nil` when the value itself is the line.
    let place: FieldPlace?
    /// The old column of each new one, or -1.
    private(set) var origins: [Int] = []
    /// The column that the line has afterwards; `nil` for none, or when it is inside of an object.
    private(set) var line: Int?
    /// The column of the object that everything goes into.
    private(set) var target: Int?
    /// The column of each field of the line.
    private(set) var columns: [Int] = []
    private let settings: ParseSettings

    /// The field of a line that was the value itself.
    static let lineField = "message"

    /// `nil` when the records do not have the field.
    init?(_ source: Schema, _ settings: ParseSettings) {
        self.source = source
        self.settings = settings
        var fields: [Field] = []
        if source.isOpaque {
            guard settings.field == nil else { return nil }
            place = nil
            if settings.hasLine {
                line = 0
                fields.append(Field(Self.lineField, .string))
                origins.append(-1)
            }
        } else {
            guard let path = settings.field, let place = FieldPlace(path, in: source) else {
                return nil
            }
            self.place = place
            for (column, field) in source.fields.enumerated() {
                if column == place.column, !place.isNested {
                    guard settings.hasLine else { continue }
                    line = fields.count
                }
                fields.append(field)
                origins.append(column)
            }
        }
        if let name = settings.target {
            target = Self.column(Field(name, .json), &fields)
            if origins.count < fields.count { origins.append(-1) }
        }
        schema = source.with(fields)
    }

    /// Gives columns to fields that were added to the line's.
    ///
    /// - Returns: whether there are more columns than before.
    mutating func extend(for names: [Field]) -> Bool {
        guard settings.target == nil, columns.count < names.count else { return false }
        var fields = schema.fields
        for field in names[columns.count...] {
            var field = field
            if let conversion = settings.types.conversions[field.name] {
                field.type = conversion.fieldType
            }
            columns.append(Self.column(field, &fields))
        }
        let isWider = fields.count > schema.count
        while origins.count < fields.count { origins.append(-1) }
        schema = source.with(fields)
        return isWider
    }

    private static func column(_ field: Field, _ fields: inout [Field]) -> Int {
        guard let column = fields.firstIndex(where: { $0.name == field.name }) else {
            fields.append(field)
            return fields.count - 1
        }
        // Some records may still have what was there before.
        if fields[column].type != field.type { fields[column].type = .any }
        return column
    }
}
