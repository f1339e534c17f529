internal import ConnectorSDK
internal import JSONRecords

/// The JSON form in which a schema is registered with a topic store.
///
/// `{"fields":[{"name":"id","type":"int64","optional":false},
/// {"name":"amount","type":"decimal","precision":38,"scale":9}]}`: `type` is any, bool, int16,
/// int32, int64, float, double, decimal, string, bytes, json, date, time, timestamp,
/// localTimestamp, uuid or object; `optional` is true unless it says false; `precision` and `scale`
/// belong to decimal and are left out where there is no limit; `fields` belongs to object; `native`
/// is the source's own name of the type. `name` and `version` beside the fields are the schema's own;
/// `whole` says that the one field stands for a value that is no object.
internal enum SchemaText {
    private static let plainTypes: [(String, FieldType)] = [
        ("any", .any), ("bool", .bool), ("int16", .int16), ("int32", .int32), ("int64", .int64),
        ("float", .float), ("double", .double), ("string", .string), ("bytes", .bytes),
        ("json", .json), ("date", .date), ("time", .time), ("timestamp", .timestamp),
        ("localTimestamp", .localTimestamp), ("uuid", .uuid),
    ]

    /// How deep objects may lie in each other; deeper ones are written as `json`.
    private static let depthLimit = 16

    /// Writes a schema.
    static func write(_ schema: Schema) -> String {
        let output = OutputBuffer(capacity: 1 << 10)
        output.append("{")
        write(schema.fields, depth: 0, to: output)
        if schema.isWhole { output.append(",\"whole\":true") }
        if let name = schema.name {
            output.append(",\"name\":")
            JSONText.appendString(name, to: output)
        }
        if let version = schema.version { output.append(",\"version\":\(version)") }
        output.append("}")
        return String(decoding: output.bytes, as: UTF8.self)
    }

    private static func write(_ fields: [Field], depth: Int, to output: OutputBuffer) {
        output.append("\"fields\":[")
        for (index, field) in fields.enumerated() {
            output.append(index == 0 ? "{\"name\":" : ",{\"name\":")
            JSONText.appendString(field.name, to: output)
            output.append(",\"type\":\"")
            switch field.type {
            case .decimal(let precision, let scale):
                output.append("decimal\"")
                if let precision { output.append(",\"precision\":\(precision)") }
                if let scale { output.append(",\"scale\":\(scale)") }
            case .object(let fields) where depth < depthLimit:
                output.append("object\",")
                write(fields, depth: depth + 1, to: output)
            case .object: output.append("json\"")
            default: output.append((plainTypes.first { $0.1 == field.type }?.0 ?? "any") + "\"")
            }
            if let native = field.nativeType {
                output.append(",\"native\":")
                JSONText.appendString(native, to: output)
            }
            output.append(field.isOptional ? "}" : ",\"optional\":false}")
        }
        output.append("]")
    }

    /// Reads a schema; `nil` when the text is none.
    static func read(_ text: String) -> Schema? {
        guard let document = JSONArray.object(text),
            case .json(let array) = document.value(0, "fields"),
            let objects = JSONArray.elements(of: array), let fields = fields(objects, depth: 0)
        else { return nil }
        if document.value(0, "whole") == .bool(true), let field = fields.first {
            return .whole(.value, field.type, isOptional: field.isOptional)
        }
        var name: String?
        if case .string(let text) = document.value(0, "name") { name = text }
        return Schema(fields).named(name, version: int(document.value(0, "version")))
    }

    private static func fields(_ objects: RecordBatch, depth: Int) -> [Field]? {
        var fields: [Field] = []
        for row in objects.indices {
            guard case .string(let name) = objects.value(row, "name"),
                let type = type(objects, row, depth: depth)
            else { return nil }
            var field = Field(name, type)
            field.isOptional = objects.value(row, "optional") != .bool(false)
            if case .string(let native) = objects.value(row, "native") { field.nativeType = native }
            fields.append(field)
        }
        return fields
    }

    private static func type(_ objects: RecordBatch, _ row: Int, depth: Int) -> FieldType? {
        guard case .string(let name) = objects.value(row, "type") else { return nil }
        switch name {
        case "decimal":
            return .decimal(
                precision: int(objects.value(row, "precision")),
                scale: int(objects.value(row, "scale"))
            )
        case "object":
            guard depth < depthLimit, case .json(let array) = objects.value(row, "fields"),
                let nested = JSONArray.elements(of: array)
            else { return nil }
            return fields(nested, depth: depth + 1).map { .object($0) }
        default: return plainTypes.first { $0.0 == name }?.1
        }
    }

    private static func int(_ value: Value) -> Int? {
        guard case .int(let number) = value else { return nil }
        return Int(exactly: number)
    }
}

/// Reads small JSON documents that describe something, where speed does not matter.
internal enum JSONArray {
    /// The objects of the array that the object `text` has in its field `name`, as rows.
    static func objects(in text: String, at name: String) -> RecordBatch? {
        guard let document = object(text), case .json(let array) = document.value(0, name) else {
            return nil
        }
        return elements(of: array)
    }

    /// An object as the only row of a batch.
    static func object(_ text: String) -> RecordBatch? {
        let batch = RecordBatch()
        let chunk = Chunk(copying: Array(text.utf8))
        batch.retain(chunk)
        let bytes = UnsafeRawBufferPointer(start: chunk.base, count: chunk.capacity)
        let parser = JSONRecordParser()
        parser.begin(batch)
        return parser.append(bytes, to: batch) == .parsed ? batch : nil
    }

    /// The elements of an array whose objects may have their fields in any order.
    static func elements(of array: String) -> RecordBatch? {
        let result = RecordBatch()
        result.replaceValues(with: Schema([Field]()))
        var rest = Array(array.utf8)[...]
        rest = rest.dropFirst()
        while let first = rest.firstIndex(where: { $0 > 0x20 && $0 != UInt8(ascii: ",") }) {
            if rest[first] == UInt8(ascii: "]") { return result }
            rest = rest[first...]
            var extent = JSONExtent(first: rest[first])
            guard let count = rest.withUnsafeBytes({ extent.advance($0) }), count > 0,
                let element = object(String(decoding: rest.prefix(count), as: UTF8.self))
            else { return nil }
            let row = result.appendRow()
            for name in element.schema.names {
                let value = element.value(0, name)
                if value != .missing { result.set(row, name, value) }
            }
            rest = rest.dropFirst(count)
        }
        return nil
    }
}
