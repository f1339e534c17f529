internal import ConnectorSDK
internal import JSONDocuments

/// The fields that a JSON Schema describes.
enum FieldTypes {
    /// The columns of a stream; a schema without properties says nothing of them.
    static func fields(of schema: JSONDocument) -> [Field] {
        (schema["properties"]?.fields ?? []).map { Field($0.0, type(of: $0.1)) }
    }

    /// The type of one property, null aside.
    ///
    /// What a schema leaves open stays as each record has it. Numbers keep their digits: a JSON
    /// number is exact until somebody makes a double of it.
    static func type(of property: JSONDocument) -> FieldType {
        for key in ["anyOf", "oneOf"] {
            guard let options = property[key]?.array else { continue }
            let types = Set(options.filter { !isNull($0) }.map { type(of: $0) })
            // A time that may also be any text is a text.
            if types.count > 1, types.allSatisfy(isText) { return .string }
            return types.count == 1 ? types.first ?? .any : .any
        }
        let names: [String] =
            property["type"]?.array?.compactMap(\.string)
            ?? [property["type"]?.string].compactMap(\.self)
        let kinds = Set(names.map { $0.lowercased() }).subtracting(["null"])
        guard kinds.count == 1, let kind = kinds.first else {
            return kinds == ["integer", "number"] ? decimal(property) : .any
        }
        switch kind {
        case "boolean": return .bool
        case "integer": return .int64
        case "number": return decimal(property)
        case "string": return text(property)
        case "object", "array": return .json
        default: return .any
        }
    }

    private static func isNull(_ property: JSONDocument) -> Bool {
        property["type"]?.string == "null"
            || property["type"]?.array?.allSatisfy { $0.string == "null" } == true
    }

    private static func isText(_ type: FieldType) -> Bool {
        switch type {
        case .string, .date, .time, .timestamp, .uuid: true
        default: false
        }
    }

    private static func text(_ property: JSONDocument) -> FieldType {
        switch property["format"]?.string {
        case "date-time": .timestamp
        case "date": .date
        case "time": .time
        case "uuid": .uuid
        case "singer.decimal": .decimal(precision: nil, scale: nil)
        default: .string
        }
    }

    /// `multipleOf: 0.01` means two decimals.
    private static func decimal(_ property: JSONDocument) -> FieldType {
        let scale: Int? =
            switch property["multipleOf"] {
            case .int(let step): step == 1 ? 0 : nil
            case .raw(let step): decimals(step)
            default: nil
            }
        return .decimal(precision: nil, scale: scale)
    }

    /// The decimals of 0.01 or 1e-02; `nil` of what is no power of ten.
    private static func decimals(_ step: String) -> Int? {
        if let match = step.wholeMatch(of: /0\.(0*)10*/) { return match.1.count + 1 }
        guard let match = step.lowercased().wholeMatch(of: /1(?:\.0*)?e-0*([0-9]+)/) else {
            return nil
        }
        return Int(match.1)
    }
}
