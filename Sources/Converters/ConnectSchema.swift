internal import ConnectorSDK
internal import JSONRecords

/// A schema as Connect's envelope carries it, read once for all records that have the same text.
internal final class ConnectSchema {
    /// The columns; `nil` when the records come without a schema.
    let schema: Schema?
    /// The kind of each column by name.
    let kinds: [String: ConnectKind]

    /// The absence of a schema.
    init() {
        schema = nil
        kinds = [:]
    }

    /// Reads the JSON text of a schema; `nil` when it is none that Connect writes.
    init?(_ text: String) {
        guard let document = JSONArray.object(text) else { return nil }
        var fields: [Field] = []
        var kinds: [String: ConnectKind] = [:]
        if document.value(0, "type") == .string("struct") {
            guard case .json(let array) = document.value(0, "fields"),
                let elements = JSONArray.elements(of: array)
            else { return nil }
            for row in elements.indices {
                guard case .string(let name) = elements.value(row, "field"),
                    let kind = Self.kind(elements, row)
                else { return nil }
                guard kinds.updateValue(kind, forKey: name) == nil else { return nil }
                fields.append(Self.field(name, kind, elements, row))
            }
        } else {
            let name = JSONRecordParser.valueField
            guard let kind = Self.kind(document, 0) else { return nil }
            kinds[name] = kind
            fields.append(Self.field(name, kind, document, 0))
        }
        if document.value(0, "type") == .string("struct") {
            var name: String?
            if case .string(let text) = document.value(0, "name") { name = text }
            var version: Int?
            if case .int(let number) = document.value(0, "version") { version = Int(number) }
            schema = Schema(fields).named(name, version: version)
        } else {
            schema = .whole(.value, fields[0].type, isOptional: fields[0].isOptional)
        }
        self.kinds = kinds
    }

    private static func kind(_ batch: RecordBatch, _ row: Int) -> ConnectKind? {
        guard case .string(let type) = batch.value(row, "type") else { return nil }
        var name: String?
        if case .string(let text) = batch.value(row, "name") { name = text }
        var scale: Int?
        if case .json(let text) = batch.value(row, "parameters"),
            let parameters = JSONArray.object(text)
        {
            switch parameters.value(0, "scale") {
            case .string(let text): scale = Int(text)
            case .int(let number): scale = Int(exactly: number)
            default: break
            }
        }
        return ConnectKind(type: type, name: name, scale: scale)
    }

    private static func field(
        _ name: String,
        _ kind: ConnectKind,
        _ batch: RecordBatch,
        _ row: Int
    ) -> Field {
        Field(name, kind.fieldType, isOptional: batch.value(row, "optional") != .bool(false))
    }

    /// Writes the schema of a struct, or of a value that is none, as Connect does.
    static func write(_ schema: Schema, kinds: [ConnectKind], to output: OutputBuffer) {
        if schema.isWhole {
            write(schema.fields[0], kinds[0], to: output)
            return output.append("}")
        }
        output.append("{\"type\":\"struct\",\"fields\":[")
        for (index, field) in schema.fields.enumerated() {
            if index > 0 { output.append(",") }
            write(field, kinds[index], to: output)
            output.append(",\"field\":")
            JSONText.appendString(field.name, to: output)
            output.append("}")
        }
        output.append("],\"optional\":false")
        if let name = schema.name {
            output.append(",\"name\":")
            JSONText.appendString(name, to: output)
        }
        if let version = schema.version { output.append(",\"version\":\(version)") }
        output.append("}")
    }

    /// Writes the schema of one value, but for the brace at its end.
    private static func write(_ field: Field, _ kind: ConnectKind, to output: OutputBuffer) {
        let (type, name) = kind.schema
        output.append("{\"type\":\"")
        output.append(type)
        output.append(field.isOptional ? "\",\"optional\":true" : "\",\"optional\":false")
        if let name { output.append(",\"name\":\"\(name)\",\"version\":1") }
        if case .decimal(let scale) = kind {
            output.append(",\"parameters\":{\"scale\":\"\(scale)\"}")
        }
    }
}
