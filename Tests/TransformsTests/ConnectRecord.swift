import ConnectorSDK
import Foundation
import JSONDocuments
import JSONRecords

/// A schema as the table of Kafka Connect's transforms describes it.
struct ConnectSchema {
    let description: JSONDocument

    var type: String { description.string ?? description["type"]?.string ?? "" }
    var fields: [(String, ConnectSchema)] {
        (description["fields"]?.array ?? []).map { pair in
            (pair.array?[0].string ?? "", ConnectSchema(description: pair.array?[1] ?? .null))
        }
    }
    private var isOptional: Bool { description["optional"]?.bool ?? false }

    /// What Millrace declares of a value of the schema.
    var fieldType: FieldType {
        switch description["name"]?.string?.split(separator: ".").last {
        case "Decimal":
            return .decimal(precision: nil, scale: description["scale"]?.string.flatMap { Int($0) })
        case "Date": return .date
        case "Time": return .time
        case "Timestamp": return .timestamp
        default: break
        }
        switch type {
        case "int8", "int16": return .int16
        case "int32": return .int32
        case "int64": return .int64
        case "float32": return .float
        case "float64": return .double
        case "boolean": return .bool
        case "string": return .string
        case "bytes": return .bytes
        case "struct": return .object(fields.map { $1.field($0) })
        default: return .json
        }
    }

    func field(_ name: String) -> Field { Field(name, fieldType, isOptional: isOptional) }
}

/// A value of a record in the table, with its schema where it has one.
struct ConnectData {
    let schema: ConnectSchema?
    let value: JSONDocument

    /// `nil` for no value at all.
    init?(_ document: JSONDocument?) {
        guard let document, document.fields != nil else { return nil }
        schema = document["schema"].map { ConnectSchema(description: $0) }
        value = document["value"] ?? .null
    }

    /// The columns for the value in a batch.
    func columns(_ part: RecordPart) -> Schema {
        if let schema {
            if schema.type == "struct" {
                let name = schema.description["name"]?.string
                let version = schema.description["version"]?.int.map { Int($0) }
                return Schema(schema.fields.map { $1.field($0) }).named(name, version: version)
            }
            let field = schema.field("")
            return .whole(part, field.type, isOptional: field.isOptional)
        }
        guard let entries = value["map"]?.array else { return .whole(part) }
        return Schema(entries.map { $0.array?[0].string ?? "" })
    }

    /// The cells of the value.
    func cells(in batch: RecordBatch) -> [Cell] {
        let content: [(JSONDocument, ConnectSchema?)]
        if let entries = value["struct"]?.array ?? (schema == nil ? value["map"]?.array : nil) {
            content = entries.enumerated().map { index, pair in
                (pair.array?[1] ?? .null, schema?.fields[index].1)
            }
        } else {
            content = [(value, schema)]
        }
        return content.map { batch.makeCell(Self.value($0, $1)) }
    }

    static func value(_ document: JSONDocument, _ schema: ConnectSchema?) -> Value {
        guard let (kind, content) = document.fields?.first else { return .null }
        let text = content.string ?? ""
        switch kind {
        case "int8", "int16", "int32", "int64": return .int(content.int ?? 0)
        case "float32": return .double(Double(Float(text)?.description ?? "") ?? .nan)
        case "float64": return .double(Double(text) ?? .nan)
        case "boolean": return .bool(content.bool ?? false)
        case "string": return .string(text)
        case "bytes": return .bytes(Array(Data(base64Encoded: text) ?? Data()))
        case "decimal": return .decimal(text)
        case "date":
            let milliseconds = content.int ?? 0
            switch schema?.fieldType {
            case .date: return .date(CivilDate.floor(milliseconds, 86_400_000))
            case .time: return .time(milliseconds * 1_000)
            default: return .timestamp(milliseconds * 1_000)
            }
        default: return .json(Self.json(document, schema))
        }
    }

    /// JSON text of nested values.
    private static func json(_ document: JSONDocument, _ schema: ConnectSchema?) -> String {
        guard let (kind, content) = document.fields?.first else { return "null" }
        let items = content.array ?? []
        switch kind {
        case "array": return "[" + items.map { json($0, nil) }.joined(separator: ",") + "]"
        case "struct", "map":
            let members = items.enumerated().map { index, pair in
                let inner = kind == "struct" ? schema?.fields[index].1 : nil
                let name = JSONDocument.string(pair.array?[0].string ?? "").text
                return name + ":" + json(pair.array?[1] ?? .null, inner)
            }
            return "{" + members.joined(separator: ",") + "}"
        default:
            let batch = RecordBatch()
            let output = OutputBuffer(capacity: 64)
            JSONText.appendCell(batch.makeCell(value(document, schema)), to: output)
            return withExtendedLifetime(output) {
                String(decoding: output.bytes, as: UTF8.self)
            }
        }
    }
}

/// Values and schemas as texts that are the same for what is the same in Kafka Connect and here.
enum ConnectText {
    static func text(_ value: Value) -> String {
        switch value {
        case .missing: "missing"
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .double(let value): number(value)
        case .decimal(let text): number(text)
        case .string(let text): JSONDocument.string(text).text
        case .bytes(let bytes): "bytes " + Data(bytes).base64EncodedString()
        case .json(let text): nested(text)
        case .date(let days): "date \(days)"
        case .time(let microseconds): "time \(microseconds)"
        case .timestamp(let microseconds), .localTimestamp(let microseconds):
            "timestamp \(microseconds)"
        }
    }

    private static func nested(_ text: String) -> String {
        let batch = RecordBatch()
        let chunk = Chunk(copying: text.utf8)
        batch.retain(chunk)
        guard var members = JSONMembers(UnsafeRawBufferPointer(chunk.bytes)) else {
            return text.filter { $0 != " " }
        }
        var texts: [String] = []
        while members.next() {
            let value = Value(JSONText.cell(members.value, in: batch))
            texts.append("\(members.text): \(self.text(value))")
        }
        return "{" + texts.sorted().joined(separator: ", ") + "}"
    }

    private static func number(_ value: Double) -> String {
        value.magnitude < 1e15 && value == value.rounded() ? "\(Int64(value))" : "\(value)"
    }

    /// A number's text without the zeros at its end.
    private static func number(_ text: String) -> String {
        if text.contains(where: { $0 == "e" || $0 == "E" }) {
            return Double(text).map { number($0) } ?? text
        }
        guard text.contains(".") else { return text }
        let digits = text.reversed().drop { $0 == "0" }
        return String((digits.first == "." ? digits.dropFirst() : digits).reversed())
    }

    static func text(_ schema: Schema) -> String {
        let fields = schema.fields.map { text($0) }.joined(separator: ", ")
        let name = schema.name.map { " \($0)" } ?? ""
        return fields + name + (schema.version.map { " version \($0)" } ?? "")
    }

    static func text(_ field: Field) -> String {
        let mark = field.isOptional ? "?" : ""
        switch field.type {
        case .object(let inner):
            return "\(field.name){\(inner.map { text($0) }.joined(separator: ", "))}\(mark)"
        // A number without a scale of its own has that of each value.
        case .decimal: return "\(field.name) decimal\(mark)"
        default: return "\(field.name) \(field.type)\(mark)"
        }
    }
}
