internal import ConnectorSDK
internal import RecordFields

extension ParseSettings {
    /// Says which fields are looked for, and which there are when lines were taken apart.
    ///
    /// - Parameters:
    ///   - outline: what is known of the records.
    ///   - names: the fields that all lines have; none when each line has its own.
    func trace(_ outline: inout RecordOutline, fieldsOfLines names: [Field]) {
        let line: KnownFields = names.isEmpty ? .unknown : .only(names.map(typed))
        for name in types.conversions.keys.sorted() {
            outline.need([name], in: line, at: "types.\(name)")
        }
        if let time { outline.need([time.field], in: line, at: "timestamp.field") }
        if let field {
            outline.need(field.steps, at: "field")
            if field.isNested {
                outline.value.retype(field.steps, .any)
            } else if !hasLine {
                outline.value.remove(field.first)
            }
        } else {
            let kept = Field(ParsePlan.lineField, .string)
            outline.value = .only(hasLine ? [kept] : [])
        }
        guard let target else { return add(line, to: &outline.value) }
        outline.value.add(Field(target, line.all.map { .object($0) } ?? .any))
    }

    private func typed(_ field: Field) -> Field {
        var field = field
        if let conversion = types.conversions[field.name] { field.type = conversion.fieldType }
        return field
    }

    private func add(_ line: KnownFields, to fields: inout KnownFields) {
        guard let names = line.all else {
            fields = .unknown
            return
        }
        for var field in names {
            // Records whose line does not fit may still have what was there before.
            if let old = fields.field(field.name), old.type != field.type { field.type = .any }
            fields.add(field)
        }
    }
}
