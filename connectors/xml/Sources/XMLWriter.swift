import ConnectorSDK

/// Writes records as elements under one root.
///
/// What ``XMLReader`` makes of an element becomes that element again: `@a` an attribute, `#text`
/// the text, an array repeated elements, null `xsi:nil`.
final class XMLWriter: RecordWriter {
    private let settings: XMLSettings
    private var plan: Plan?

    /// What becomes of a schema's fields.
    private struct Plan {
        let schema: Schema
        let fields: [Field]
    }

    private struct Field {
        enum Role {
            case attribute
            case text
            case element
        }

        let name: String
        let role: Role
        /// The name in the document.
        let tag: [UInt8]
        /// Whether XML allows the name.
        let isWritable: Bool

        init(_ name: String) {
            self.name = name
            if name == "#text" {
                role = .text
                tag = []
                isWritable = true
                return
            }
            role = name.hasPrefix("@") ? .attribute : .element
            tag = Array(name.utf8.dropFirst(role == .attribute ? 1 : 0))
            isWritable = tag.withUnsafeBytes {
                XMLElementWriter.isWritable($0, asAttribute: name.hasPrefix("@"))
            }
        }
    }

    init(_ settings: XMLSettings) { self.settings = settings }

    func begin(_ batch: RecordBatch, into output: OutputBuffer) throws(ConnectorError) {
        try checkHasFields(batch)
        output.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<")
        output.append(settings.root)
        output.append(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n")
    }

    func write(
        _ batch: RecordBatch,
        rows: Range<Int>,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        try checkHasFields(batch)
        let plan = currentPlan(batch.schema)
        let start = output.count
        for row in rows {
            do throws(ConnectorError) {
                try write(batch.row(row), plan, to: output)
            } catch {
                output.count = start
                throw error
            }
        }
    }

    func end(into output: OutputBuffer) throws(ConnectorError) {
        output.append("</\(settings.root)>\n")
    }

    private func checkHasFields(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.schema.isOpaque else { return }
        throw ConnectorError(
            .xmlInexpressible,
            .rejectRecord,
            "The records are plain bytes, not fields that could be elements.",
            hint: "Choose a `value.converter` that reads fields, such as `json`."
        )
    }

    private func currentPlan(_ schema: Schema) -> Plan {
        if let plan, plan.schema === schema { return plan }
        let made = Plan(schema: schema, fields: schema.names.map { Field($0) })
        plan = made
        return made
    }

    private func write(
        _ cells: UnsafeMutablePointer<Cell>,
        _ plan: Plan,
        to output: OutputBuffer
    ) throws(ConnectorError) {
        let writer = XMLElementWriter(output)
        output.append("  <")
        output.append(settings.record)
        var hasContent = false
        for (index, field) in plan.fields.enumerated() where cells[index].tag != .missing {
            guard field.isWritable else { throw .xmlName(field.name) }
            hasContent = hasContent || field.role != .attribute
            guard field.role == .attribute else { continue }
            try expect(
                field.tag.withUnsafeBytes { writer.attribute($0, cells[index]) },
                field.name
            )
        }
        guard hasContent else { return output.append("/>\n") }
        output.append(">")
        for (index, field) in plan.fields.enumerated() where cells[index].tag != .missing {
            switch field.role {
            case .attribute: continue
            case .text: try expect(writer.text(cells[index]), field.name)
            case .element:
                try expect(
                    field.tag.withUnsafeBytes { writer.element($0, cells[index]) },
                    field.name
                )
            }
        }
        output.append("</")
        output.append(settings.record)
        output.append(">\n")
    }

    private func expect(
        _ problem: XMLElementWriter.Problem?,
        _ field: String
    ) throws(ConnectorError) {
        guard let problem else { return }
        throw .xmlField(field, problem.rawValue)
    }
}

extension ConnectorError {
    fileprivate static func xmlName(_ field: String) -> Self {
        Self(
            .xmlInexpressible,
            .rejectRecord,
            "The field `\(field)` has a name that XML does not allow.",
            hint: "Rename it with a ReplaceField transform."
        )
    }

    fileprivate static func xmlField(_ field: String, _ problem: String) -> Self {
        Self(.xmlInexpressible, .rejectRecord, "The field `\(field)` \(problem).")
    }
}
