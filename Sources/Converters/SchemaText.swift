internal import ConnectorSDK
internal import JSONRecords

/// The JSON form in which a schema is registered with a topic store.
///
/// `{"fields":[{"name":"id","type":"int64","optional":false},
/// {"name":"amount","type":"decimal","precision":38,"scale":9}]}`: `type` is any, bool, int16,
/// int32, int64, float, double, decimal, string, bytes, json, date, time, timestamp,
/// localTimestamp or uuid; `optional` is true unless it says false; `precision` and `scale` belong
/// to decimal and are left out where there is no limit.
internal enum SchemaText {
    private static let plainTypes: [(String, FieldType)] = [
        ("any", .any), ("bool", .bool), ("int16", .int16), ("int32", .int32), ("int64", .int64),
        ("float", .float), ("double", .double), ("string", .string), ("bytes", .bytes),
        ("json", .json), ("date", .date), ("time", .time), ("timestamp", .timestamp),
        ("localTimestamp", .localTimestamp), ("uuid", .uuid),
    ]

    /// Writes a schema.
    static func write(_ schema: Schema) -> String {
        let output = OutputBuffer(capacity: 1 << 10)
        output.append("{\"fields\":[")
        for (index, field) in schema.fields.enumerated() {
            output.append(index == 0 ? "{\"name\":" : ",{\"name\":")
            JSONText.appendString(field.name, to: output)
            output.append(",\"type\":\"")
            if case .decimal(let precision, let scale) = field.type {
                output.append("decimal\"")
                if let precision { output.append(",\"precision\":\(precision)") }
                if let scale { output.append(",\"scale\":\(scale)") }
            } else {
                output.append((plainTypes.first { $0.1 == field.type }?.0 ?? "any") + "\"")
            }
            output.append(field.isOptional ? "}" : ",\"optional\":false}")
        }
        output.append("]}")
        return String(decoding: output.bytes, as: UTF8.self)
    }

    /// Reads a schema; `nil` when the text is none.
    static func read(_ text: String) -> Schema? {
        let objects = JSONArray.objects(in: text, at: "fields")
        guard let objects else { return nil }
        var fields: [Field] = []
        for row in objects.indices {
            guard case .string(let name) = objects.value(row, "name"),
                case .string(let type) = objects.value(row, "type")
            else { return nil }
            let isOptional = objects.value(row, "optional") != .bool(false)
            let fieldType: FieldType
            if type == "decimal" {
                fieldType = .decimal(
                    precision: int(objects.value(row, "precision")),
                    scale: int(objects.value(row, "scale"))
                )
            } else {
                guard let known = plainTypes.first(where: { $0.0 == type }) else { return nil }
                fieldType = known.1
            }
            fields.append(Field(name, fieldType, isOptional: isOptional))
        }
        return Schema(fields)
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
