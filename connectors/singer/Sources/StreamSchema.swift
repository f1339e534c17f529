internal import ConnectorSDK
internal import JSONDocuments

/// What a target is told of a stream: it grows with what is seen.
struct StreamSchema {
    /// A JSON Schema of one field.
    private enum Kind: Hashable {
        /// As the topic's schema declares it.
        case declared(FieldType)
        /// As the cells seen so far are.
        case seen(Set<String>)
    }

    let stream: String
    private var names: [String] = []
    private var kinds: [String: Kind] = [:]
    private var keys: [String] = []
    /// Whether the target has been told.
    private(set) var isNews = true

    init(stream: String) { self.stream = stream }

    /// Takes note of the fields and keys of a batch.
    mutating func add(_ batch: RecordBatch, keys: [String]) {
        for (column, field) in batch.schema.fields.enumerated() {
            add(
                field.name,
                field.type == .any ? Self.seen(column, of: batch) : .declared(field.type)
            )
        }
        for key in keys where kinds[key] == nil {
            add(key, .declared(.string))
        }
        if keys != self.keys {
            self.keys = keys
            isNews = true
        }
    }

    /// Takes note of one field more.
    mutating func add(_ name: String, _ type: FieldType) { add(name, .declared(type)) }

    /// The message, which the target is now told.
    mutating func message() -> String {
        isNews = false
        let properties = names.map { name in
            (name, Self.property(kinds[name], isKey: keys.contains(name)))
        }
        return
            ([
                "type": "SCHEMA", "stream": .string(stream),
                "schema": ["type": "object", "properties": .object(properties)],
                "key_properties": .array(keys.map { .string($0) }),
            ] as JSONDocument).text
    }

    private mutating func add(_ name: String, _ kind: Kind) {
        guard let known = kinds[name] else {
            names.append(name)
            kinds[name] = kind
            isNews = true
            return
        }
        guard case .seen(let old) = known, case .seen(let new) = kind, !new.isSubset(of: old) else {
            return
        }
        kinds[name] = .seen(old.union(new))
        isNews = true
    }

    private static func seen(_ column: Int, of batch: RecordBatch) -> Kind {
        var types: Set<String> = []
        for row in batch.indices where !batch[row, column].isNil {
            switch batch[row, column].tag {
            case .bool: types.insert("boolean")
            case .int: types.insert("integer")
            case .double, .decimal, .number: types.insert("number")
            case .json:
                let isArray = batch[row, column].slice.first == UInt8(ascii: "[")
                types.insert(isArray ? "array" : "object")
            default: types.insert("string")
            }
        }
        return .seen(types)
    }

    private static func property(_ kind: Kind?, isKey: Bool) -> JSONDocument {
        var format: String?
        var names: [String]
        switch kind {
        case .seen(let types):
            names =
                types.contains("number") ? types.subtracting(["integer"]).sorted() : types.sorted()
            if names.isEmpty { names = ["string"] }
        case .declared(let type):
            (names, format) = described(type)
        case nil:
            names = ["string"]
        }
        if !isKey { names.append("null") }
        var fields: [(String, JSONDocument)] = [("type", .array(names.map { .string($0) }))]
        if let format { fields.append(("format", .string(format))) }
        return .object(fields)
    }

    private static func described(_ type: FieldType) -> (names: [String], format: String?) {
        switch type {
        case .bool: (["boolean"], nil)
        case .int16, .int32, .int64: (["integer"], nil)
        case .float, .double, .decimal: (["number"], nil)
        case .date: (["string"], "date")
        case .time: (["string"], "time")
        case .timestamp, .localTimestamp: (["string"], "date-time")
        case .uuid: (["string"], "uuid")
        case .json: (["object", "array", "string", "number", "boolean"], nil)
        case .object: (["object"], nil)
        case .string, .bytes, .any: (["string"], nil)
        }
    }
}
